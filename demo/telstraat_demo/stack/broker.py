"""The embedded broker: Mosquitto when it is installed, else amqtt; a child process on loopback that knows nobody unnamed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import time
from importlib import resources
from pathlib import Path
from string import Template
from typing import Literal

from telstraat_demo.errors import StackError
from telstraat_demo.stack.child import Child, Program
from telstraat_demo.stack.ports import LOOPBACK, answers, free_port, is_free
from telstraat_ingest.broker_following import wait_for_handler

Kind = Literal["mosquitto", "amqtt"]
MOSQUITTO_VARIABLE = "TELSTRAAT_MOSQUITTO"
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
START_S = 30.0
TRIES = 5


def mosquitto_program() -> str | None:
    """Return the Mosquitto that is installed here; the environment may name another, or none with an empty name."""
    named = os.environ.get(MOSQUITTO_VARIABLE)
    if named is not None:
        return named or None
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS]))


def kind_here() -> Kind:
    """Return which broker can be started here."""
    if mosquitto_program():
        return "mosquitto"
    if importlib.util.find_spec("amqtt"):
        return "amqtt"
    raise StackError(
        "no broker to start: install Mosquitto (apt install mosquitto, brew install mosquitto), or amqtt with "
        "pip install 'telstraat[all]', or give the address of a running one"
    )


class Broker:
    """One broker with its files below `folder`; `access` holds the `passwords` and `acl` of ingest's broker access."""

    name = "broker"

    def __init__(self, folder: Path, *, access: Path, kind: Kind | None = None, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.password_file = access.resolve() / "passwords"
        self.acl_file = access.resolve() / "acl"
        self.kind: Kind = kind or kind_here()
        self.log = self.folder / "log" / "broker.log"
        self.port = port or 0
        self.child: Child | None = None
        self.pid_file = self.folder / "mosquitto" / "mosquitto.pid"
        self._fixed_port = port
        self._port_file = self.folder / "broker.port"

    @property
    def host(self) -> str:
        """The address it listens on."""
        return LOOPBACK

    @property
    def url(self) -> str:
        """Its address for clients; each brings its own name and password."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the broker's process runs."""
        return self.child is not None and self.child.running

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        for _ in range(TRIES):
            self.port = self._choose_port()
            self.child = child = Child(self._program())
            if self._answers(child):
                return
            words, is_deaf = child.last_words(), child.running
            child.kill()
            if is_deaf:  # it had its time; a start that ended may have lost its port to another program
                break
        raise StackError(f"the broker ({self.kind}) {child.how_it_ended()}; its last words ({self.log}):\n{words}")

    def reload(self) -> None:
        """Let it read accounts and permissions again; amqtt does so by itself.

        A Mosquitto that was started this moment would die of the signal: it is sent when there is somebody to hear it.
        """
        if self.kind != "mosquitto":
            return
        if self.child and self.running and wait_for_handler(self.child.pid, signal.SIGHUP, START_S):
            self.child.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Stop it, so that it saves what it has."""
        if self.child:
            self.child.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self.child:
            self.child.kill()

    def _choose_port(self) -> int:
        if self._fixed_port:
            if not is_free(self._fixed_port):
                raise StackError(f"port {self._fixed_port} of {LOOPBACK} is taken: choose another for the broker")
            return self._fixed_port
        earlier = self._port_file.read_text().strip() if self._port_file.exists() else ""
        if earlier.isdigit() and is_free(int(earlier)):
            return int(earlier)
        port = free_port()
        self._port_file.write_text(f"{port}\n")
        return port

    def _program(self) -> Program:
        if self.kind == "amqtt":
            module = "telstraat_demo.stack.amqtt_broker"
            words = [sys.executable, "-m", module, str(self.port), str(self.password_file)]
        else:
            words = [mosquitto_program() or "mosquitto", "-c", str(self._write_config())]
        return Program(name=self.name, argv=words, log=self.log, orphan_signal=signal.SIGTERM)

    def _write_config(self) -> Path:
        state = self.folder / "mosquitto"
        state.mkdir(exist_ok=True, mode=0o700)
        template = resources.files("telstraat_demo") / "stack" / "mosquitto.conf"
        text = Template(template.read_text()).substitute(
            host=self.host,
            port=self.port,
            password_file=self.password_file,
            acl_file=self.acl_file,
            folder=state,
            # Started by root, it would change to an account of its own: one that cannot read these files, and the
            # kernel would forget to end it with its owner.
            user="user root" if os.geteuid() == 0 else "",
        )
        path = state / "mosquitto.conf"
        path.write_text(text)
        return path

    def _answers(self, child: Child) -> bool:
        end = time.monotonic() + START_S
        while child.running and time.monotonic() < end:
            if answers(self.port):
                return True
            time.sleep(0.02)
        return False
