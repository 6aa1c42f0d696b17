"""B1-B6: residual architectures as explicit, implicit, multistep and reversible schemes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.checks.orders import ROWS, slope
from backbone.dynamics import Autonomous, Layered, Shared, VectorField
from backbone.flow import EndOf
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.nets.frame import ImageShape, linear
from backbone.nets.lm_resnet import lm_resnet
from backbone.nets.resnet import resnet
from backbone.schemes.implicit import BackwardEuler
from backbone.schemes.linear_multistep import LinearMultistep
from backbone.schemes.polynomial import Picard, Poly
from backbone.schemes.scheme import Scheme
from backbone.schemes.symplectic import SymplecticEuler
from backbone.schemes.two_step import Increment
from backbone.structured import Separable


def order_of(name: str, problem: str = "logistic") -> Measured:
    """The measured order of a row of the table of orders, on one of its problems."""
    return Measured.order(f"order of {name}", [2.0 ** slope(ROWS[name], problem), 1.0], ROWS[name].order)


def check_resnet(example: Example) -> list[Measured]:
    """ResNet is Euler's scheme with step 1."""
    net = example.net.eval()
    x = y = example.inputs[0]
    for part in net.children():
        if isinstance(part, EndOf):
            assert isinstance(part.flow.f, Layered)
            for field in part.flow.f.fields:
                assert isinstance(field, Autonomous)
                y = y + field.net(y)
        else:
            y = part(y)
    difference = float((net(x) - y).abs().max().detach())
    return [Measured.below("difference from a hand-written residual stack", difference, 0.0), order_of("Euler")]


def check_polynet(example: Example) -> list[Measured]:
    """Poly(k) is the Neumann series of backward Euler for a linear branch only; Picard(k) is near it for any branch."""
    A = normal(4, 4) / 2
    found = []
    for k in (1, 2, 3):
        errors = _distances(Poly(k), lambda t, y: y @ A.T, [0.1, 0.05, 0.025])
        found.append(Measured.order(f"Poly({k}) to backward Euler, linear", errors, k + 1))
    neurons = _tanh(4)
    found.append(Measured.order("Poly(2) to backward Euler, tanh", _distances(Poly(2), neurons, [2e-3, 1e-3]), 1))
    found.append(Measured.order("Picard(2) to backward Euler, tanh", _distances(Picard(2), neurons, [0.02, 0.01]), 3))
    return [*found, order_of("BackwardEuler")]


def _distances(scheme: Scheme, field: VectorField, lengths: Sequence[float]) -> list[float]:
    """How far one step is from one step of backward Euler, for steps of these lengths."""
    y0, exact = normal(3, 4, seed=1), BackwardEuler(1e-15)
    found = []
    for h in lengths:
        ends = [integrate(Shared(field), y0, Grid((0.0, h)), each).ys for each in (scheme, exact)]
        found.append(float((ends[0] - ends[1]).norm()))
    return found


def _tanh(width: int) -> VectorField:
    K, b = normal(width, width, seed=2), normal(width, seed=3)
    return lambda t, y: torch.tanh(y @ K.T + b)


def check_fractalnet(example: Example) -> list[Measured]:
    """With k = (1/2, 1/2, 1) and one branch twice FractalNet's block is Heun's scheme."""
    return [order_of(name) for name in ("Fractal", "Heun", "Midpoint", "RK4")]


def check_lm_resnet(example: Example) -> list[Measured]:
    """LM-ResNet's scheme: a ResNet for k = 0, its order, its modified equation, its zero stability, its inverse."""
    found = [_without_history()]
    found += [order_of(name) for name in ("LM(-0.5)", "LM(-0.1)", "LM(0.9)", "LM(1)")]
    for k in (-0.1, 0.5):
        errors = [_root_error(k, h) for h in (0.02, 0.01)]
        found.append(Measured.order(f"principal root to the modified equation, k={k}", errors, 2))
    bounds = {-0.1: (1.0, 2.0), 0.5: (1.0, 2.0), 1.0: (1.0, 2.0), -1.0: (80.0, 2e3), 1.2: (1e15, 1e18)}
    for k, (least, most) in bounds.items():  # the prototype's 1.6, 1.05, 1.41, 4.0e2, > 1e15, factor 5
        found.append(Measured(f"companion matrix, power 200, k={k}", _companion_power(k, 200), least, most))
    inverses = ((-0.1, 10, 1e-4), (0.9, 50, 1e-11), (1.0, 200, 1e-12))
    found += [Measured.below(f"inverse of {n} steps, k={k}", _inverse_error(k, n), most) for k, n, most in inverses]
    return [*found, Measured.above("inverse of 50 steps, k=-0.1", _inverse_error(-0.1, 50), 1e10)]


