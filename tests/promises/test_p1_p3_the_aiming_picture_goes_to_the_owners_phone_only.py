"""P1, P2, P3: while somebody aims, a picture goes into the owner's connection, and into no file and no other connection.

The set-up process runs under strace: each file that it opens for writing and each piece that it sends is accounted for.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.device.setup.sensors import TOKEN
from tests.promises.test_p1_p2_no_picture_is_stored_or_sent import read_trace, whole_calls

from telstraat_demo.stack.ports import free_port

STRACE = shutil.which("strace")
CALLS = "openat,open,creat,write,pwrite64,writev,pwritev,sendto,sendmsg,sendmmsg,sendfile,copy_file_range,mmap"
SENT = re.compile(r"(?:send\w*|write\w*)\(\d+<TCP:\[127\.0\.0\.1:\d+->127\.0\.0\.1:(\d+)\]>.*= (\d+)$")
PICTURE_MIN = 4_000
FILES = {"code", ".code.new", "setup.json", ".setup.json.new"}
PICTURES = 5


class TracedPhone:
    """A phone with a connection of its own."""

    def __init__(self, port: int) -> None:
        self.home = f"http://127.0.0.1:{port}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.connect()
        self.port = self.connection.sock.getsockname()[1]
        self.cookie = ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        headers = {"Origin": self.home, "Cookie": self.cookie}
        self.connection.request("POST" if form is not None else "GET", path, urlencode(form or {}), headers)
        answer = self.connection.getresponse()
        self.cookie = (answer.getheader("set-cookie") or self.cookie).partition(";")[0]
        return answer.status, answer.read()

    def token(self) -> str:
        match = TOKEN.search(self.ask("/aim")[1].decode())
        assert match
        return match[1]


def aim_traced(folder: Path, plant: str) -> tuple[list[str], int]:
    """Let an owner aim and a stranger try; return what strace saw, and the port of the owner's phone."""
    if STRACE is None:
        pytest.skip("STRACE IS NOT INSTALLED (apt install strace)")
    port, out = free_port(), folder / "trace.txt"
    home = folder / "sensor"
    home.mkdir()
    words = [STRACE, "-f", "-yy", "-qq", "-s", "0", "-e", f"trace={CALLS}", "-o", str(out)]
    program = [sys.executable, "-B", "-m", "tests.promises.traced_setup", str(home), str(port), plant]
    process = subprocess.Popen([*words, *program], stderr=subprocess.PIPE, text=True)
    try:
        owner, stranger = phones_of(process, port)
        assert owner.ask("/enter", {"code": (home / "code").read_text()})[0] == 303
        token = owner.token()
        assert owner.ask("/aim/open", {"token": token})[0] == 200
        seen, end_s = 0, time.monotonic() + 120
        while seen < PICTURES:
            assert time.monotonic() < end_s
            seen += owner.ask("/aim/picture")[0] == 200
            assert stranger.ask("/aim/picture")[0] == 403
        view = '{"rotation": 0, "line": [0.5, 0.1, 0.5, 0.9], "masks": []}'
        assert owner.ask("/aim", {"token": token, "view": view})[0] == 303
        owner.connection.close()
        stranger.connection.close()
    finally:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)  # strace itself takes no signal
        process.communicate(timeout=60)
    return out.read_text(errors="replace").splitlines(), owner.port


def phones_of(process: subprocess.Popen[str], port: int) -> tuple[TracedPhone, TracedPhone]:
    """Return two phones once the pages are there."""
    end_s = time.monotonic() + 120
    while True:
        try:
            return TracedPhone(port), TracedPhone(port)
        except OSError:
            if process.poll() is not None:
                _, errors = process.communicate()
                if "ptrace" in errors:
                    pytest.skip(f"STRACE MAY NOT TRACE HERE: {errors[:200]}")
                raise AssertionError(errors) from None
            assert time.monotonic() < end_s
            time.sleep(0.1)


def betrayals(lines: list[str], owner: int, folder: Path) -> list[str]:
    """Return what breaks the promise: files that are not set-up's own, and pictures to others."""
    trace = read_trace(lines)
    known = {str(folder / "sensor" / name) for name in FILES}
    results = [f"opened {path}" for path in trace.opened | set(trace.written) if path not in known]
    results += [f"{size} bytes into {path}" for path, size in trace.largest.items() if size >= PICTURE_MIN]
    sent = [(int(match[1]), int(match[2])) for line in whole_calls(lines) if (match := SENT.search(line))]
    assert sum(size >= PICTURE_MIN for peer, size in sent if peer == owner) >= PICTURES, "the trace saw the pictures"
    return results + [f"{size} bytes to {peer}" for peer, size in sent if peer != owner and size >= PICTURE_MIN]


def test_a_picture_goes_into_the_owners_connection_and_nowhere_else(tmp_path: Path) -> None:
    lines, owner = aim_traced(tmp_path, "none")
    assert betrayals(lines, owner, tmp_path) == []


def test_a_planted_dump_of_the_aiming_picture_turns_the_test_red(tmp_path: Path) -> None:
    lines, owner = aim_traced(tmp_path, "dump")
    assert any("frame" in betrayal for betrayal in betrayals(lines, owner, tmp_path))


def test_a_piece_that_the_trace_tells_in_two_lines_is_seen_too(tmp_path: Path) -> None:
    """Strace cuts a call in two where another thread's comes between: to a stranger, it would have gone unseen."""
    piece = '7  sendto(5<TCP:[127.0.0.1:80->127.0.0.1:{}]>, ""..., 9000, 0, NULL, 0 <unfinished ...>\n8  mmap(NULL, 8, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7\n7  <... sendto resumed>)  = 9000'
    lines = "\n".join([*[piece.format(50_001)] * PICTURES, piece.format(50_002)]).splitlines()
    assert betrayals(lines, 50_001, tmp_path) == ["9000 bytes to 50002"]
