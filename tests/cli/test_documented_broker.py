"""The documentation's commands for the broker, as they stand there, against the distribution's untouched configuration.

They run in a private view of /etc and /var, so that this machine's stay as they are; the broker in a network of its own.
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

from telstraat_store import places

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = Path("/etc/mosquitto/mosquitto.conf")
PRIVATE = """
set -euo pipefail
work=$1; commands=$2; python=$3
cp -a /etc "$work/etc"
mount --bind "$work/etc" /etc
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755 tmpfs /var/log
mount -t tmpfs -o mode=0755 tmpfs /var/lib/mosquitto
mkdir -m 740 /run/mosquitto /var/log/mosquitto
chown mosquitto /var/lib/mosquitto /var/log/mosquitto /run/mosquitto
mkdir -p /etc/letsencrypt/live/broker.example.org
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=broker.example.org -out /etc/letsencrypt/live/broker.example.org/fullchain.pem \\
    -keyout /etc/letsencrypt/live/broker.example.org/privkey.pem 2>"$work/openssl"
chmod 0600 /etc/letsencrypt/live/broker.example.org/privkey.pem
telstraat() { "$python" -m telstraat_cli "$@"; }
apt-get() { test -x /usr/sbin/mosquitto; }
systemctl() { unshare -n bash -c 'ip link set lo up; exec "$@"' - "$python" -c "$TALK" "$work"; }
. "$commands"
stat -c '%n %U %a' /etc/mosquitto/telstraat /etc/mosquitto/telstraat/* /etc/telstraat/ingest.password
"""
TALK = """
import socket, ssl, subprocess, sys, time
from pathlib import Path
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", "/etc/mosquitto/mosquitto.conf"])
try:
    for _ in range(100):
        if broker.poll() is not None:
            sys.exit(f"the broker ended with {broker.returncode}: " + Path("/var/log/mosquitto/mosquitto.log").read_text())
        try:
            socket.create_connection(("127.0.0.1", 1883), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    for name, code in (("telstraat_ingest", 0), ("nobody", 5)):
        answers = []
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(name, Path("/etc/telstraat/ingest.password").read_text().strip())
        client.on_connect = lambda c, u, f, reason, p: answers.append(str(reason))
        client.connect("127.0.0.1", 1883)
        end = time.monotonic() + 20
        while not answers and time.monotonic() < end:
            client.loop(0.1)
        print(name, answers)
        client.disconnect()
    context = ssl.create_default_context(cafile="/etc/mosquitto/telstraat/fullchain.pem")
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 8883), 5)) as secure:
        print("tls", secure.version())
    print("runs as", Path(f"/proc/{broker.pid}").owner())
finally:
    broker.terminate()
    broker.wait()
"""


def documented_commands() -> str:
    """Return the block of commands below the heading of the broker."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return re.search(r"## The broker\n.*?```\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]


@pytest.mark.skipif(
    os.geteuid() != 0 or not DEBIAN.is_file() or shutil.which("unshare") is None,
    reason="needs root, unshare and Debian's Mosquitto: the documented commands were NOT tried",
)
def test_documented_commands_start_the_broker_of_the_distribution(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "elm-1")
    commands = tmp_path / "commands"
    commands.write_text(documented_commands())
    before = DEBIAN.read_bytes()
    done = subprocess.run(
        [
            "unshare",
            "-m",
            "--propagation",
            "private",
            "bash",
            "-c",
            PRIVATE,
            "-",
            str(tmp_path),
            str(commands),
            sys.executable,
        ],
        cwd=ROOT,
        env=os.environ | {"TELSTRAAT_DSN": database, "TALK": TALK},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "telstraat_ingest ['Success']" in done.stdout
    assert "nobody ['Not authorized']" in done.stdout
    assert "tls TLSv1.3" in done.stdout
    assert "runs as mosquitto" in done.stdout
    assert DEBIAN.read_bytes() == before
    for line in (
        "/etc/mosquitto/telstraat mosquitto 700",
        "/etc/mosquitto/telstraat/passwords mosquitto 600",
        "/etc/mosquitto/telstraat/acl mosquitto 600",
        "/etc/mosquitto/telstraat/privkey.pem mosquitto 600",
        "/etc/mosquitto/telstraat/ingest.password root 600",
        "/etc/telstraat/ingest.password root 600",
    ):
        assert line in done.stdout, done.stdout
