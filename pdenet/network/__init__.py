"""PDE-Net 2.0: the right-hand side that learns (`rhs`), its symbolic network (`symnet`), its training (`paper`).

`products` is the network's kernel, `polynomial` the algebra that writes down what it has learned.
"""
