"""Typed equations: values against direct evaluation, errors with their place, and a parser that never breaks."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.equations.expansion import as_terms, expand, to_equations
from pdenet.equations.expression import axes_used, parse_system
from pdenet.equations.syntax import Call, Coordinate, InverseLaplacian
from pdenet.equations.terms import Factor, Term

POINT = {"u": 0.7, "v": -1.3, "u_x": 0.4, "v_xx": 2.1}

Sample = tuple[str, float]  # a typed expression and its value at POINT


def leaf() -> st.SearchStrategy[Sample]:
    numbers = st.sampled_from(["2", "0.5", "1e-1", ".25", "3."]).map(lambda text: (text, float(text)))
    return numbers | st.sampled_from(list(POINT.items()))


def grown(inner: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    """Every operator of the language over smaller samples."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda ab: (f"({ab[0][0]} + {ab[1][0]})", ab[0][1] + ab[1][1])),
        pair.map(lambda ab: (f"({ab[0][0]}-{ab[1][0]})", ab[0][1] - ab[1][1])),
        pair.map(lambda ab: (f"({ab[0][0]}) * ({ab[1][0]})", ab[0][1] * ab[1][1])),
        inner.map(lambda a: (f"-({a[0]})", -a[1])),
        inner.map(lambda a: (f"({a[0]})/4", a[1] / 4)),
        inner.map(lambda a: (f"({a[0]})**2", a[1] ** 2)),
    )


def right_side_terms(text: str) -> dict[Term, float]:
    return as_terms(expand(parse_system(f"v_t = v; u_t = {text}", 1).rates["u"]))


@settings(max_examples=150, deadline=None)
@given(st.recursive(leaf(), grown, max_leaves=8))
def test_expansion_has_the_value_of_the_expression(sample: Sample) -> None:
    text, value = sample
    try:
        terms = right_side_terms(text)
    except UsageError as error:
        assume("a product of more than" not in error.what)
        raise
    parts = [c * math.prod(POINT[str(factor)] for factor in term.factors) for term, c in terms.items()]
    # sums of at most a few hundred products: 1e-12 of their size is a thousand roundings
    assert math.isclose(sum(parts), value, rel_tol=1e-12, abs_tol=1e-12 * sum(map(abs, parts)) + 1e-12)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("-u*u_x + 0.1*u_xx", {"u*u_x": -1.0, "u_xx": 0.1}),
        ("-u**2", {"u**2": -1.0}),
        ("2**-1*u", {"u": 0.5}),
        ("2**3**2*u", {"u": 512.0}),
        ("8/4/2*u", {"u": 1.0}),
        ("u - v - u", {"v": -1.0}),
        ("(1 - u^2)*u", {"u": 1.0, "u**3": -1.0}),
        ("+u --v", {"u": 1.0, "v": 1.0}),
        ("sin(pi/2)*u_{xx}", {"u_xx": 1.0}),
        ("lap(u) - lap(lap(v))", {"u_xx": 1.0, "v_xxxx": -1.0}),
        ("0*u", {}),
    ],
)
def test_right_side(text: str, terms: dict[str, float]) -> None:
    assert right_side_terms(text) == {Term.parse(name): value for name, value in terms.items()}


def test_laplacian_follows_the_dimension() -> None:
    for n_dims, letters in ((1, "x"), (2, "xy"), (3, "xyz")):
        (equation,) = to_equations(parse_system("u_t = lap(u)", n_dims))
        assert equation.terms == tuple(Term.parse(f"u_{letter}{letter}") for letter in letters)


def test_system_with_definitions_and_constants() -> None:
    system = parse_system("A = u**2 + v**2\nu_t = nu*u_yx - A*v; v_t = A*u", constants={"nu": 0.3})
    u, v = to_equations(system)
    assert system.n_dims == 2
    assert system.variables == ("u", "v")
    assert dict(zip(map(str, u.terms), u.coefficients, strict=True)) == {"u_xy": 0.3, "u**2*v": -1.0, "v**3": -1.0}
    assert dict(zip(map(str, v.terms), v.coefficients, strict=True)) == {"u**3": 1.0, "u*v**2": 1.0}


