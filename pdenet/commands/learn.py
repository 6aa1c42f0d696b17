"""`pdenet-durr learn`: data files in, the discovered equations out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json
from pdenet.commands.options import Bc, Complex, Dims, Dt, Dx, Files, MaskNan, Var

if TYPE_CHECKING:
    from backbone.errors import Failure
    from backbone.runs import RunFolder
    from pdenet.estimator import PDENet
    from pdenet.field_estimator import FieldPDENet
    from pdenet.fields.field import Field

Order = Annotated[
    int | None, typer.Option("--order", min=1, max=4, help="Largest derivative order; the data decide by default.")
]
Degree = Annotated[
    int | None, typer.Option("--degree", min=1, max=4, help="Largest number of factors; the data decide by default.")
]
Fix = Annotated[
    str | None, typer.Option("--fix", help="Known coefficients, as 'u_xx=0.1' or 'u_t: u_xx=0.1; v_t: v_xx=0.2'.")
]
Forbid = Annotated[str | None, typer.Option("--forbid", help="Terms that cannot be, as 'u, u*u_x' or 'u_t: u'.")]
Terms = Annotated[
    str | None, typer.Option("--terms", help="The only candidates, as 'u*u_x, u_xx'; all products by default.")
]
MaxTerms = Annotated[int | None, typer.Option("--max-terms", min=1, help="The most terms that an equation may have.")]
Holdout = Annotated[
    float, typer.Option("--holdout", min=0.0, max=0.9, help="Share of the runs, or of their time, to test on.")
]
Varying = Annotated[
    str | None, typer.Option("--varying", help="Coefficients may vary along these axes, as 'x,y' or 'x,y,t'.")
]
Source = Annotated[str | None, typer.Option("--source", help="Find a source f(u) as a curve, of this variable.")]
Known = Annotated[
    str | None, typer.Option("--known", help="Variables that are inputs without an equation of their own, as 'p,q'.")
]
Recipe = Annotated[str, typer.Option("--recipe", help="default, or paper: PDE-Net 2.0's own training.")]
Blocks = Annotated[int, typer.Option("--blocks", min=1, max=40, help="Last block of the paper recipe.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; runs/learn-N by default.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a finished run folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the stopped paper run in --out.")]


def learn(
    files: Files,
    var: Var = None,
    dims: Dims = None,
    dt: Dt = None,
    dx: Dx = None,
    bc: Bc = None,
    complex: Complex = None,  # noqa: A002  the option is called so
    mask_nan: MaskNan = False,
    order: Order = None,
    degree: Degree = None,
    fix: Fix = None,
    forbid: Forbid = None,
    terms: Terms = None,
    max_terms: MaxTerms = None,
    holdout: Holdout = 0.2,
    varying: Varying = None,
    source: Source = None,
    known: Known = None,
    recipe: Recipe = "default",
    blocks: Blocks = 6,
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
    from backbone.device import resolve_device, set_threads
    from backbone.errors import UsageError
    from backbone.runs import RunFolder
    from pdenet.equations.printing import format_equations
    from pdenet.estimator import PDENet, check_recipe
    from pdenet.field_estimator import FieldPDENet
    from pdenet.readers import read
    from pdenet.report import result_lines, summary, write_report

    talk = Talk(quiet=quiet)
    check_recipe(recipe)
    if resume and out is None:
        raise UsageError("--resume needs the folder of the stopped run", where="--resume", cure="--resume --out DIR")
    resolve_device(device)
    set_threads(threads)
    field = read(
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
    reading = {"var": var, "dims": dims, "dt": dt, "dx": dx, "bc": bc, "complex": complex, "mask_nan": mask_nan}
    if varying or source or known:
        given = {"--fix": fix, "--max-terms": max_terms, "--degree": degree, "--recipe": recipe != "default"}
        _refuse({**given, "--holdout": holdout != 0.2, "--resume": resume})
        fields = FieldPDENet(
            varying=varying,
            source=source,
            known=known,
            order=order,
            terms=terms,
            forbid=forbid,
            seed=seed,
            device=device,
        )
        fields.check(field)
        _learn_fields(fields, field, files, reading, RunFolder.create("learn", out, overwrite), talk, json)
        return
    model = PDENet(
        order=order,
        degree=degree,
        fix=fix,
        forbid=forbid,
        terms=terms,
        max_terms=max_terms,
        holdout=holdout,
        recipe=recipe,
        blocks=blocks,
        seed=seed,
        device=device,
    )
    model.check(field)
    with RunFolder.create("learn", out, overwrite, resume=resume) as run:
        run.write_inputs(dict.fromkeys(files, field.values.shape))
        run.write_settings({"files": [str(path) for path in files], **reading, **model.get_params()})
        doubt = _fit(model, field, run, talk)
        for line in result_lines(model):
            talk.note(line)
        write_report(run, model, field)
    talk.note(f"run: {run.path}")
    if doubt is not None:
        raise doubt
    if json:
        print_json({**summary(model, field), "run": str(run.path)})
    else:
        print(format_equations(model.equations_, "text"))


def _refuse(given: Mapping[str, object]) -> None:
    """UsageError for an option that coefficients which vary have no place for."""
    from backbone.errors import UsageError

    for option, value in given.items():
        if value:
            raise UsageError(
                f"{option} has no place where coefficients vary or a source is a curve",
                where=f"{option}, --varying, --source, --known",
                cure=f"leave out {option}",
            )


def _learn_fields(
    model: FieldPDENet,
    field: Field,
    files: Sequence[Path],
    reading: Mapping[str, str | bool | None],
    folder: RunFolder,
    talk: Talk,
    json: bool,
) -> None:
    """Fit coefficients as fields, tell, and leave a run folder behind."""
    from pdenet.field_report import result_lines, summary, write_report

    with folder as run:
        run.write_inputs(dict.fromkeys(files, field.values.shape))
        run.write_settings({"files": [str(path) for path in files], **reading, **model.get_params()})
        model.fit(field, progress=talk.progress)
        for line in result_lines(model):
            talk.note(line)
        write_report(run, model)
    talk.note(f"run: {run.path}")
    if json:
        print_json({**summary(model), "run": str(run.path)})
    else:
        print(model.equation_)


def _fit(model: PDENet, field: Field, run: RunFolder, talk: Talk) -> Failure | None:
    """Fit; the reason not to trust what was found, if there is one and all that was weighed is worth keeping."""
    from pdenet.discovery.identifiability import CannotTell

    try:
        model.fit(field, progress=talk.progress, checkpoint=run.work)
    except CannotTell as doubt:
        if model.discovery_ is None:
            raise
        return doubt
    return None
