"""An inspection as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pdenet.inspection.inspection import FileInspection, Inspection


def report_lines(found: FileInspection) -> Iterator[str]:
    """The lines of an inspection: a table of the axes and one of the variables, or of the arrays where no field
    could be made of them; last the command that learns from the data, if it can."""
    if found.field is None:
        rows = [(entry.source, entry.name, "x".join(map(str, entry.shape)), entry.dtype) for entry in found.arrays]
        yield from _table(("file", "array", "shape", "type"), rows)
    else:
        yield from _field_lines(found.field)
    if not found.problems:
        yield f"to learn: {found.learn}"


def _field_lines(field: Inspection) -> Iterator[str]:
    yield f"{field.source}: {field.runs} run{'' if field.runs == 1 else 's'}"
    rows = [
        (
            axis.name,
            str(axis.points),
            f"{axis.start:g}",
            f"{axis.step:g}",
            axis.boundary or "-",
            _share(axis.at_grid_limit),
        )
        for axis in field.axes
    ]
    yield from _table(("axis", "points", "from", "step", "boundary", "at grid limit"), rows)
    columns = ("variable", "least", "largest", "std", "noise", "noise/std", "change per step", "NaN or Inf")
    yield from _table(
        columns,
        [
            (
                entry.name,
                f"{entry.minimum:.4g}",
                f"{entry.maximum:.4g}",
                f"{entry.std:.4g}",
                "-" if entry.noise is None else f"{entry.noise:.2g}",
                _share(entry.relative(entry.noise)),
                _share(entry.relative(entry.change_per_step)),
                str(entry.holes),
            )
            for entry in field.variables
        ],
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2g} %"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with columns of equal width, two blanks between them."""
    widths = [max(len(row[k]) for row in (columns, *rows)) for k in range(len(columns))]
    for row in (columns, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
