"""The documentation's commands from an empty machine to a migrated database, as they stand there, in a private view of /etc.

Only what would change the machine itself is held back: packages, the environment below /opt, the link to it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parents[2]
NAME = "documented"
"""Stands for `telstraat` as role and database: the tests' server has those already."""
PRIVATE = """
set -euo pipefail
work=$1; commands=$2; python=$3
cp -a /etc "$work/etc"
mount --bind "$work/etc" /etc
rm -rf /etc/telstraat
apt-get() { :; }
python3() { :; }
/opt/telstraat/bin/pip() { :; }
ln() { :; }
runuser() { "$python" -c "$ASK"; }
telstraat() { "$python" -m telstraat_cli "$@"; }
. "$commands"
stat -c '%n %U %a' /etc/telstraat /etc/telstraat/*
telstraat db status
"""
ASK = """
import os, sys, psycopg
with psycopg.connect(os.environ["SUPERUSER"], autocommit=True) as connection:
    for statement in sys.stdin.read().split(";"):
        connection.execute(statement)
"""


def documented_blocks() -> list[str]:
    """Return the blocks of commands below the heading `From nothing`."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return re.findall(r"```\n(.*?)```", text.partition("## From nothing\n")[2].partition("\n## ")[0], re.DOTALL)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("openssl") is None,
    reason="needs root, unshare and openssl: the documented commands were NOT tried",
)
def test_documented_commands_lead_from_nothing_to_a_schema(empty_database: str, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    block = documented_blocks()[0].replace("role telstraat", f"role {NAME}").replace("owner telstraat", f"owner {NAME}")
    block = block.replace("database telstraat", f"database {NAME}").replace("//telstraat:", f"//{NAME}:")
    commands.write_text(block.replace("127.0.0.1/telstraat", f"127.0.0.1/{NAME}"))
    port = str(conninfo_to_dict(empty_database)["port"])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TELSTRAAT_")}
    words = ["unshare", "-m", "--propagation", "private", "bash", "-c", PRIVATE, "-"]
    try:
        done = subprocess.run(
            [*words, str(tmp_path), str(commands), sys.executable],
            cwd=ROOT,
            env=environment | {"SUPERUSER": empty_database, "PGPORT": port, "ASK": ASK},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(f"drop database if exists {NAME} with (force)")
            connection.execute(f"drop role if exists {NAME}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "applied 0001 initial" in done.stdout
    assert "0 segments, 0 sensors, 0 reports" in done.stdout
    for line in ("/etc/telstraat root 755", "/etc/telstraat/api.env root 600", "/etc/telstraat/ingest.env root 600"):
        assert line in done.stdout, done.stdout


@pytest.mark.parametrize("unit", ["telstraat-ingest", "telstraat-api"])
def test_documented_commands_make_every_file_that_a_unit_names(unit: str) -> None:
    text = (ROOT / "deploy" / f"{unit}.service").read_text(encoding="utf-8")
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    first, second = documented_blocks()
    assert f"deploy/{unit}.service" in second
    files = re.findall(r"^(?:EnvironmentFile=|LoadCredential=[^:]+:)(\S+)", text, re.MULTILINE)
    assert files
    for file in files:
        assert re.search(rf"^install .* {re.escape(file)}\b", operations, re.MULTILINE), file
    program = re.search(r"^ExecStart=(\S+)/bin/telstraat ", text, re.MULTILINE)
    assert program
    assert f"python3 -m venv {program[1]}\n" in first
