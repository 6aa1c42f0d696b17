"""`pdenet-durr simulate`: data of a catalogue equation or of a typed one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json
from pdenet.simulation.catalogue import CATALOGUE

NAMES = ", ".join(CATALOGUE)


def simulate(
    equation: Annotated[str, typer.Argument(help=f'A typed equation, "u_t = -u*u_x + 0.1*u_xx", or one of: {NAMES}.')],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .npz or .nc file to write.")],
    grid: Annotated[str | None, typer.Option("--grid", help="Points along x, y, z, as 64x32; or one for all.")] = None,
    length: Annotated[str | None, typer.Option("--length", help="Box along x, y, z, as 2pi or 20x10.")] = None,
    runs: Annotated[int | None, typer.Option("--runs", min=1, help="Independent runs.")] = None,
    t_end: Annotated[float | None, typer.Option("--t-end", help="Time of the last snapshot; the first is 0.")] = None,
    save_every: Annotated[float | None, typer.Option("--save-every", help="Time between snapshots.")] = None,
    burn_in: Annotated[float | None, typer.Option("--burn-in", help="Time passed before the first snapshot.")] = None,
    init: Annotated[
        str | None,
        typer.Option("--init", help="random:modes=4,amplitude=2,offset=2; sine; solitons; spiral."),
    ] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="A constant of the equation, as nu=0.1.")] = None,
    noise: Annotated[float, typer.Option("--noise", min=0, help="Noise as a share: 0.01 is 1 %.")] = 0.0,
    noise_def: Annotated[
        str, typer.Option("--noise-def", help="Share of the std of each run's first snapshot (sample) or of all (set).")
    ] = "sample",
    tolerance: Annotated[float, typer.Option("--tolerance", help="Relative error in time per snapshot.")] = 1e-8,
    precision: Annotated[str, typer.Option("--precision", help="float64 or float32.")] = "float64",
    overwrite: Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="Replace an existing file.")] = False,
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Simulate a PDE on a periodic box and write its fields; defaults come from the catalogue."""
    import hashlib

    from backbone.device import set_threads
    from pdenet.simulation.experiment import run_plan
    from pdenet.simulation.plan import make_plan
    from pdenet.simulation.report import recipe, summary, summary_lines
    from pdenet.simulation.sizes import parse_parameters
    from pdenet.writers import check_output, write_field

    talk = Talk(quiet=quiet)
    check_output(out, overwrite=overwrite)
    set_threads(threads)
    plan = make_plan(
        equation,
        grid=grid,
        length=length,
        runs=runs,
        t_end=t_end,
        save_every=save_every,
        noise=noise,
        noise_def=noise_def,
        seed=seed,
        init=init,
        params=parse_parameters(param or []),
        burn_in=burn_in,
        tolerance=tolerance,
        device=device,
        dtype=precision,
    )
    simulation = run_plan(plan, talk.progress)
    content = write_field(simulation.field, out, recipe=recipe(plan), overwrite=overwrite)
    sha256 = hashlib.sha256(content).hexdigest()
    for line in (*summary_lines(simulation), f"wrote {out}", f"sha256 {sha256}"):
        talk.note(line)
    if json:
        print_json({**summary(simulation), "file": str(out), "sha256": sha256})
