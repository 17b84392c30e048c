"""What the set-up pages take of a board's memory: `python -m bench.core.setup_pages`.

A set-up process of its own on a free port of this machine: its resident memory after its first page, and after one in each
language. The counting core is in it, for it draws what it tracks over the aiming picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from telstraat_contract.languages import LANGUAGES
from telstraat_demo.stack.ports import free_port

START_S = 60.0
CODE = "7QK2-M0VD-93TX"


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1000


def write_settings(folder: Path, port: int) -> Path:
    """Write the settings of a set-up process that keeps everything in a folder."""
    code = folder / "code"
    code.write_text(f"{CODE}\n")
    code.chmod(0o600)
    names = {"code_file": "code", "progress_file": "progress.json", "state": "state"}
    names |= {"settings_file": "device.toml", "password_file": "password"}
    lines = [f'[page]\nhost = "127.0.0.1"\nport = {port}\n[device]']
    settings = folder / "setup.toml"
    settings.write_text("\n".join([*lines, *(f'{key} = "{folder / name}"' for key, name in names.items()), ""]))
    return settings


def first_page(port: int, language: str) -> None:
    """Ask for the first page in a language."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept-Language": language})
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def main() -> None:
    """Print the two figures."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        words = [sys.executable, "-m", "telstraat_cli", "setup", "--settings", str(write_settings(Path(name), port))]
        process = subprocess.Popen(words, env={**os.environ, "TELSTRAAT_KERNELS": "ahead"}, stderr=subprocess.DEVNULL)
        try:
            end_s = time.monotonic() + START_S
            while True:
                try:
                    first_page(port, "en")
                    break
                except (urllib.error.URLError, ConnectionError):
                    if time.monotonic() > end_s or process.poll() is not None:
                        sys.exit("set-up does not answer; is the counting core compiled (make ahead)?")
                    time.sleep(0.2)
            print(f"after its first page: {resident_mb(process.pid):.0f} MB")
            for language in LANGUAGES:
                first_page(port, language)
            print(f"after a page in each of {len(LANGUAGES)} languages: {resident_mb(process.pid):.0f} MB")
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
