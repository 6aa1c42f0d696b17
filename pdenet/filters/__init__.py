"""Convolution kernels that are derivatives, held so by their `moments`: `filter_bank`, with `margins` at walls."""
