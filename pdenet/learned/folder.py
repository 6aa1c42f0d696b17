"""Is this the folder of a finished run of `learn`? Whatever else it is, is told with the nearest thing that works."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from backbone.errors import InputError, ModelError
from backbone.runs import VERSIONS
from pdenet.learned.record import FILE

LEARN = "pdenet-durr learn DATA -o RUN"
RESTORERS = {"denoiser": "denoise", "JPEG restorer": "dejpeg"}  # commands that use a model, by the kind of its file


def demand_run(run: Path) -> None:
    """Raise InputError if there is nothing of this name, ModelError if it is no run folder."""
    if run.is_file():
        raise ModelError(f"'{run}' is a file, not the folder of a run", where=str(run), cure=LEARN)
    if not run.exists():
        raise _unfinished_work(run) if _work(run).is_dir() else _missing(run)
    if not ((run / FILE).exists() or (run / VERSIONS).exists()):
        raise ModelError(f"'{run}' is not the folder of a run", where=str(run), cure=LEARN)


def no_equations(run: Path) -> ModelError:
    """The complaint about the finished run of another command."""
    file, model = _model_inside(run)
    command = next((command for kind, command in RESTORERS.items() if kind in model), None)
    return ModelError(
        f"'{run}' is no run of learn: {model}",
        where=str(run),
        cure=LEARN if command is None else f"pdenet-durr {command} IMAGE --weights {file}",
    )


def _model_inside(run: Path) -> tuple[Path, str]:
    """A model that the folder holds instead of equations, with its kind in words."""
    from backbone.checkpoint import load_state

    for file in sorted(run.glob("*.safetensors")):
        try:
            load_state(file, kind="equation")
        except ModelError as error:
            return file, f"{file.name}: {error.what}"
    return run, f"it has no {FILE}"


def _work(run: Path) -> Path:
    """The name a run has while it is written."""
    return run.with_name(f".{run.name}.partial")


def _unfinished_work(run: Path) -> InputError:
    return InputError(
        f"the run '{run}' has not finished: it is still being written, or was killed",
        where=str(_work(run)),
        cure=f"wait for it, or go on: pdenet-durr learn DATA --recipe paper --resume -o {run}",
    )


def _missing(run: Path) -> InputError:
    runs = sorted(_runs(run.parent)) if run.parent.is_dir() else []
    near = get_close_matches(run.name, runs, n=1, cutoff=0.5)
    told = f"Runs in this folder: {', '.join(runs) or 'none'}." if run.parent.is_dir() else "Its folder is not there."
    return InputError(
        f"cannot find the run '{run}'. {told}" + (f" Did you mean {near[0]}?" if near else ""),
        where="RUN",
        cure=f"pdenet-durr equation {run.parent / near[0]}" if near else LEARN,
    )


def _runs(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if (entry / FILE).is_file()]
