"""Reports and pictures, set in processes of their own: few at once, the others wait their turn, what was set lately is there at once.

What was set is kept in memory by the hash of all that it was set from, and not for long: words that somebody has deleted stay on no paper.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import orjson

from telstraat_api.errors import ApiError
from telstraat_api.evaluations.evaluator import Evaluator

log = logging.getLogger("telstraat.api")
KEPT_S = 3600.0
KEPT_BYTES = 48 * 2**20
TypesetForm = Literal["pdf", "html", "png"]
MEDIA = {"pdf": "application/pdf", "html": "text/html; charset=utf-8"}
"""What a browser is told of a report, by its form."""


class Typesetter:
    """Sets a thing once, whoever asks for it meanwhile; it goes on when the asker goes away."""

    def __init__(self, evaluator: Evaluator, clock: Callable[[], float] = time.monotonic) -> None:
        self.evaluator = evaluator
        self.clock = clock
        self.known: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self.in_setting: dict[str, asyncio.Task[bytes]] = {}

    async def body(self, form: TypesetForm, content: Any) -> bytes:
        """Return what is set from some content; `EvaluationError` when the typesetter refuses, `BusyError` when too many wait."""
        return await asyncio.shield(self.begin(form, content))

    def begin(self, form: TypesetForm, content: Any) -> asyncio.Future[bytes]:
        """Return what will be set, or is: the same content is set once.

        Parameters
        ----------
        form
            `pdf` and `html` of a `telstraat_analytics.report.content.Content`, `png` of `{"svg": text}`.
        content
            Plain values or dataclasses: what is set depends on nothing else.
        """
        written = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
        key = hashlib.sha256(form.encode() + b" " + written).hexdigest()
        known = self.known.get(key)
        if known is not None and self.clock() - known[0] < KEPT_S:
            self.known.move_to_end(key)
            there: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            there.set_result(known[1])
            return there
        task = self.in_setting.get(key)
        if task is None:
            task = self.in_setting[key] = asyncio.create_task(self._set(key, form, orjson.Fragment(written)))
            task.add_done_callback(noted)
        return task

    async def _set(self, key: str, form: TypesetForm, written: orjson.Fragment) -> bytes:
        try:
            body = await self.evaluator.run(form, written, waits=True)
            self.known[key] = (self.clock(), body)
            self._forget()
            return body
        finally:
            del self.in_setting[key]

    def _forget(self) -> None:
        """Drop what is too old, and the least asked for when it is too much."""
        old = [key for key, (at, _) in self.known.items() if self.clock() - at >= KEPT_S]
        for key in old:
            del self.known[key]
        while sum(len(body) for _, body in self.known.values()) > KEPT_BYTES and len(self.known) > 1:
            self.known.popitem(last=False)


def noted(task: asyncio.Task[bytes]) -> None:
    """Note in the log why something was not set, also when everybody who asked for it has gone."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, ApiError):
        log.error("not set: %s", error)
