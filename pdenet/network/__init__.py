"""PDE-Net 2.0: the right-hand side that learns (`rhs`), its symbolic network (`symnet`), its training (`paper`).

`stages` of the training and the `checkpoint` that keeps the last one; `rollout`, the trained network run forward.
`products` is the network's kernel, `polynomial` the algebra that writes down what it has learned.
"""
