"""What goes wrong when in a chaos run: a schedule from a seed, and the history of what was really done.

The schedule knows names and verbs only. Whoever owns the processes and the links carries it out and writes down, for each
operation, whether it was done, failed or is unknown; the verdict is about the table, never about the absence of errors.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

Verb = Literal["kill", "pause", "restart", "cut", "refuse", "blackhole", "delay", "throttle"]
Outcome = Literal["ok", "failed", "unknown"]

PROCESS_VERBS: Final[tuple[Verb, ...]] = ("kill", "kill", "pause", "restart")
LINK_VERBS: Final[tuple[Verb, ...]] = ("cut", "cut", "refuse", "blackhole", "delay", "throttle")
"""How often each comes: a kill twice as often as a pause. Garbled bytes are not among them: over TCP they are the network's
lie that its checksums (and TLS) exist for, and no count could be told from a forged one."""
SHORTEST_S, LONGEST_S = 0.3, 5.0
"""How long something stays down, paused or bad."""
QUIET_START_S, QUIET_END_S = 2.0, 1.0
BETWEEN_S = 1.2
"""Mean time from one operation to the next."""
DELAY_S, THROTTLE_BYTES_A_S = (0.02, 0.5), (2_000, 50_000)


@dataclass(frozen=True)
class Operation:
    """One thing that goes wrong, from `at_s` for `for_s` seconds of the run."""

    at_s: float
    verb: Verb
    target: str
    for_s: float = 0.0
    amount: float = 0.0
    """Seconds of delay, or bytes a second of a throttle."""

    @property
    def until_s(self) -> float:
        """When it is over."""
        return self.at_s + self.for_s


def schedule_of(seed: int, seconds: float, processes: Sequence[str], links: Sequence[str]) -> list[Operation]:
    """Return what goes wrong in a run of so many seconds; nothing is hurt twice at the same time, everything at least once."""
    dice = random.Random(f"chaos {seed}")
    free_at = dict.fromkeys((*processes, *links), QUIET_START_S)
    untouched = [*processes, *links]
    dice.shuffle(untouched)
    operations: list[Operation] = []
    at_s = QUIET_START_S
    while at_s < seconds - QUIET_END_S:
        ready = [name for name in free_at if free_at[name] <= at_s]
        if ready:
            due = [name for name in untouched if name in ready]
            target = due[0] if due else dice.choice(ready)
            if due:
                untouched.remove(target)
            operation = _operation(dice, at_s, target, seconds, link=target in links)
            operations.append(operation)
            free_at[target] = operation.until_s + BETWEEN_S
        at_s += dice.expovariate(1.0 / BETWEEN_S)
    return operations


def _operation(dice: random.Random, at_s: float, target: str, seconds: float, *, link: bool) -> Operation:
    verb = dice.choice(LINK_VERBS if link else PROCESS_VERBS)
    for_s = 0.0 if verb == "cut" else min(dice.uniform(SHORTEST_S, LONGEST_S), max(SHORTEST_S, seconds - at_s))
    amount = (
        dice.uniform(*DELAY_S) if verb == "delay" else dice.uniform(*THROTTLE_BYTES_A_S) if verb == "throttle" else 0.0
    )
    return Operation(round(at_s, 3), verb, target, round(for_s, 3), round(amount, 3))


@dataclass(frozen=True)
class Entry:
    """One line of a history."""

    at_s: float
    what: str
    target: str
    outcome: Outcome
    detail: str = ""


class History:
    """What was done and what was found, with seconds of the run, to be replayed and read."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.entries: list[Entry] = []
        self._began_s = time.monotonic()

    @property
    def now_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began_s

    def begin(self) -> None:
        """Let the run begin now."""
        self._began_s = time.monotonic()

    def note(self, what: str, target: str, outcome: Outcome = "ok", detail: str = "") -> None:
        """Write down one thing."""
        self.entries.append(Entry(round(self.now_s, 3), what, target, outcome, detail))

    def of(self, outcome: Outcome) -> list[Entry]:
        """Return the entries with an outcome."""
        return [entry for entry in self.entries if entry.outcome == outcome]

    def save(self, path: Path, about: dict[str, object]) -> None:
        """Save as JSON lines: what the run was, then each entry."""
        lines = [{"seed": self.seed, **about}, *(asdict(entry) for entry in self.entries)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line, default=str) + "\n" for line in lines), encoding="utf-8")
