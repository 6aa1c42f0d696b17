"""Every expected failure of the application: what is wrong, where, and one command that cures it.

Exit codes (house rule): 0 done, 1 some items failed, 2 wrong usage, 3 input unusable, 4 output exists or
not writable, 5 out of memory, disk or time, 6 result not to be trusted, 7 model file unusable, 70 our bug,
130 stopped by the user.
"""

from __future__ import annotations

from typing import ClassVar


class Failure(Exception):
    """An expected failure, shown to the user in three lines and never as a traceback.

    what: what is wrong, with the value that was got. where: the file, variable or option.
    cure: one command or action that works.
    """

    exit_code: ClassVar[int] = 70
    kind: ClassVar[str] = "INTERNAL"

    def __init__(self, what: str, *, where: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        return f"error[{self.kind}]: {self.what}\n  where: {self.where}\n  try: {self.cure}"

    def as_dict(self) -> dict[str, str | int]:
        """The same fields for `--json`."""
        return {
            "id": self.kind,
            "what": self.what,
            "where": self.where,
            "try": self.cure,
            "exit_code": self.exit_code,
        }


class UsageError(Failure):
    """A wrong word, option or value (exit 2)."""

    exit_code = 2
    kind = "USAGE"


class NotReversible(UsageError):
    """A step that has no exact inverse, or one whose rounding errors grow without bound."""

    kind = "NOT_REVERSIBLE"


class InputError(Failure):
    """An input that cannot be read or used (exit 3)."""

    exit_code = 3
    kind = "INPUT"


class OutputError(Failure):
    """An output that exists or cannot be written (exit 4)."""

    exit_code = 4
    kind = "OUTPUT"


class ResourceError(Failure):
    """Out of memory, disk or time (exit 5)."""

    exit_code = 5
    kind = "RESOURCE"


class UntrustedResult(Failure):
    """Finished, but the result is not to be trusted (exit 6)."""

    exit_code = 6
    kind = "UNTRUSTED"


class Diverged(UntrustedResult):
    """A state stopped being finite at step `step`, time `t`; place: the index of its largest entry before, if known."""

    kind = "DIVERGED"

    def __init__(
        self, step: int, t: float, *, where: str = "integrate", cure: str = "", place: tuple[int, ...] | None = None
    ) -> None:
        super().__init__(
            f"the state is no longer finite after step {step}, t={t:g}",
            where=where,
            cure=cure or "take smaller steps, or check the sign of the highest derivative",
        )
        self.step = step
        self.t = t
        self.place = place


class ModelError(Failure):
    """A model file that is missing, damaged or of the wrong kind (exit 7)."""

    exit_code = 7
    kind = "MODEL"
