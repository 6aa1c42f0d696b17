"""What every command shares: the three-line errors, the exit codes, one JSON document, options and talk."""

from __future__ import annotations

import json
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from backbone.errors import Failure, OutputError, ResourceError, UsageError

NAME = "pdenet-durr"
DEVICES = "auto, cpu, cuda or cuda:N"
GROUPS = {
    "backbone": "The networks of the backbone and the checks that define them.",
    "bench": "Measure this program beside its peers.",
    "train": "Train a model on your own data.",
}

Seed = Annotated[int, typer.Option("--seed", help="Seed of every random choice.")]
Device = Annotated[str, typer.Option("--device", help=f"Where to compute: {DEVICES}.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0 leaves the choice to torch.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def _read_config(context: Any, value: Path | None) -> Path | None:
    """Fill the command's defaults from a TOML file; an unknown key is an error, an option given wins.

    context: of the command line. Typer tells it by its place and exports no name of its class.
    """
    if value is None or context.resilient_parsing:
        return value
    try:
        settings = tomllib.loads(value.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"cannot read the settings: {error}", where=f"--config {value}", cure="write key = value lines"
        ) from error
    known = {parameter.name for parameter in context.command.params if parameter.name}
    for key in settings:
        if key.replace("-", "_") not in known:
            raise UsageError(
                f"'{key}' is not an option of {context.info_name}",
                where=f"--config {value}",
                cure=f"use some of: {', '.join(sorted(known - {'config', 'debug'}))}",
            )
    context.default_map = {key.replace("-", "_"): entry for key, entry in settings.items()}
    return value


Config = Annotated[
    Path | None,
    typer.Option("--config", help="Take options from a TOML file.", is_eager=True, callback=_read_config),
]


class Talk:
    """Talk for people on stderr: notes at once, progress in place on a terminal and every 10 s elsewhere."""

    def __init__(self, *, quiet: bool = False, every_s: float = 10.0) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet
        self._every_s = 0.2 if self.live else every_s
        self._last = time.monotonic()
        self._open_line = False

    def note(self, text: str) -> None:
        """One line for the reader."""
        if self.quiet:
            return
        self._close_line()
        print(text, file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        """The state of long work; most calls print nothing."""
        now = time.monotonic()
        if self.quiet or now - self._last < self._every_s:
            return
        self._last = now
        if self.live:
            print(f"\r\x1b[2K{text[:110]}", end="", file=sys.stderr, flush=True)
            self._open_line = True
        else:
            print(text, file=sys.stderr, flush=True)

    def _close_line(self) -> None:
        if self._open_line:
            print(file=sys.stderr)
            self._open_line = False


def print_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of `--json`."""
    print(json.dumps(document, indent=2, allow_nan=False))


def _tell_version(asked: bool) -> bool:
    """Print name and version, and leave."""
    if asked:
        from backbone.versions import installed_version

        print(NAME, installed_version(NAME))
        raise typer.Exit
    return asked


def _application(
    *, version: Annotated[bool, typer.Option("--version", help="Name and version.", callback=_tell_version)] = False
) -> None:
    """Options of the application itself; they are answered before any command."""


def new_app() -> typer.Typer:
    """The empty application; the rooms register their commands in it."""
    return typer.Typer(
        name=NAME,
        help="Learn PDEs from data and restore images: deep networks as controlled differential equations.",
        callback=_application,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run(app: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run the application and give its exit code; expected failures are told in three lines, never a traceback."""
    words = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(app)
    try:
        answer = command.main(args=words, prog_name=NAME, standalone_mode=False)
    except Failure as failure:
        return _tell(failure, words)
    except typer.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except typer.TyperException as wrong:
        return _tell(_wrong_usage(wrong), words)
    except MemoryError as error:
        return _tell(_out_of_memory(error), words)
    except BrokenPipeError:
        return 0
    except Exception as error:
        return _unexpected(error, words)
    return answer if isinstance(answer, int) else 0


def _tell(failure: Failure, words: list[str]) -> int:
    if "--debug" in words:
        traceback.print_exception(failure)
    if "--json" in words:
        print_json({"error": failure.as_dict()})
    print(failure, file=sys.stderr)
    return failure.exit_code


def _wrong_usage(wrong: typer.TyperException) -> UsageError:
    """The parser's complaint; in a group like `bench` the cure is its list of commands, elsewhere the help."""
    context = getattr(wrong, "ctx", None)  # only errors of usage know where they happened
    path = NAME if context is None else context.command_path
    cure = f"{path} --help"
    if context is not None and context.parent and isinstance(context.command, typer.core.TyperGroup):
        cure = " or ".join(f"{path} {name}" for name in sorted(context.command.commands))
    return UsageError(wrong.format_message(), where=path, cure=cure)


def _interrupted() -> int:
    print("stopped by the user", file=sys.stderr)
    return 130


def _out_of_memory(error: BaseException) -> ResourceError:
    return ResourceError(f"out of memory: {error}", where="memory", cure="use fewer runs or a coarser grid")


def _unexpected(error: Exception, words: list[str]) -> int:
    """Our bug (70), unless the system says that the disk or the memory has run out."""
    if "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower():
        return _tell(_out_of_memory(error), words)
    if isinstance(error, OSError):
        where = str(error.filename or "file system")
        return _tell(OutputError(f"{error.strerror or error}", where=where, cure="choose another path"), words)
    if "--debug" in words:
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    failure = Failure(
        f"this is our mistake: {type(error).__name__}: {error}",
        where=f"{Path(last.filename).name}:{last.lineno}",
        cure="run again with --debug and report what it prints",
    )
    return _tell(failure, words)


def register(app: typer.Typer, commands: Mapping[str, Callable[..., Any]]) -> None:
    """Add commands to the application under their names; "bench pde" is the command pde of the group bench."""
    for name, command in commands.items():
        *group, word = name.split()
        parent = _group(app, group[0]) if group else app
        parent.command(word)(command)


def _group(app: typer.Typer, name: str) -> typer.Typer:
    """The group of this name, made at its first command: every room adds its own to it."""
    for made in app.registered_groups:
        if made.name == name and made.typer_instance is not None:
            return made.typer_instance
    group = typer.Typer(help=GROUPS[name], rich_markup_mode=None)
    app.add_typer(group, name=name)
    return group
