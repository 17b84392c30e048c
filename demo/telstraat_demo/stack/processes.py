"""Keep a set of services running: started in order, started again when one dies, stopped in reverse, all said in words."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

from telstraat_demo.errors import StackError
from telstraat_demo.stack.child import Child, Program, rotate

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
DEATHS_MAX = 5
DEATHS_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
ROTATE_EVERY_S = 10.0
READY_S = 60.0


class SupervisedService(Protocol):
    """A database, a broker or a program of ours."""

    name: str
    child: Child | None

    @property
    def running(self) -> bool:
        """Whether its process runs."""

    def start(self) -> None:
        """Start it and wait until it is of use, or raise `StackError`."""

    def stop(self) -> None:
        """Ask it to end, then insist."""


class ProgramService:
    """A program as a service; `ready` tells when it is of use, `ends` that it may end by itself."""

    def __init__(self, program: Program, ready: Callable[[], bool] | None = None, *, ends: bool = False) -> None:
        self.name = program.name
        self.program = program
        self.ends = ends
        self.child: Child | None = None
        self._ready = ready or (lambda: True)

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.child is not None and self.child.running

    @property
    def done(self) -> bool:
        """Whether it has come to its end by itself, and well."""
        return self.ends and self.child is not None and self.child.exit_code == 0

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.child = child = Child(self.program)
        end = time.monotonic() + READY_S
        while not self._ready():
            if self.done:
                return
            if not child.running:
                raise StackError(f"{self.name} {child.how_it_ended()}; its last words:\n{child.last_words()}")
            if time.monotonic() > end:
                child.kill()
                raise StackError(
                    f"{self.name} was not ready within {READY_S:g} s; its last words:\n{child.last_words()}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end, then insist."""
        if self.child:
            self.child.stop()


class _Health:
    """How one service has been of late."""

    def __init__(self) -> None:
        self.deaths: deque[float] = deque(maxlen=DEATHS_MAX)
        self.start_at = 0.0
        self.said_dead = False

    def died(self, at: float) -> float:
        """Note a death and return how long to wait before the next start."""
        self.deaths.append(at)
        recent = sum(1 for death in self.deaths if at - death < DEATHS_WITHIN_S)
        pause_s = min(FIRST_PAUSE_S * 2.0 ** (recent - 1), LONGEST_PAUSE_S)
        self.start_at = at + pause_s
        return pause_s

    def hopeless(self, at: float) -> bool:
        """Whether it has died too often to go on."""
        return len(self.deaths) == DEATHS_MAX and at - self.deaths[0] < DEATHS_WITHIN_S


class Supervisor:
    """Watches services from one thread, the one that started them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.services: list[SupervisedService] = []
        self.restarts = 0
        self._tell = tell
        self._health: dict[str, _Health] = {}
        self._rotate_at = 0.0

    def start(self, service: SupervisedService) -> None:
        """Start one more and look after it from now on, also when it does not start: `stop` then clears up."""
        self.services.append(service)
        self._health[service.name] = _Health()
        service.start()

    def look(self) -> None:
        """Start again what has died; raise `StackError` when one dies again and again."""
        now = time.monotonic()
        for service in self.services:
            self._look_after(service, now)
        if now >= self._rotate_at:
            self._rotate_at = now + ROTATE_EVERY_S
            for service in self.services:
                if service.child:
                    rotate(service.child.program.log)

    def watch(self, until: Callable[[], bool]) -> None:
        """Look after the services until `until` says so."""
        while not until():
            self.look()
            time.sleep(LOOK_EVERY_S)

    def stop(self) -> None:
        """Stop all, the last started first; an impatient second Ctrl-C ends them at once."""
        try:
            for service in reversed(self.services):
                service.stop()
        except KeyboardInterrupt:
            for service in reversed(self.services):
                if service.child:
                    service.child.kill()
            raise

    def _look_after(self, service: SupervisedService, now: float) -> None:
        if service.running or (isinstance(service, ProgramService) and service.done):
            return
        health = self._health[service.name]
        if not health.said_dead:
            health.said_dead = True
            pause_s = health.died(now)
            how = service.child.how_it_ended() if service.child else "is gone"
            if health.hopeless(now):
                words = service.child.last_words() if service.child else ""
                raise StackError(f"{service.name} {how}, {DEATHS_MAX} times in a short while; its last words:\n{words}")
            self._tell(f"{service.name} {how}; it starts again in {pause_s:g} s")
        if now < health.start_at:
            return
        health.said_dead = False
        self.restarts += 1
        try:
            service.start()
        except StackError as error:
            self._tell(f"{service.name} did not start: {error}")
            return
        self._tell(f"{service.name} is back")


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this program as Ctrl-C does, in order; SIGINT too where a shell's `&` has it ignored."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
