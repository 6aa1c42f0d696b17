"""Networks as flows, one file each: a network is a scheme, a field for every step, and a gradient."""
