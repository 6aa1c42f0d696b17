"""Equations whose coefficients are fields and whose source is a curve: u_t = sum_q c_q(x, y, t) D_q u + f(u).

In the order of the work: `columns` evaluates candidate terms at points, `moments` condenses the data to the products of
columns at every point of the varying axes, `design` lists the unknown numbers, `crossvalidation` scores them on blocks
of data that were left out, `structure` decides which terms vary and along what, `bands` says how sure that is,
`closed_form` looks for a formula, and `discover` does all of it.
"""
