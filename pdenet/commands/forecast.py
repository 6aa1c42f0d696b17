"""`pdenet-durr forecast`: what a run found, run forward from a state and held against measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json
from pdenet.commands.options import Bc, Complex, Dims, Dt, Dx, Var


def forecast(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of learn.")],
    data: Annotated[
        list[Path] | None, typer.Argument(help="Data files; the forecast goes on from their last snapshot.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option("--init", help="A file with the state to start from, its first snapshot.")
    ] = None,
    t_end: Annotated[
        float | None, typer.Option("--t-end", help="Time of the last snapshot; the end of --compare by default.")
    ] = None,
    save_every: Annotated[
        float | None, typer.Option("--save-every", help="Time between snapshots; that of --compare or DATA by default.")
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option("--solver", help="equation, network or both; the network of a paper run, else the equation."),
    ] = None,
    ensemble: Annotated[
        int, typer.Option("--ensemble", help="Forecasts with coefficients drawn from their covariance, as 20.")
    ] = 0,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="Relative error of the equation's solver per snapshot.")
    ] = 1e-6,
    compare: Annotated[Path | None, typer.Option("--compare", help="Measurements to compare with.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The .npz or .nc file to write.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="Replace existing files.")] = False,
    var: Var = None,
    dims: Dims = None,
    dt: Dt = None,
    dx: Dx = None,
    bc: Bc = None,
    complex: Complex = None,  # noqa: A002  the option is called so
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Run the found equation, or the network, forward and say how far to trust it."""
    from backbone.device import set_threads
    from pdenet.forecasting.forecast import forecast as run_forecast
    from pdenet.forecasting.output import check_outputs, write_forecast
    from pdenet.forecasting.report import summary, table_lines

    talk = Talk(quiet=quiet)
    if out is not None:
        check_outputs(out, solver=solver, ensemble=ensemble, overwrite=overwrite)
    set_threads(threads)
    found = run_forecast(
        run,
        data or None,
        init=init,
        t_end=t_end,
        save_every=save_every,
        solver=solver,
        ensemble=ensemble,
        compare=compare,
        variables=var,
        dims=dims,
        dt=dt,
        dx=dx,
        boundary=bc,
        complex_parts=complex,
        tolerance=tolerance,
        seed=seed,
        device=device,
        told=talk.progress,
    )
    files = {} if out is None else write_forecast(found, out, overwrite=overwrite)
    for line in (*found.notes, *(f"wrote {path}" for path in files)):
        talk.note(line)
    if json:
        print_json({**summary(found), "files": files})
    else:
        print("\n".join(table_lines(found)))
