"""P1, P2: no image ever reaches storage, and none ever leaves the device.

The real device counts a simulated street under strace. Every file that it opens for writing, every byte that it writes or
sends is accounted for. A planted dump of frames turns each check red.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from tests.device.wires import device_settings, server_of
from tests.harness.brokers import TestBroker
from tests.promises.traced_device import HEIGHT, WIDTH

from telstraat_contract.messages import Report, decode, encode
from telstraat_contract.topics import parse_topic
from telstraat_device.delivery.outbox_file import FILE, RESERVE_FILE
from telstraat_device.delivery.progress import FILE as PROGRESS_FILE

STRACE = shutil.which("strace")
CALLS = "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,copy_file_range,mmap"
FRAMES = 1000
FRAME_BYTES = WIDTH * HEIGHT
WRITE_MAX_BYTES = FRAME_BYTES // 4
TOTAL_MAX_BYTES = 2_000_000  # a fortieth of what the frames hold
PAYLOAD_MAX_BYTES = 2_000
STATE_FILES = (FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal", RESERVE_FILE, PROGRESS_FILE)
TEXT_MAX = 4_000  # the longest that the outbox holds is the state with its open quarters
HARMLESS = re.compile(r"^(/dev/(null|tty|pts/|shm/|urandom)|/proc/|pipe:|anon_inode:)")

LINE = re.compile(r"^\d+\s+(\w+)\((.*)$")
BEGUN = re.compile(r"^(\d+)\s+(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$")


@dataclass
class Trace:
    """What a traced process wrote, and where."""

    opened: set[str] = field(default_factory=set)
    written: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    largest_sent: int = 0

    def betrayals(self, folder: Path) -> list[str]:
        """Return what breaks the promise."""
        known = {str(folder / name) for name in STATE_FILES}
        results = [f"opened {path} for writing" for path in self.opened if path not in known]
        results += [f"wrote into {path}" for path in self.written if path not in known]
        for path, largest in self.largest.items():
            if largest >= WRITE_MAX_BYTES:
                results.append(f"{largest} bytes in one piece into {path}")
        total = sum(self.written.values())
        if total > TOTAL_MAX_BYTES:
            results.append(f"{total} bytes written in all")
        if self.largest_sent >= WRITE_MAX_BYTES:
            results.append(f"{self.largest_sent} bytes sent in one piece")
        return results


def whole_calls(lines: list[str]) -> Iterator[str]:
    """Join calls of one thread that others' calls have cut in two: the name of the file stands in the first part."""
    begun: dict[str, str] = {}
    for line in lines:
        if match := BEGUN.match(line):
            begun[match[1]] = match[0].removesuffix(" <unfinished ...>")
        elif match := RESUMED.match(line):
            yield begun.pop(match[1], f"{match[1]} ") + match[2]
        else:
            yield line
    yield from begun.values()


def read_trace(lines: list[str]) -> Trace:
    """Read what strace -f -y has written."""
    trace = Trace()
    for line in whole_calls(lines):
        results = LINE.match(line)
        if not results:
            continue
        call, rest = results[1], results[2]
        result = re.search(r"= (-?\d+)", rest)
        done = int(result[1]) if result else 0
        if call in ("openat", "open", "creat"):
            path = re.search(r'"([^"]*)"', rest)
            # A nameless file that is opened and closed is how the compiler asks whether its cache can be written.
            if (
                path
                and done >= 0
                and "O_TMPFILE" not in rest
                and re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest)
                and not HARMLESS.match(path[1])
            ):
                trace.opened.add(path[1])
        elif call.startswith("send"):
            trace.sent += max(0, done)
            trace.largest_sent = max(trace.largest_sent, done)
        elif "write" in call or call == "copy_file_range":
            target = re.match(r"\d+<([^>]*)>", rest)
            name = target[1] if target else "?"
            if name.startswith(("socket:", "TCP")):
                trace.sent += max(0, done)
                trace.largest_sent = max(trace.largest_sent, done)
            elif not HARMLESS.match(name):
                trace.written[name] = trace.written.get(name, 0) + max(0, done)
                trace.largest[name] = max(trace.largest.get(name, 0), done)
        elif call == "mmap" and "MAP_SHARED" in rest and "PROT_WRITE" in rest:
            target = re.search(r"\d+<([^>]*)>", rest)
            if target and not HARMLESS.match(target[1]) and not target[1].endswith("-shm"):
                trace.opened.add(f"{target[1]} (shared memory)")
    return trace


