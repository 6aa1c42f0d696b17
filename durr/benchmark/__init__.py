"""The benchmark of `bench denoise`: pictures, protocol, methods, scores, and the policy against fixed steps."""