def test_what_is_no_polynomial_stays_whole() -> None:
    (monomial,) = expand(parse_system("u_t = x*sin(u)*invlap(u_x)", 1).rates["u"])
    atoms = {Coordinate("x"), Call("sin", Factor("u")), InverseLaplacian(Factor("u", "x"))}
    assert {atom for atom, _ in monomial} == atoms
    with pytest.raises(UsageError, match="more than products"):
        to_equations(parse_system("u_t = 1/u", 1))


@pytest.mark.parametrize(
    ("text", "axes"), [("u_t = u", 1), ("u_t = u_xy", 2), ("u_t = z*u", 3), ("u_t = u_{zz}", 3), ("u_1_t = u_1_x", 1)]
)
def test_axes_used(text: str, axes: int) -> None:
    assert axes_used(text) == axes


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("u_t = -u*u_q", "q", "'q' is not an axis"),
        ("u_t = u*u_y", "y", "'y' is not an axis"),
        ("u_t = 0.1*w_xx", "w_xx", "unknown variable 'w_xx'"),
        ("u_t = sinh(u)", "sinh", "unknown function 'sinh'"),
        ("u_t = (u + 1", None, "expected '\\)'"),
        ("u_t = 2u", "u", "expected an operator before 'u'"),
        ("u_t = u*", None, "expected a number"),
        ("u_t = u/0", "/", "not a finite real number"),
        ("u_t = sqrt(-1)*u", "sqrt", "not a finite real number"),
        ("u_t = 1e999*u", "1e999", "not a finite real number"),
        ("u_t = u**u", "**", "the exponent must be a number"),
        ("u_t = u $ 2", "$", "unexpected character"),
        ("u_t = u_xxxxxxxxx", "u_x", "order 9"),
        ("u_t = lap(u*u)", "lap", "takes a variable"),
        ("u_t = u_t", "t", "on the left only"),
        ("u_ttt = u", "u_ttt", "cannot stand on the left"),
        ("x_t = 1", "x_t", "another meaning"),
        ("u + 1", "+", "expected a left side"),
        ("u = 1", "u", "no equation for a time derivative"),
    ],
)
def test_error_points_at_the_place(text: str, place: str | None, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        parse_system(text, 1)
    _, line, caret = caught.value.where.split("\n")
    column = text.rindex(place) if place else len(text)
    assert line == f"    {text}"
    assert caret.index("^") - 4 == column


def test_suggestions() -> None:
    for text, suggestion in (("u_t = Lap(u)", "lap"), ("u_t = U_x", "u_x"), ("u_t = tanhh(u)", "tanh")):
        with pytest.raises(UsageError) as caught:
            parse_system(text, 1)
        assert caught.value.cure == f"did you mean {suggestion}?"


@pytest.mark.parametrize(
    ("text", "constants"),
    [("u_t = u", {"nu": 1.0}), ("u_t = x*u", {"x": 1.0}), ("u_t = u; u_t = u_x", {}), ("", {}), ("u_t = A; A = u", {})],
)
def test_refused_systems(text: str, constants: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        parse_system(text, 1, constants)


def test_growth_is_bounded() -> None:
    doubling = "".join(f"a{k + 1} = a{k} + a{k};" for k in range(60))
    for text in (
        f"u_t = {'(' * 5000}u",
        f"u_t = {'-' * 5000}u",
        f"u_t = u{'**2' * 2000}",
        f"u_t = {'u+' * 10_000}u",
        f"a0 = u; {doubling} u_t = a60",
    ):
        with pytest.raises(UsageError):
            parse_system(text, 1)
    for text in ("(u + u_x + u_xx + 1)**12 * (u + 1)**12", "(u**9)**9", "1e200*u*(1e200*u_x)"):
        with pytest.raises(UsageError):
            expand(parse_system(f"u_t = {text}", 1).rates["u"])


PIECES = st.sampled_from(
    [
        *"uvxyzt0123456789.+-*/^()=;_{} \n\t$",
        "u_t",
        "u_x",
        "**",
        "lap(",
        "sin(",
        "1e",
        "pi",
        "invlap(",
        "log(",
        "é",
        "٣",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=40), st.sampled_from([None, 1, 2, 3]))
def test_any_text_is_read_or_refused(text: str, n_dims: int | None) -> None:
    for line in (text, f"u_t = {text}"):
        with contextlib.suppress(UsageError):  # anything else is a failure
            for node in parse_system(line, n_dims).rates.values():
                expand(node)
