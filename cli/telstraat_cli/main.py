"""The command `telstraat`: finds the subcommand, says how it is got where it is not installed, and imports its part last."""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from telstraat_cli.errors import CliError
from telstraat_contract.errors import SettingsError


@dataclass(frozen=True)
class Command:
    """One subcommand: what it does, which extra brings its libraries, and one of them, by which its presence is told."""

    summary: str
    extra: str
    library: str
    package: str = "telstraat_cli"

    @property
    def is_installed(self) -> bool:
        """Whether what it needs is installed here; nothing is imported to find out."""
        return importlib.util.find_spec(self.library) is not None

    @property
    def install(self) -> str:
        """What brings it."""
        return f"pip install 'telstraat[{self.extra}]'"


def _of_the_demo(summary: str) -> Command:
    return Command(summary, "demo", "telstraat_demo", "telstraat_demo")


COMMANDS = {
    "demo": _of_the_demo(
        "the whole line on this computer: a simulated street, counted, sent, stored and shown in the browser"
    ),
    "count": Command(
        "count a video file, a camera or an RTSP address, and print what crossed the line", "device,video", "numpy"
    ),
    "device": Command("the service behind the window: count, keep and send quarters of an hour", "device", "paho"),
    "setup": Command("pages for a phone that set up a sensor, and show how it is", "device", "uvicorn"),
    "sensor": Command(
        "add, list, move or retire sensors, with their own passwords for the broker", "server", "psycopg"
    ),
    "release": Command("lay a version ready for devices, which the town's server hands out", "server", "fastapi"),
    "segments": Command("import street segments from OpenStreetMap or GeoJSON", "server", "psycopg"),
    "ingest": Command("receive the sensors' reports and write them to the database", "server", "psycopg"),
    "api": Command("serve the API and the pages", "server", "fastapi"),
    "work": Command("compute what people wait for: evaluations and other jobs", "server", "procrastinate"),
    "account": Command("let people in, and make keys for their programs", "server", "psycopg"),
    "db": Command("the database: migrate, status, backup, restore, import, export", "server", "psycopg"),
    "evaluate": Command(
        "before and after a measure: what changed, with its interval and its doubts", "server", "statsmodels"
    ),
    "follow": Command(
        "a measure that lives on: what each week shows, and letters when that changes", "server", "statsmodels"
    ),
    "describe": Command(
        "how streets are used: the typical week, who passes, how fast, rush hours, streets beside each other",
        "server",
        "statsmodels",
    ),
    "plan": Command("how long and on how many streets to count to see a wanted effect", "server", "statsmodels"),
    "sim": _of_the_demo("streets and fleets that do not exist, with known truth"),
}
"""In the order of the help; two come with a distribution of their own, telstraat-demo, which no town and no Pi needs."""
INTERRUPTED = 130
QUOTED = re.compile(r'".*"')
LOOKS_LIKE_OPTION = re.compile(r"-\.?\d.*,.*")
"""A list of numbers that begins below zero."""


def parser_for(name: str) -> argparse.ArgumentParser:
    """Return the parser of one subcommand; imports its module."""
    module = importlib.import_module(module_of(name))
    parser = argparse.ArgumentParser(
        prog=f"telstraat {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser


def usage() -> str:
    """Return the help of the command itself."""
    width = max(map(len, COMMANDS))
    here = {name: command for name, command in COMMANDS.items() if command.is_installed}
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in here.items()]
    absent: dict[str, list[str]] = {}
    for name in COMMANDS.keys() - here.keys():
        absent.setdefault(COMMANDS[name].install, []).append(name)
    if absent:
        lines += ["", "Not installed here:"]
        lines += [f"  {', '.join(sorted(names))}: {install}" for install, names in sorted(absent.items())]
    return "\n".join(
        [
            "usage: telstraat COMMAND [options]",
            "",
            "Count the street: citizen traffic counting, from the camera to the evaluation.",
            "",
            *lines,
            "",
            "telstraat COMMAND --help tells more; telstraat --version tells the version.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code: 0 done, 1 found wanting, 2 a mistake of the user's, 130 stopped."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    name, *rest = words
    if name == "--version":
        print(f"telstraat {version('telstraat')}")
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see telstraat --help"
        print(f"telstraat: there is no command {name!r}; {hint}", file=sys.stderr)
        return 2
    if any("\0" in word for word in rest):
        print(f"telstraat {name}: a word of the command holds a NUL byte; leave it out", file=sys.stderr)
        return 2
    if COMMANDS[name].package != "telstraat_cli" and not COMMANDS[name].is_installed:
        print(
            f"telstraat {name}: the command is not installed here; it comes with: {COMMANDS[name].install}",
            file=sys.stderr,
        )
        return 2
    try:
        parser = parser_for(name)
        args = parser.parse_args(with_values(rest))
        code = args.run(args) if hasattr(args, "run") else importlib.import_module(module_of(name)).run(args)
        return int(code)
    except (CliError, SettingsError, OSError, UnicodeError, OverflowError) as error:
        print(f"telstraat {name}: {in_words(error)}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("telstraat_"):
            raise
        print(f"telstraat {name}: {missing_extra(name, error.name or '')}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if not is_of_database(error):
            raise
        print(f"telstraat {name}: {in_words(error)}", file=sys.stderr)
        return 2


def with_values(words: Sequence[str]) -> list[str]:
    """Return the words with values west and south of zero joined to their options: argparse takes `-0.2,51` for an option."""
    out: list[str] = []
    for word in words:
        if (
            out
            and out[-1].startswith("--")
            and "=" not in out[-1]
            and out[-1] != "--"
            and LOOKS_LIKE_OPTION.fullmatch(word)
        ):
            out[-1] = f"{out[-1]}={word}"
        else:
            out.append(word)
    return out


def is_of_database(error: Exception) -> bool:
    """Tell an error of the database's driver; nothing is imported that the command has not imported."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.Error)


def in_words(error: Exception) -> str:
    """Return an error in one line that says what is wrong with what."""
    if isinstance(error, CliError | SettingsError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if is_of_database(error):
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        psycopg, is_of_client = sys.modules["psycopg"], getattr(error, "sqlstate", None) is None
        if is_of_client and isinstance(error, psycopg.ProgrammingError):
            # libpq quotes the part that it does not understand, or all of it: often a password with a space or a slash.
            return f"the database's address (dsn) cannot be used: {QUOTED.sub('…', first)}"
        is_away = is_of_client and isinstance(error, psycopg.OperationalError)
        return f"the database {'does not answer' if is_away else 'refuses this'}: {first}"
    return f"cannot be read: {error}"


def module_of(name: str) -> str:
    """Return the module that implements a subcommand."""
    return f"{COMMANDS[name].package}.commands.{name}"


def missing_extra(name: str, module: str) -> str:
    """Say what brings the library that a subcommand lacks."""
    install = "pip install 'telstraat[video]'" if module == "cv2" else COMMANDS[name].install
    return f"the library {module!r} is not installed here; it comes with: {install}"
