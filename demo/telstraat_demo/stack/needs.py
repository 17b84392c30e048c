"""What the stack needs on this computer, looked for before anything takes time: all that is missing is said at once."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, requires

from telstraat_cli.errors import CliError
from telstraat_demo.errors import StackError
from telstraat_demo.stack.account import unprivileged_account
from telstraat_demo.stack.broker import Kind, kind_here, mosquitto_program
from telstraat_demo.stack.postgres import pg_tree

CONNECT_S = 5
STACK_EXTRAS = ("device", "server", "jit")
INSTALL = "pip install 'telstraat[all]'"


def check_needs(
    what: str, *, dsn: str | None = None, broker: str | None = None, kind: Kind | None = None, video: bool = False
) -> None:
    """Raise `CliError` with everything that is missing to start `what`, each with what brings it.

    `dsn` and `broker` are addresses that stand in for the embedded ones; the database's is tried.
    """
    absent = absent_libraries(STACK_EXTRAS)
    if video and importlib.util.find_spec("cv2") is None:  # OpenCV has several distributions
        absent.append("opencv-python-headless")
    lines = [f"libraries ({', '.join(absent)}): {INSTALL}"] if absent else []
    if dsn is None:
        lines += _complaint(pg_tree) + _complaint(unprivileged_account)
    elif "psycopg" not in absent:
        lines += _unreachable(dsn)
    if broker is None:
        lines += _no_mosquitto() if kind == "mosquitto" else [] if kind == "amqtt" else _complaint(kind_here)
        if kind == "amqtt" and absent_distributions(["amqtt"]):
            lines.append(f"the broker amqtt: {INSTALL}")
    if lines:
        raise CliError(f"{what} cannot start, this is missing:\n" + "\n".join(f"  - {line}" for line in lines))


def absent_libraries(extras: Sequence[str]) -> list[str]:
    """Return the distributions of these extras that are not installed, in alphabetical order."""
    names = set()
    for requirement in requires("telstraat") or []:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if name and extra and extra[1] in extras and name[0] != "telstraat":
            names.add(name[0])
    return absent_distributions(sorted(names, key=str.lower))


def absent_distributions(names: list[str]) -> list[str]:
    """Return those that are not installed."""
    absent = []
    for name in names:
        try:
            distribution(name)
        except PackageNotFoundError:
            absent.append(name)
    return absent


def _complaint(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except StackError as error:
        return [str(error)]
    return []


def _no_mosquitto() -> list[str]:
    return [] if mosquitto_program() else ["the broker Mosquitto: apt install mosquitto, or brew install mosquitto"]


def _unreachable(dsn: str) -> list[str]:
    import psycopg

    try:
        psycopg.connect(dsn, connect_timeout=CONNECT_S).close()
    except psycopg.Error as error:
        return [f"the database given does not answer: {' '.join(str(error).split())}"]
    return []