def _without_history() -> Measured:
    shape = ImageShape(depth=14, widths=(4, 8, 16))
    nets = [make(shape, generator=torch.Generator().manual_seed(0)) for make in (resnet, lm_resnet)]
    multistep = nets[1]
    names = nets[0].state_dict()
    multistep.load_state_dict({name: names.get(name, 0 * entry) for name, entry in multistep.state_dict().items()})
    images = normal(2, 3, 8, 8).float()
    difference = float((nets[0].eval()(images) - multistep.eval()(images)).abs().max().detach())
    return Measured.below("LM-ResNet with k = 0 minus ResNet", difference, 0.0)


def _multistep(k: float) -> LinearMultistep:
    return LinearMultistep(torch.tensor(k, dtype=torch.float64)).requires_grad_(False)


def _step_matrix(k: float, h_lambda: float) -> Tensor:
    """The scheme's step for dy/dt = lambda y as a matrix on (y_n, d_n)."""
    columns = []
    for unit in torch.eye(2, dtype=torch.float64):
        memory = Increment(n_steps=1, d=unit[1].reshape(1, 1))
        y, after = _multistep(k).step(lambda t, y: h_lambda * y, 0.0, 1.0, unit[0].reshape(1, 1), memory)
        columns.append(torch.cat([y[0], after.tensors()[0][0]]))
    return torch.stack(columns, dim=1)


def _root_error(k: float, h: float) -> float:
    """log(principal root) / h against the root s of (1 + k) s + (1 - k) h/2 s^2 = lambda, lambda = -1."""
    roots = torch.linalg.eigvals(_step_matrix(k, -h)).real
    a, b = (1 - k) * h / 2, 1 + k
    s = (-b + math.sqrt(b * b - 4 * a)) / (2 * a)
    return abs(float(torch.log(roots.max())) / h - s)


def _companion_power(k: float, n: int) -> float:
    """|C^n| for f = 0, on (y_n, y_{n-1})."""
    to_increment = torch.tensor([[1.0, 0.0], [1.0, -1.0]], dtype=torch.float64)  # is its own inverse
    C = to_increment @ _step_matrix(k, 0.0) @ to_increment
    return float(torch.linalg.matrix_norm(torch.linalg.matrix_power(C, n), 2))


def _inverse_error(k: float, n: int) -> float:
    field = _tanh(4)
    return there_and_back(_multistep(k), lambda step: field, normal(3, 4, seed=4), Grid.uniform(0.0, 0.02 * n, n))


def there_and_back(scheme: Scheme, field: Callable[[int], VectorField], y0: Tensor, grid: Grid) -> float:
    """The largest error of the state after all steps forward and all of them back; field(k) belongs to step k."""
    y, memory = y0, scheme.start(y0)
    with torch.no_grad():
        for k, (t0, t1) in enumerate(grid.steps):
            y, memory = scheme.step(field(k), t0, t1, y, memory)
        for k, (t0, t1) in reversed(list(enumerate(grid.steps))):
            y, memory = scheme.back(field(k), t0, t1, y, memory)
    return float((y - y0).abs().max())


def check_revnet(example: Example) -> list[Measured]:
    """RevNet's coupling is symplectic Euler, which undoes itself."""
    first, second = (Autonomous(nn.Sequential(linear(3, 3, seeded(k)), nn.Tanh()).double()) for k in range(2))
    x = normal(4, 6)
    x1, x2 = x.chunk(2, dim=1)
    x1 = x1 + first.net(x2)
    x2 = x2 + second.net(x1)
    field = Separable(first, second)
    end = integrate(Shared(field), x, Grid((0.0, 1.0)), SymplecticEuler()).ys
    error = there_and_back(SymplecticEuler(), lambda step: field, x, Grid.uniform(0.0, 100.0, 100))
    return [
        Measured.below(
            "difference from a hand-written coupling", float((end - torch.cat([x1, x2], 1)).abs().max().detach()), 0.0
        ),
        Measured.below("error after 100 blocks there and back", error, 1e-12),
        order_of("SymplecticEuler", "pole"),
    ]
