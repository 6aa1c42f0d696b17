"""The systems by name: what each one is, the file that holds it, the checks that define it, and examples of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backbone.checks import adjoint, mean_field, pde, points, splitting, stability, steps, stochastic, training
from backbone.checks.examples import (
    Build,
    Example,
    cnf,
    node_ew,
    on_images,
    on_points,
    on_small_pictures,
    seeded,
    translation,
)
from backbone.checks.examples import mean_field as mean_field_example
from backbone.checks.measured import Measured
from backbone.checks.net import check_net
from backbone.errors import UsageError
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.fractalnet import fractalnet
from backbone.nets.hamiltonian import hamiltonian_net, two_layer_hamiltonian_net
from backbone.nets.hyperbolic import hyperbolic_cnn
from backbone.nets.imexnet import imexnet
from backbone.nets.lean_resnet import lean_resnet
from backbone.nets.lm_resnet import lm_resnet
from backbone.nets.lm_resnext import lm_resnext
from backbone.nets.neural_ode import neural_ode
from backbone.nets.parabolic import parabolic_cnn
from backbone.nets.polynet import polynet
from backbone.nets.resnet import resnet
from backbone.nets.revnet import revnet
from backbone.nets.shake_shake import shake_shake
from backbone.nets.stochastic_depth import stochastic_depth

Check = Callable[[Example], list[Measured]]


@dataclass(frozen=True)
class System:
    """equation: one step or the ODE. file: under backbone/nets. build: examples. checks: those of its own."""

    equation: str
    file: str
    build: Build
    checks: tuple[Check, ...] = ()

    def check(self) -> list[Measured]:
        """Its own checks, then what is checked of every network."""
        example = self.build("small", 3)
        return [measured for check in self.checks for measured in check(example)] + check_net(self.build)


SYSTEMS: dict[str, System] = {
    "resnet": System(
        "x_{n+1} = x_n + f(x_n)",
        "resnet.py",
        on_images(lambda shape: resnet(shape, generator=seeded())),
        (steps.check_resnet, training.check_deep_limit, points.check_width),
    ),
    "small-cnn": System("x_{n+1} = x_n + f(x_n), f smooth", "small_cnn.py", on_small_pictures),
    "lm-resnet": System(
        "x_{n+1} = (1 - k_n) x_n + k_n x_{n-1} + f(x_n)",
        "lm_resnet.py",
        on_images(lambda shape: lm_resnet(shape, generator=seeded())),
        (steps.check_lm_resnet,),
    ),
    "lm-resnext": System(
        "x_{n+1} = (1 - k_n) x_n + k_n x_{n-1} + f(x_n), f of grouped convolutions",
        "lm_resnext.py",
        on_images(lambda shape: lm_resnext(shape, cardinality=2, generator=seeded())),
    ),
    "polynet": System(
        "x_{n+1} = x_n + F(x_n) + F(F(x_n))",
        "polynet.py",
        on_images(lambda shape: polynet(shape, generator=seeded())),
        (steps.check_polynet,),
    ),
    "fractalnet": System(
        "x_{n+1} = k1 x_n + k2 (k3 x_n + f1(x_n)) + f2(k3 x_n + f1(x_n))",
        "fractalnet.py",
        on_images(lambda shape: fractalnet(shape, generator=seeded())),
        (steps.check_fractalnet,),
    ),
    "revnet": System(
        "x1 += f(x2), x2 += g(x1)",
        "revnet.py",
        on_images(lambda shape: revnet(shape, generator=seeded())),
        (steps.check_revnet,),
    ),
    "stochastic-depth": System(
        "x_{n+1} = x_n + eta_n / p_n f(x_n), eta_n ~ Bernoulli(p_n)",
        "stochastic_depth.py",
        on_images(lambda shape: stochastic_depth(shape, generator=seeded(), draws=seeded(1))),
        (stochastic.check_stochastic_depth,),
    ),
    "shake-shake": System(
        "x_{n+1} = x_n + eta_n f1(x_n) + (1 - eta_n) f2(x_n), eta_n ~ U(0, 1)",
        "shake_shake.py",
        on_images(lambda shape: shake_shake(shape, generator=seeded(), draws=seeded(1))),
        (stochastic.check_shake_shake,),
    ),
    "translator": System(
        "x += h/2 FFN1(x), x += h MHA(x), x += h/2 FFN2(x)",
        "translation.py",
        translation,
        (splitting.check_translation,),
    ),
    "hamiltonian": System(
        "z' = -sigma(K y + b), y' = sigma(K^T z + b)",
        "hamiltonian.py",
        on_points(lambda shape: hamiltonian_net(shape, generator=seeded())),
        (stability.check_hamiltonian, points.check_depth),
    ),
    "hamiltonian-2": System(
        "z' = -K2^T sigma(K2 y + b2), y' = K1^T sigma(K1 z + b1)",
        "hamiltonian.py",
        on_points(lambda shape: two_layer_hamiltonian_net(shape, generator=seeded())),
        (stability.check_two_layer_hamiltonian,),
    ),
    "antisymmetric": System(
        "x' = sigma((K - K^T - gamma I) x + b)",
        "antisymmetric.py",
        on_points(lambda shape: antisymmetric_net(shape, generator=seeded())),
        (stability.check_antisymmetric, stability.check_landscape, points.check_peaks),
    ),
    "neural-ode": System(
        "x' = f(x, t; theta)",
        "neural_ode.py",
        on_points(lambda shape: neural_ode(shape, generator=seeded())),
        (adjoint.check_neural_ode,),
    ),
    "node-ew": System(
        "x' = f(x, t; theta(t)), theta' = g(theta; theta1)", "node_ew.py", node_ew, (adjoint.check_node_ew,)
    ),
    "cnf": System("x' = f(x, t), d log p / dt = -tr df/dx", "cnf.py", cnf),
    "mean-field": System(
        "x_{l+1} = x_l + 1/(L M) sum_j f(x_l, theta_l^j)",
        "mean_field.py",
        mean_field_example,
        (mean_field.check_mean_field,),
    ),
    "parabolic": System(
        "x' = -K^T sigma(K x + b)",
        "parabolic.py",
        on_images(lambda shape: parabolic_cnn(shape, generator=seeded())),
        (pde.check_parabolic,),
    ),
    "hyperbolic": System(
        "x'' = -K^T sigma(K x + b)",
        "hyperbolic.py",
        on_images(lambda shape: hyperbolic_cnn(shape, generator=seeded())),
        (pde.check_hyperbolic,),
    ),
    "imex": System(
        "x_{n+1} = (I + L)^-1 (x_n + alpha x_n + f(x_n)), L = K^T K",
        "imexnet.py",
        on_images(lambda shape: imexnet(shape, generator=seeded())),
        (pde.check_imex,),
    ),
    "lean": System(
        "x_{n+1} = x_n + f(x_n), f of 1 x 1 couplings and 5-point stencils",
        "lean_resnet.py",
        on_images(lambda shape: lean_resnet(shape, generator=seeded())),
        (pde.check_lean,),
    ),
}


def system(name: str) -> System:
    """The system of this name. Raises UsageError."""
    if name not in SYSTEMS:
        raise UsageError(
            f"there is no system '{name}'", where=f"backbone {name}", cure=f"name one of: {', '.join(SYSTEMS)}"
        )
    return SYSTEMS[name]
