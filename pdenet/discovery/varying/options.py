"""What the user says about coefficients that vary, checked against the data before any work."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.errors import UsageError
from pdenet.fields.field import Field


@dataclass(frozen=True)
class Varying:
    """axes: along which coefficients may vary, of "t" and the space axes. source: the variable of an unknown curve
    f(variable). known: variables that are inputs and have no equation of their own."""

    axes: tuple[str, ...] = ()
    source: str | None = None
    known: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, field: Field, *, varying: str | None = None, source: str | None = None, known: str | None = None
    ) -> Varying:
        """The words of the options; UsageError for axes or variables that the data do not have."""
        axes = _names(varying, ("t", *sorted(field.axes)), "--varying", "an axis")
        inputs = _names(known, field.names, "--known", "a variable")
        evolved = [name for name in field.names if name not in inputs]
        if not evolved:
            raise UsageError(
                f"all of {', '.join(field.names)} are known: no equation is left to find",
                where="--known",
                cure="leave out the variable whose equation you seek",
            )
        if source is not None:
            _names(source, tuple(evolved), "--source", "a variable with an equation")
            if len(evolved) > 1:
                raise UsageError(
                    f"--source finds one curve in one equation; there are those of {', '.join(evolved)}",
                    where="--source, --known",
                    cure=f"--known {','.join(name for name in evolved if name != source)}",
                )
        return cls(axes, source, inputs)


def _names(text: str | None, there: tuple[str, ...], option: str, what: str) -> tuple[str, ...]:
    """A list of names with commas between, each of them there."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in there:
            raise UsageError(
                f"'{name}' is not {what} here; there are {', '.join(there)}", where=option, cure=f"{option} {there[-1]}"
            )
    return tuple(dict.fromkeys(names))
