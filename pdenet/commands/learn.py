"""`pdenet-durr learn`: data files in, the discovered equations out."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json
from backbone.errors import UsageError
from backbone.options import spelt_out
from backbone.runs import demand_folder
from pdenet.commands.options import Bc, Complex, Dims, Dt, Dx, Files, MaskNan, Var, command_option
from pdenet.discovery.options import EquationOptions, FieldOptions, LearnOptions

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; runs/learn-N by default.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a finished run folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the stopped paper run in --out.")]


@partial(spelt_out, annotate=command_option)
def learn(
    files: Files,
    var: Var = None,
    dims: Dims = None,
    dt: Dt = None,
    dx: Dx = None,
    bc: Bc = None,
    complex: Complex = None,  # noqa: A002  the option is called so
    mask_nan: MaskNan = False,
    *,
    equation: EquationOptions,
    coefficients: FieldOptions,
    out: Out = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Discover the PDE behind simulation or measured data and print it."""
    from backbone.data_parallel import demand_alone
    from backbone.device import resolve_device, set_threads
    from backbone.runs import RunFolder
    from pdenet.discovery.identifiability import CannotTell
    from pdenet.readers.options import ReadOptions
    from pdenet.readers.several import read_all, shapes_by_file

    demand_alone("learn")
    talk = Talk(quiet=quiet)
    _check_together(equation, coefficients, resume, out)
    model, report = _estimator(equation, coefficients)
    resolve_device(device)
    set_threads(threads)
    words = {"dims": dims, "dt": dt, "dx": dx, "mask_nan": mask_nan}
    options = ReadOptions.checked(variables=var, boundary=bc, complex_parts=complex, **words)
    grids = read_all(files, options, memory=equation.memory, note=talk.note)
    settings = {"files": [str(path) for path in files], "var": var, "bc": bc, "complex": complex, **words}
    model.check(*grids)
    doubt = None
    with RunFolder.create("learn", out, overwrite, resume=resume) as run:
        run.write_inputs(shapes_by_file(files, grids))
        run.write_settings({**settings, **model.get_params()})
        # only the paper's recipe can be stopped and gone on with
        fit = partial(model.fit, checkpoint=run.work) if equation.recipe == "paper" else model.fit
        try:
            fit(grids if len(grids) > 1 else grids[0], progress=talk.progress)
        except CannotTell as error:
            if model.discovery_ is None:
                raise
            doubt = error
        for line in report.result_lines(model, grids[0]):
            talk.note(line)
        report.write_report(run, model, grids[0])
    talk.note(f"run: {run.path}")
    if doubt is not None:
        raise doubt
    if json:
        print_json({**report.summary(model, grids[0]), "run": str(run.path)})
    else:
        print(model.equation_)


def _estimator(equation: EquationOptions, coefficients: FieldOptions) -> tuple[LearnOptions, ModuleType]:
    """PDENet or FieldPDENet, and the module that reports on it."""
    from pdenet import field_report, report
    from pdenet.estimator import PDENet, check_recipe
    from pdenet.field_estimator import FieldPDENet

    check_recipe(equation.recipe)
    if coefficients.wanted:
        return FieldPDENet(**coefficients.get_params()), field_report
    return PDENet(**equation.get_params()), report


def _check_together(equation: EquationOptions, coefficients: FieldOptions, resume: bool, out: Path | None) -> None:
    """UsageError for options that do not go together."""
    demand_folder(out, resume=resume)
    if not coefficients.wanted:
        return
    known = {entry.name for entry in fields(coefficients)}
    given = [f.name for f in fields(equation) if f.name not in known and getattr(equation, f.name) != f.default]
    for name in [*given, *(["resume"] if resume else [])]:
        option = f"--{name.replace('_', '-')}"
        raise UsageError(
            f"{option} has no place where coefficients vary or a source is a curve",
            where=f"{option}, --varying, --source",
            cure=f"leave out {option}",
        )
