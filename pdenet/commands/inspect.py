"""`pdenet-durr inspect`: what is in data files, what speaks against learning from them, and the line to run."""

from __future__ import annotations

import sys

from backbone.commands.shell import Config, Debug, Json, Quiet, Talk, print_json
from pdenet.commands.options import Bc, Complex, Dims, Dt, Dx, Files, MaskNan, Var


def inspect(
    files: Files,
    var: Var = None,
    dims: Dims = None,
    dt: Dt = None,
    dx: Dx = None,
    bc: Bc = None,
    complex: Complex = None,  # noqa: A002  the option is called so
    mask_nan: MaskNan = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> int:
    """Look at data before learning: axes, steps, ranges, noise, boundaries, resolution, and the learn line to run."""
    from pdenet.inspection.inspection import inspect_files
    from pdenet.inspection.report import report_lines

    talk = Talk(quiet=quiet)
    found = inspect_files(
        files,
        variables=var,
        dims=dims,
        dt=dt,
        dx=dx,
        boundary=bc,
        complex_parts=complex,
        mask_nan=mask_nan,
        note=talk.note,
    )
    if json:
        print_json(found.as_dict())
    else:
        print("\n".join(report_lines(found)))
    for problem in found.problems:
        print(problem, file=sys.stderr)
    return found.problems[0].exit_code if found.problems else 0
