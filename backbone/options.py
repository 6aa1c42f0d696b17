"""Options as a dataclass, given one by one: one list of them for a command, a function and an estimator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

R = TypeVar("R")
Annotate = Callable[[Field[Any], Any], Any]


@dataclass(kw_only=True, eq=False)
class Options:
    """Options with scikit-learn's manners: each is kept as given under its own name, and judged at work."""

    def get_params(self) -> dict[str, Any]:
        """The options by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def option(default: Any, help: str, **bounds: int | float) -> Any:  # noqa: A002  what a command says of it
    """A field of Options. bounds: `min` and `max`, where a command holds a number to them."""
    return field(default=default, metadata={"help": help, **bounds})


def _plain(entry: Field[Any], hint: Any) -> Any:
    return hint


def spelt_out(function: Callable[..., R], annotate: Annotate = _plain) -> Callable[..., R]:
    """The function with every parameter of an Options class replaced by that class's fields, as keywords.

    A field of several classes is one keyword for all of them; a parameter of the function with a field's name gives
    that field its value. annotate: makes the annotation of a keyword from a field and its type.
    Calls raise TypeError for unknown keywords.
    """
    own = inspect.signature(function, eval_str=True)
    kinds = {name: one.annotation for name, one in own.parameters.items() if _is_options(one.annotation)}
    parameters: dict[str, inspect.Parameter] = {}
    for name, parameter in own.parameters.items():
        if name not in kinds:
            parameters[name] = parameter
            continue
        hints = get_type_hints(kinds[name], include_extras=True)
        for entry in fields(kinds[name]):
            if entry.name not in own.parameters:
                hint = annotate(entry, hints[entry.name])
                keyword = inspect.Parameter(entry.name, parameter.KEYWORD_ONLY, default=entry.default, annotation=hint)
                parameters.setdefault(entry.name, keyword)
    whole = own.replace(parameters=list(parameters.values()))

    @functools.wraps(function)
    def with_keywords(*values: Any, **words: Any) -> R:
        bound = whole.bind(*values, **words)
        bound.apply_defaults()
        given = bound.arguments
        made = {name: kind(**{entry.name: given[entry.name] for entry in fields(kind)}) for name, kind in kinds.items()}
        return function(**{name: made[name] if name in made else given[name] for name in own.parameters})

    with_keywords.__signature__ = whole  # type: ignore[attr-defined]
    with_keywords.__annotations__ = {name: one.annotation for name, one in parameters.items()}
    return with_keywords


def _is_options(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Options)
