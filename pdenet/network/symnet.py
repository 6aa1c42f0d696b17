"""SymNet: a network of sums and products only, so that what it has learned can be written down as a polynomial."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pdenet.equations.equation import Equation
from pdenet.equations.terms import Factor, Term
from pdenet.network.polynomial import Polynomial, affine, multiply
from pdenet.network.products import ProductChain, chain, chain_back

INITIAL_SPREAD = 0.1


class SymNet(nn.Module):
    """One polynomial network per output, all of the same inputs x_1..x_n (PDE-Net 2.0, section 2.2).

    For k = 0..K-1:  (a, b) = W_k [x, f_0..f_{k-1}] + c_k,  f_k = a b;  output = w [x, f_0..f_{K-1}] + c.
    Degrees up to 2^K can be reached. All weights start from N(0, 0.1^2).

    inputs: what x_i stands for. outputs: the variables whose time derivative each output is. hidden: K.
    linear: weights on x and the bias of the rows a_0, b_0, .., a_K-1, b_K-1, output. packed: weights on the products.
    """

    def __init__(
        self,
        inputs: Sequence[Factor],
        outputs: Sequence[str],
        *,
        hidden: int = 5,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.hidden = tuple(inputs), tuple(outputs), hidden
        rows = 2 * hidden + 1
        earlier = torch.arange(hidden, device=device) < torch.arange(rows, device=device).unsqueeze(1) // 2
        self.register_buffer("places", torch.nonzero(earlier.flatten()).squeeze(1))
        draw = torch.randn(
            len(outputs),
            rows * (len(inputs) + 1) + len(self.places),
            generator=generator,
            dtype=dtype,
            device=generator.device,
        ).to(device)
        linear, packed = (INITIAL_SPREAD * draw).split([rows * (len(inputs) + 1), len(self.places)], 1)
        self.linear = nn.Parameter(linear.reshape(len(outputs), rows, len(inputs) + 1).clone())
        self.packed = nn.Parameter(packed.clone())

    @property
    def lower(self) -> Float[Tensor, "output row product"]:
        """The weights on the products; zero where a row comes before the product."""
        shape = (len(self.outputs), 2 * self.hidden + 1, self.hidden)
        return self.packed.new_zeros(shape).flatten(1).index_copy(1, self.places, self.packed).reshape(shape)

    def forward(self, x: Float[Tensor, " input *point"]) -> Float[Tensor, " output *point"]:
        """The outputs at every point."""
        values: Tensor = ProductChain.apply(x.flatten(1), self.linear, self.lower)
        return values.reshape(-1, *x.shape[1:])

    @torch.no_grad()
    def slopes(
        self, x: Float[Tensor, " input *point"], wanted: Int[Tensor, "output slope"]
    ) -> Float[Tensor, "output slope *point"]:
        """Partial derivatives of each output by the inputs numbered in its row of `wanted`; carries no gradient."""
        lower = self.lower
        z, _ = chain(x.flatten(1), self.linear, lower)
        back = chain_back(z, lower, torch.ones_like(z[:, -1]))
        columns = torch.take_along_dim(self.linear, wanted.unsqueeze(1), 2)
        return torch.bmm(columns.transpose(1, 2), back).unflatten(2, x.shape[1:])

    def expand(self, tolerance: float = 0.0) -> list[Polynomial]:
        """Each output as a polynomial of the inputs: exact at tolerance 0.

        With a tolerance, terms below it are left out wherever they arise, and `dropped` of each polynomial bounds
        what that changes. Raises ResourceError when a dense network has more terms than memory holds.
        """
        linear, lower = (weights.detach().cpu().double().numpy() for weights in (self.linear, self.lower))
        return [self._expand_one(linear[k], lower[k], tolerance) for k in range(len(self.outputs))]

    def _expand_one(self, linear: np.ndarray, lower: np.ndarray, tolerance: float) -> Polynomial:
        products: list[Polynomial] = []

        def row(r: int) -> Polynomial:
            weights = [*linear[r, :-1], *lower[r, : len(products)]]
            return affine(weights, linear[r, -1], products, len(self.inputs), tolerance)

        for k in range(self.hidden):
            products.append(multiply(row(2 * k), row(2 * k + 1), tolerance))
        return row(2 * self.hidden)

    def polynomial(self, tolerance: float = 0.0) -> list[dict[Term, float]]:
        """`expand` with the inputs by name: for each output the coefficient of every term."""
        return [self._by_term(polynomial) for polynomial in self.expand(tolerance)]

    def _by_term(self, polynomial: Polynomial) -> dict[Term, float]:
        terms: dict[Term, float] = {}
        for exponents, coefficient in zip(polynomial.exponents, polynomial.coefficients, strict=True):
            factors = [self.inputs[i] for i in np.flatnonzero(exponents) for _ in range(exponents[i])]
            terms[Term.product(factors)] = float(coefficient)
        return terms

    def to_equations(self, *, threshold: float = 1e-3, tolerance: float = 1e-6) -> list[Equation]:
        """The equations for print, largest coefficients first; those below `threshold` are not shown."""
        equations = []
        for name, terms in zip(self.outputs, self.polynomial(tolerance), strict=True):
            shown = sorted(
                (item for item in terms.items() if abs(item[1]) >= threshold), key=lambda item: -abs(item[1])
            )
            equations.append(Equation(f"{name}_t", tuple(t for t, _ in shown), tuple(c for _, c in shown)))
        return equations
