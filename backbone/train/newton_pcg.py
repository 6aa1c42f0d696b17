"""Block coordinate descent: exact Newton for the classifier, then a Gauss-Newton step for the layers, in turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from backbone.dynamics import Layered
from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.gradients import Backprop
from backbone.synthetic import Labelled
from backbone.train.gauss_newton import Control, DepthRegulariser, GaussNewton, conjugate_gradients
from backbone.train.line_search import armijo
from backbone.train.numerics import Numerics, flows_of, solved_by
from backbone.train.softmax import Softmax, Weights, into_head, newton, of_head


@runtime_checkable
class Classifier(Protocol):
    """Features of points, the last state of a layered flow, and a linear head that classifies them."""

    head: nn.Linear

    def features(self, points: Tensor, /) -> Tensor: ...


class NewtonPcg:
    """Minimises E(theta, V) = mean cross-entropy + decay / 2 |V|^2 + R(theta), V = (W, mu) and theta in turns.

    (a) V by Newton's method for the convex softmax regression on the features as they are, `newton_steps` at most;
    (b) theta <- theta + s d, (J^T H J + M) d = -grad E by `cg_steps` conjugate gradients that the regulariser's M
    preconditions, s by Armijo's rule. E never rises. Of R: alpha, the price of roughness in depth, and eps, that of
    size. Deterministic: meant for all samples at once, in float64. Ruthotto's course and Haber, Ruthotto, Inverse
    Problems 34 (2018), section 5. Raises UsageError for nets of another form.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        decay: float = 1e-4,
        alpha: float = 1e-4,
        eps: float = 1e-1,
        newton_steps: int = 5,
        cg_steps: int = 20,
    ) -> None:
        self.net = net
        self.classifier, self.flow = _classifier(net)
        self.decay = decay
        self.newton_steps = newton_steps
        self.cg_steps = cg_steps
        theta, grid = self._theta(), self.flow.grid
        h = abs(grid.ts[1] - grid.ts[0])
        self.regulariser = DepthRegulariser(grid.n_steps, h, alpha=alpha, eps=eps, like=theta)

    def __call__(self, batch: Labelled, /) -> dict[str, float]:
        """One turn; loss: E before it; classifier: the norm of E's gradient in V after (a)."""
        with solved_by({self.flow: Numerics(self.flow.grid, self.flow.scheme, gradient=Backprop())}):
            return self._turn(batch)

    def _turn(self, batch: Labelled) -> dict[str, float]:
        z = self.classifier.features(batch.points)
        softmax = Softmax(z.detach(), batch.labels, self.decay)
        before = self._energy(softmax, of_head(self.classifier.head), self._theta())
        V, norms = newton(softmax, of_head(self.classifier.head), n_steps=self.newton_steps)
        into_head(V, self.classifier.head)
        theta, cg_steps, step = self._layers(batch, z, softmax, V)
        self._put(theta)
        return {"loss": before, "classifier": norms[-1], "cg_steps": cg_steps, "step": step}

    def _layers(self, batch: Labelled, z: Tensor, softmax: Softmax, V: Weights) -> tuple[Control, int, float]:
        """(b): the new theta, conjugate gradients taken, length of the step."""
        theta, W = self._theta(), V[:, :-1]
        p = (softmax.f @ V.T).softmax(1)
        system = GaussNewton(z, self._layer_weights(), W, p, self.regulariser)
        y = nn.functional.one_hot(batch.labels, len(W)).to(p)
        gradient = system.transposed((p - y) @ W / len(p)) + self.regulariser.gradient(theta)
        d, n_steps = conjugate_gradients(
            system, self.regulariser.precondition, -gradient, n_steps=self.cg_steps, tolerance=1e-2
        )
        at_zero = self._energy(softmax, V, theta)

        def energy(s: float) -> float:
            self._put(theta + s * d)
            with torch.no_grad():
                moved = Softmax(self.classifier.features(batch.points), batch.labels, self.decay)
            return self._energy(moved, V, theta + s * d)

        s = armijo(energy, at_zero, float((gradient * d).sum()))
        return theta + s * d, n_steps, s

    def _energy(self, softmax: Softmax, V: Weights, theta: Control) -> float:
        return float(softmax.value(V) + self.regulariser.value(theta))

    def _layer_weights(self) -> list[list[nn.Parameter]]:
        assert isinstance(self.flow.f, Layered)
        return [list(field.parameters()) for field in self.flow.f.fields]

    def _theta(self) -> Control:
        return torch.stack([nn.utils.parameters_to_vector(layer).detach() for layer in self._layer_weights()])

    def _put(self, theta: Control) -> None:
        for vector, layer in zip(theta, self._layer_weights(), strict=True):
            nn.utils.vector_to_parameters(vector, layer)

    def state_dict(self) -> dict[str, Any]:
        """The weights: all that an exact resume needs."""
        return {"net": self.net.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.net.load_state_dict(state["net"])


def _classifier(net: nn.Module) -> tuple[Classifier, Flow]:
    flows = flows_of(net)
    if not isinstance(net, Classifier) or len(flows) != 1 or not isinstance(flows[0].f, Layered):
        raise UsageError(
            f"a {type(net).__name__} is no linear head on the features of one layered flow",
            where="NewtonPcg",
            cure="use a PointNet with a Layered flow, such as hamiltonian_net, or Gradient",
        )
    return net, flows[0]
