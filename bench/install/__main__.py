"""Install a device in fresh Debian roots from a town's server that runs here, and print every command with its seconds.

  sudo python -m bench.install                    bookworm and trixie; needs root, debootstrap and a Debian mirror
  sudo python -m bench.install trixie --keep-root FOLDER

The release is made from this project by pip and `telstraat release`; the API serves it from a database of its own. In the
root: the install line as the documentation has it, twice; the command; its man page and units; then --uninstall, and what is left.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.harness.databases import Databases, quick_cluster

from telstraat_api.service import server_for
from telstraat_api.settings import ApiSettings

ROOT = Path(__file__).parents[2]
NO_SERVICES = "#!/bin/sh\nexit 101\n"
LEFT = (
    "find / -xdev -not -path '/proc/*' -not -path '/var/lib/apt/*' -not -path '/var/cache/apt/*' -iname '*telstraat*'; "
    "grep -H telstraat /etc/passwd /etc/group || true"
)


@contextlib.contextmanager
def town(releases: Path, folder: Path) -> Iterator[str]:
    """Serve the API with these releases and yield its address."""
    cluster = quick_cluster(folder / "database")
    cluster.start()
    try:
        settings = ApiSettings(dsn=Databases(cluster).migrated(), device_releases=releases, jobs_at_once=0)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = server_for(settings)
            thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join(60)
    finally:
        cluster.stop()


class Timed:
    """Runs commands and prints each as a row."""

    def __init__(self, suite: str) -> None:
        self.suite = suite

    def run(self, label: str, *words: str) -> str:
        """Run a command to its end; one that fails ends the whole."""
        begin = time.monotonic()
        process = subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        seconds = time.monotonic() - begin
        print(f"| {self.suite} | `{label}` | {seconds:.0f} s |", flush=True)
        if process.returncode:
            print(process.stdout[-2000:], process.stderr[-4000:], sep="\n", file=sys.stderr)
            raise SystemExit(f"{label} ended with {process.returncode}")
        return process.stdout + process.stderr


def prepared(suite: str, root: Path, timed: Timed) -> None:
    """Make a root of a suite, where there is none."""
    if not (root / "usr").exists():
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates,curl", suite, str(root)]
        timed.run(f"debootstrap {suite}", *command)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
    (root / "etc/resolv.conf").write_text(Path("/etc/resolv.conf").read_text())


def installed(suite: str, root: Path, address: str) -> None:
    """Go through everything in one root."""
    timed = Timed(suite)
    prepared(suite, root, timed)
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    try:
        line = f"curl -fsS {address}/device/install.sh | sh"
        for label in ("curl -fsS https://town.example/device/install.sh | sh", "the same line again"):
            print(timed.run(label, "chroot", str(root), "sh", "-c", line), file=sys.stderr)
        within = ("chroot", str(root), "sh", "-c")
        timed.run("telstraat --version", *within, "telstraat --version")
        timed.run("man -w telstraat", *within, "man -w telstraat")
        timed.run("telstraat device --print-settings", *within, "telstraat device --print-settings")
        timed.run("telstraat setup --print-settings", *within, "telstraat setup --print-settings")
        timed.run(
            "the compiled core loads",
            *within,
            "TELSTRAAT_KERNELS=ahead /opt/telstraat/current/bin/python -c 'import numpy; print(numpy.__version__); "
            "import telstraat_device.counting.counter'",
        )
        timed.run("install.sh --uninstall --erase", *within, f"{line} -s -- --uninstall --erase")
        left = timed.run("what is left", *within, LEFT)
        print(f"| {suite} | left behind | {left.strip() or 'nothing'} |", flush=True)
    finally:
        subprocess.run(["umount", str(root / "proc")], check=True)


def main() -> None:
    """Make a release, serve it, install it."""
    parser = argparse.ArgumentParser(prog="python -m bench.install", description=__doc__)
    parser.add_argument("suites", nargs="*", default=["bookworm", "trixie"])
    parser.add_argument("--keep-root", type=Path, metavar="FOLDER", help="make the roots there and leave them")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        subprocess.run(
            [sys.executable, "-m", "telstraat_device.native.precompile", "--all"], check=True, stdout=sys.stderr
        )
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
        subprocess.run(pip, check=True)
        wheel = next(folder.glob("telstraat-*.whl"))
        release = [sys.executable, "-m", "telstraat_cli", "release", str(folder / "releases"), str(wheel)]
        subprocess.run([*release, "--constraints", str(ROOT / "constraints.txt")], check=True, stdout=sys.stderr)
        with town(folder / "releases", folder) as address:
            print("| root | command | took |\n| --- | --- | --- |")
            for suite in args.suites:
                installed(suite, (args.keep_root or folder) / f"root-{suite}", address)


if __name__ == "__main__":
    main()
