"""Options given one by one: what a signature shows, who gets which value, what is refused."""

from __future__ import annotations

import inspect
from dataclasses import Field, dataclass
from typing import Annotated, Any

import pytest

from backbone.options import Options, option, spelt_out


@dataclass(kw_only=True, eq=False)
class Shared(Options):
    """What both kinds have."""

    seed: int = option(0, "Seed.", min=0)


@dataclass(kw_only=True, eq=False)
class Left(Shared):
    """One kind."""

    width: float = option(1.5, "Width.")


@dataclass(kw_only=True, eq=False)
class Right(Shared):
    """Another kind."""

    name: str | None = option(None, "Name.")


def both(first: int, *, left: Left, right: Right, last: bool = False) -> tuple[int, Left, Right, bool]:
    return first, left, right, last


def test_fields_stand_in_the_signature_once_and_in_order() -> None:
    parameters = inspect.signature(spelt_out(both)).parameters
    assert list(parameters) == ["first", "seed", "width", "name", "last"]
    assert parameters["width"].default == 1.5
    assert parameters["name"].annotation == (str | None)


def test_a_shared_option_is_given_to_both() -> None:
    first, left, right, last = spelt_out(both)(3, seed=7, name="a", last=True)
    assert (first, last) == (3, True)
    assert left.get_params() == {"seed": 7, "width": 1.5}
    assert right.get_params() == {"seed": 7, "name": "a"}


def test_a_parameter_of_the_function_stands_for_the_field_of_its_name() -> None:
    def with_seed(*, left: Left, seed: int = 5) -> tuple[int, int]:
        return left.seed, seed

    assert spelt_out(with_seed)() == (5, 5)
    assert spelt_out(with_seed)(seed=6) == (6, 6)


def test_unknown_keywords_are_refused() -> None:
    with pytest.raises(TypeError, match="widht"):
        spelt_out(both)(3, widht=2.0)


def test_annotations_may_carry_what_a_command_says() -> None:
    def told(entry: Field[Any], hint: Any) -> Any:
        return Annotated[hint, entry.metadata["help"], entry.metadata.get("min")]

    parameters = inspect.signature(spelt_out(both, told)).parameters
    assert parameters["seed"].annotation == Annotated[int, "Seed.", 0]
