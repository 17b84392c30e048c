from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telstraat_demo.errors import StackError
from telstraat_demo.stack.child import Child, Program, rotate
from telstraat_demo.stack.processes import DEATHS_MAX, ProgramService, Supervisor

SLEEPER = (sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(600)",
)
OWNER = """
import sys, time
from pathlib import Path
from telstraat_demo.stack.child import Child, Program
child = Child(Program(name="deaf", argv=sys.argv[2:], log=Path(sys.argv[1])))
while "awake" not in child.last_words():
    time.sleep(0.01)
print(child.pid, flush=True)
time.sleep(600)
"""


def service(folder: Path, name: str, argv: tuple[str, ...] = SLEEPER, *, ends: bool = False) -> ProgramService:
    program = Program(name=name, argv=argv, log=folder / f"{name}.log", stop_s=0.5)
    created = ProgramService(program, ends=ends)
    created._ready = lambda: created.child is not None and "awake" in created.child.last_words()
    return created


def wait_for(done: object, wait_s: float = 20.0) -> None:
    assert callable(done)
    end = time.monotonic() + wait_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_program_that_was_killed_is_said_and_started_again(tmp_path: Path) -> None:
    texts: list[str] = []
    sleeper = service(tmp_path, "sleeper")
    supervisor = Supervisor(texts.append)
    supervisor.start(sleeper)
    assert sleeper.child is not None
    first = sleeper.child.pid
    os.kill(first, signal.SIGKILL)
    sleeper.child.process.wait(10)
    supervisor.watch(lambda: supervisor.restarts == 1)
    assert sleeper.running
    assert sleeper.child.pid != first
    assert texts == ["sleeper was ended by SIGKILL; it starts again in 0.5 s", "sleeper is back"]
    supervisor.stop()


def test_a_program_that_dies_again_and_again_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telstraat_demo.stack.processes.FIRST_PAUSE_S", 0.01)
    dying = service(tmp_path, "dying", (sys.executable, "-c", "print('awake: no such street'); raise SystemExit(3)"))
    dying._ready = lambda: True
    supervisor = Supervisor(lambda _text: None)
    supervisor.start(dying)
    with pytest.raises(StackError, match=rf"dying ended with exit code 3, {DEATHS_MAX} times(.|\n)*no such street"):
        supervisor.watch(lambda: False)
    supervisor.stop()


def test_a_program_that_may_end_is_not_started_again(tmp_path: Path) -> None:
    finite = service(tmp_path, "finite", (sys.executable, "-c", "print('awake')"), ends=True)
    supervisor = Supervisor(pytest.fail)
    supervisor.start(finite)
    wait_for(lambda: finite.done)
    supervisor.look()
    assert supervisor.restarts == 0
    supervisor.stop()


def test_the_last_started_is_stopped_first(tmp_path: Path) -> None:
    order: list[str] = []

    class Told(ProgramService):
        def stop(self) -> None:
            order.append(self.name)
            super().stop()

    services = [Told(Program(name=name, argv=SLEEPER, log=tmp_path / name)) for name in ("one", "two", "three")]
    supervisor = Supervisor(pytest.fail)
    for each in services:
        supervisor.start(each)
    supervisor.stop()
    assert order == ["three", "two", "one"]
    assert not any(each.running for each in services)


def test_one_that_does_not_start_says_why_and_the_others_can_be_stopped(tmp_path: Path) -> None:
    good = service(tmp_path, "good")
    bad = service(tmp_path, "bad", (sys.executable, "-c", "raise SystemExit('the port is taken')"))
    supervisor = Supervisor(pytest.fail)
    supervisor.start(good)
    with pytest.raises(StackError, match=r"bad ended with exit code 1(.|\n)*the port is taken"):
        supervisor.start(bad)
    supervisor.stop()
    assert not good.running


def test_a_program_that_does_not_listen_is_ended_all_the_same(tmp_path: Path) -> None:
    deaf = service(tmp_path, "deaf", DEAF)
    deaf.start()
    deaf.stop()
    assert deaf.child is not None
    assert deaf.child.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("watcher", ["", "1"], ids=["by the kernel", "by a watcher"])
def test_a_child_dies_with_an_owner_that_was_killed(tmp_path: Path, watcher: str) -> None:
    words = [sys.executable, "-c", OWNER, str(tmp_path / "log"), *DEAF]
    env = {**os.environ, "TELSTRAAT_LAUNCH_WATCH": watcher}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        family = [pid, *children_of(pid)]
        owner.kill()
        owner.wait()
    wait_for(lambda: not any(Path(f"/proc/{each}").exists() for each in family))


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_long_log_is_put_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "street.log"
    with log.open("ab") as writer:
        writer.write(b"old" * 100)
        writer.flush()
        rotate(log, max_bytes=200)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "street.log.1").read_bytes() == b"old" * 100


def test_last_words_are_those_of_this_run(tmp_path: Path) -> None:
    program = Program(name="said", argv=(sys.executable, "-c", "print('once')"), log=tmp_path / "log")
    for _ in range(2):
        child = Child(program)
        child.process.wait(10)
    assert child.last_words() == "once"
    assert (tmp_path / "log").read_text() == "once\nonce\n"


def test_what_names_real_services_does_not_reach_a_program_of_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TELSTRAAT_DEVICE_BROKER_HOST", "TELSTRAAT_DSN_FILE", "TELSTRAAT_API_DSN", "TELSTRAAT_API_TILES"):
        monkeypatch.setenv(name, "real")
    code = "import os; print(sorted(n for n in os.environ if n.startswith('TELSTRAAT_')), 'awake', flush=True)"
    program = Program(
        name="told", argv=(sys.executable, "-c", code), log=tmp_path / "log", env={"TELSTRAAT_DSN": "ours"}
    )
    child = Child(program)
    child.process.wait(10)
    assert "['TELSTRAAT_API_TILES', 'TELSTRAAT_DSN']" in child.last_words()