def traced(folder: Path, port: int, frames: int, plant: str) -> Trace:
    """Let a device count so many frames and return what it wrote."""
    settings = device_settings(folder, "traced", port, send={"flush_s": 1, "health_s": 0.5})
    file = folder / "device.toml"
    file.write_text("\n".join(toml_lines(msgspec.to_builtins(settings))))
    out = folder / "trace.txt"
    words = [STRACE or "strace", "-f", "-y", "-qq", "-s", "0", "-e", f"trace={CALLS}", "-o", str(out)]
    device = [sys.executable, "-B", "-m", "tests.promises.traced_device", str(file), str(frames), plant]
    done = subprocess.run([*words, *device], capture_output=True, text=True, timeout=300, check=False)
    if "ptrace" in done.stderr:
        pytest.skip(f"STRACE MAY NOT TRACE HERE: {done.stderr[:200]}")
    assert done.returncode in (0, 1), done.stderr
    return read_trace(out.read_text(errors="replace").splitlines())


def toml_lines(values: dict[str, dict[str, object]]) -> list[str]:
    """Return settings as a file."""
    lines = []
    for section, keys in values.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in keys.items() if value is not None]
    return lines


@pytest.fixture(scope="module", autouse=True)
def warm_kernels(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the same frames compile what they need once: the compiler's cache is no part of what is promised."""
    if STRACE is None:
        pytest.skip("STRACE IS NOT INSTALLED (apt install strace)")
    folder = tmp_path_factory.mktemp("warm")
    settings = device_settings(folder, "traced", 1, send={"flush_s": 0})
    file = folder / "device.toml"
    file.write_text("\n".join(toml_lines(msgspec.to_builtins(settings))))
    device = [sys.executable, "-m", "tests.promises.traced_device", str(file), str(FRAMES), "none"]
    subprocess.run(device, capture_output=True, check=False, timeout=300)


def test_a_thousand_frames_leave_no_picture_in_files_and_none_on_the_wire(
    mosquitto: TestBroker, tmp_path: Path
) -> None:
    with server_of(mosquitto, "traced") as server:
        trace = traced(tmp_path, mosquitto.port, FRAMES, "none")
        server.listen(lambda: any(isinstance(message, Report) for message in server.heard))
        payloads = [(message.topic, bytes(message.payload)) for message in list(server.client.received.queue)]
    assert trace.betrayals(tmp_path / "state") == []
    assert trace.opened, "the trace saw the outbox being opened"
    assert 0 < sum(trace.written.values()) < TOTAL_MAX_BYTES
    assert 0 < trace.sent < 200_000
    assert trace.largest_sent < WRITE_MAX_BYTES
    assert unfit_for_counts(tmp_path / "state" / FILE) == []
    for message in server.heard:
        assert len(encode(message)) <= PAYLOAD_MAX_BYTES
    for topic, payload in payloads:
        assert len(payload) <= PAYLOAD_MAX_BYTES
        assert decode(parse_topic(topic).channel, payload)


def unfit_for_counts(outbox: Path) -> list[str]:
    """Return what the outbox holds that is neither a number nor a short text: a picture is one or the other."""
    results = []
    with contextlib.closing(sqlite3.connect(outbox)) as db:
        tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in db.execute(f"select * from {table}"):
                results += [table for value in row if isinstance(value, bytes) or len(str(value)) > TEXT_MAX]
    return results


def test_a_write_that_other_threads_cut_in_two_is_charged_to_its_file() -> None:
    trace = read_trace([
        '7 openat(AT_FDCWD, "/state/frame", O_WRONLY|O_CREAT, 0600 <unfinished ...>',
        "7 <... openat resumed>)             = 5</state/frame>",
        '8 pwrite64(5</state/frame>, ""..., 4096, 0 <unfinished ...>',
        '9 sendto(6<socket:[1]>, ""..., 20, 0, NULL, 0) = 20',
        "8 <... pwrite64 resumed>)           = 4096",
    ])  # fmt: skip
    assert trace.opened == {"/state/frame"}
    assert (trace.written, trace.largest, trace.sent) == ({"/state/frame": 4096}, {"/state/frame": 4096}, 20)


def test_a_picture_in_the_outbox_would_be_found(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.executescript("create table fine (a, b); insert into fine values (7, 'a report'), (null, 1.5)")
        assert unfit_for_counts(tmp_path / FILE) == []
        db.execute("create table kept (luma)")
        db.execute("insert into kept values (?)", (b"\x10" * 4800,))
        db.execute("insert into kept values (?)", ("10" * 4800,))
        db.commit()
    assert unfit_for_counts(tmp_path / FILE) == ["kept", "kept"]


@pytest.mark.parametrize(
    ("plant", "message"),
    [
        ("dump", "in one piece"),
        ("thumbnail", "opened"),
        pytest.param("pieces", "written in all", marks=pytest.mark.slow),
        pytest.param("elsewhere", "opened", marks=pytest.mark.slow),
        pytest.param("sent", "sent in one piece", marks=pytest.mark.slow),
    ],
)
def test_a_planted_dump_of_frames_turns_the_test_red(
    mosquitto: TestBroker, tmp_path: Path, plant: str, message: str
) -> None:
    mosquitto.let_in("traced")
    trace = traced(tmp_path, mosquitto.port, FRAMES if plant == "pieces" else 60, plant)
    assert any(message in betrayal for betrayal in trace.betrayals(tmp_path / "state")), trace
