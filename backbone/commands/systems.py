"""`pdenet-durr backbone list | show | check | landscape`: the networks of the backbone and what defines them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from backbone.commands import shell
from backbone.commands.bench import bench_backbone
from backbone.commands.shell import Config, Debug, Json, Quiet, Talk, print_json
from backbone.commands.train import backbone_train
from backbone.errors import OutputError, UntrustedResult, UsageError

PICTURES = (".png", ".svg", ".pdf")

Name = Annotated[str, typer.Argument(help="A name that `backbone list` tells.")]


def backbone_list(json: Json = False, debug: Debug = False) -> int:
    """List the networks of the backbone: name, file and equation."""
    from backbone.checks.systems import SYSTEMS

    if json:
        print_json(
            {
                "systems": [
                    {"name": name, "file": f"backbone/nets/{s.file}", "equation": s.equation}
                    for name, s in SYSTEMS.items()
                ]
            }
        )
        return 0
    widths = [max(map(len, words)) for words in (SYSTEMS, [entry.file for entry in SYSTEMS.values()])]
    for name, entry in SYSTEMS.items():
        print(f"{name:<{widths[0]}}  {entry.file:<{widths[1]}}  {entry.equation}")
    return 0


def backbone_show(
    name: Name,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Samples in a batch.")] = 8,
    json: Json = False,
    debug: Debug = False,
    config: Config = None,
) -> int:
    """Show a network: equation, scheme, parameters, evaluations, memory of its gradient; stability of a small one."""
    from backbone.checks.net import look, stability_of
    from backbone.checks.systems import system

    entry = system(name)
    seen, deep = (look(entry.build(size, batch)) for size in ("ordinary", "deep"))
    stability = stability_of(entry.build("small", 2))
    facts = {
        "equation": entry.equation,
        "file": f"backbone/nets/{entry.file}",
        "scheme": ", ".join(seen.schemes),
        "gradient": ", ".join(seen.gradients),
        "parameters": seen.parameters,
        "evaluations": seen.n_evals,
        "batch": batch,
        "bytes_kept_besides_weights": seen.kept,
        "bytes_kept_twice_as_deep": deep.kept,
        "largest_real_part_of_an_eigenvalue": stability.real_part,
        "largest_step_times_eigenvalue": stability.step_radius,
        "growth_of_a_perturbation": stability.growth,
    }
    if json:
        print_json({"system": name, **facts})
        return 0
    print(name)
    for key, value in facts.items():
        number = f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else value
        print(f"  {key.replace('_', ' ')}: {number}")
    return 0


def checking(rooms: Sequence[Callable[[], Any]]) -> Callable[..., int]:
    """The command `backbone check`, which also checks what the rooms have."""

    def backbone_check(
        name: Annotated[str | None, typer.Argument(help="A network's name, schemes, or what --all names.")] = None,
        everything: Annotated[bool, typer.Option("--all", help="Check everything; a minute or more.")] = False,
        page_file: Annotated[
            Path | None, typer.Option("--page", help="Also write what was measured as a page of Markdown.")
        ] = None,
        json: Json = False,
        quiet: Quiet = False,
        debug: Debug = False,
        config: Config = None,
    ) -> int:
        """Check systems: orders, gradients, stability, reversibility, memory, each against its bounds."""
        if (name is None) != everything:
            raise UsageError(
                "name one system, or all of them", where="backbone check", cure="pdenet-durr backbone check --all"
            )
        from backbone.checks.report import checkables, one, run_checks

        known = checkables(rooms)
        outcomes = run_checks(known if name is None else one(known, name), tell=Talk(quiet=quiet).progress)
        return _told(outcomes, page_file, json=json)

    return backbone_check


def _told(outcomes: Sequence[Any], page_file: Path | None, *, json: bool) -> int:
    """Print what was measured, and write its page; the exit code."""
    from backbone.atomic import write_atomic
    from backbone.checks.report import lines, page

    if json:
        print_json({"passed": all(o.passed for o in outcomes), "systems": [o.as_dict() for o in outcomes]})
    else:
        print("\n".join(line for outcome in outcomes for line in lines(outcome)))
    if page_file is not None:
        write_atomic(page_file, page(outcomes).encode())
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    if not failed:
        return 0
    problem = UntrustedResult(
        f"outside its bounds: {', '.join(failed)}",
        where="backbone check",
        cure=f"pdenet-durr backbone check {failed[0]}",
    )
    print(problem, file=sys.stderr)
    return problem.exit_code


def backbone_landscape(
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write, as PNG, SVG or PDF.")] = Path(
        "landscape.png"
    ),
    points: Annotated[int, typer.Option("--points", min=3, max=401, help="Weights along each side.")] = 81,
    debug: Debug = False,
) -> int:
    """Draw the loss of a deep network over its two weights, beside the growth of its layer."""
    from backbone.landscape import landscape, square
    from backbone.plots import landscape_picture

    if out.suffix not in PICTURES:
        raise UsageError(f"cannot draw {out.name}", where=f"--out {out}", cure="--out landscape.png")
    if not out.parent.is_dir():
        raise OutputError(f"there is no folder {out.parent}", where=f"--out {out}", cure=f"mkdir -p '{out.parent}'")
    landscape_picture(landscape(square(points)), out)
    print(out)
    return 0


def register(app: typer.Typer, rooms: Sequence[Callable[[], Any]] = ()) -> None:
    """Add this room's commands to the application. rooms: each tells what else there is to check, when it is asked."""
    commands: dict[str, Callable[..., Any]] = {
        "backbone list": backbone_list,
        "backbone show": backbone_show,
        "backbone check": checking(rooms),
        "backbone landscape": backbone_landscape,
        "backbone train": backbone_train,
        "bench backbone": bench_backbone,
    }
    shell.register(app, commands)
