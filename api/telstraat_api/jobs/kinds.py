"""The kinds of jobs, THE list: what each computes, in a process of its own, and how its answer is kept.

To defer work to a worker, instead of letting a reader wait for it:

1. A function that computes, anywhere in the API; it runs in a process of its own, may take minutes and all of a core, and is ended
   when it takes too long or too much memory, or when somebody cancels it. What it raises as `JobRefusedError`, `AnalysisError` or
   `TelstraatStoreError` is shown to who waits, word for word::

       def month(run: JobRun) -> dict[str, Any]:
           with psycopg.connect(run.dsn) as connection:
               run.report(0.1, gettext_noop("Reading the counts"))
               ...
           return {"pdf": ...}                      # as JSON

2. If the answer belongs into a table of its own: a coroutine that keeps it, called by the worker inside the very transaction that ends
   the job, so that there is never one without the other, nor two. What it returns is the job's `result`::

       async def keep_month(connection: AsyncConnection[Any], job: Row, answer: Any) -> dict[str, Any]:
           number = await add_month(connection, job["account_id"], answer)
           return {"month_id": number, "links": {"self": f"/api/v1/months/{number}"}}

3. A row in `KINDS`: `"month": JobKind("telstraat_api.months.computing:month", keep="telstraat_api.months.keeping:keep_month")`.

4. Wherever it is wanted, in a request or in a transaction of another change::

       from telstraat_store.jobs.deferred import NewJob, defer
       job, is_new = await defer(connection, NewJob("month", {"segment": 7, "month": "2026-03"}, account_id=reader.account_id,
                                                    key="month/7/2026-03"))
       # 202, Location: /api/v1/jobs/{job["job_id"]}; the page looks there: state, progress, first answers, result

`run.report(share, doing, first)` may be called often: it costs a line on a pipe. A job may be computed twice when a worker is killed;
it is kept once. So `compute` changes nothing, and `keep` does.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from psycopg import AsyncConnection

from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Row

Reporter = Callable[[float, str, Any], None]
Keep = Callable[[AsyncConnection[Any], Row, Any], Awaitable[Any]]


@dataclass(frozen=True)
class JobRun:
    """What a computation is given.

    Attributes
    ----------
    arguments
        As they were deferred.
    settings
        Of the worker: address of the database, name and licence of the site.
    processes
        How many it may compute with; further ones are ended with it.
    reporter
        Passes on how far it is.
    """

    arguments: Mapping[str, Any]
    settings: ApiSettings
    processes: int
    reporter: Reporter

    @property
    def dsn(self) -> str:
        """Return the address of the database."""
        return self.settings.dsn

    def report(self, share: float, doing: str, first: Any = None) -> None:
        """Say how far it is.

        Parameters
        ----------
        share
            Done, from 0 to 1.
        doing
            What is being computed: a text of the catalogues, marked with `gettext_noop`.
        first
            Plain values that are known already; replaces what was given before. None leaves that.
        """
        self.reporter(share, doing, first)


@dataclass(frozen=True)
class JobKind:
    """A kind of job: where its computation stands (`module:function`), and, if it has its own table, what keeps its answer.

    A file of somebody's may be anything: uploads have a place of their own at every worker, and a time (s) of their own.
    """

    compute: str
    keep: str = ""
    is_upload: bool = False
    timeout_s: float = math.inf

    def computing(self) -> Callable[[JobRun], Any]:
        """Return the computation; imports its libraries, so only the job's own process does."""
        return cast("Callable[[JobRun], Any]", named(self.compute))

    def keeping(self) -> Keep | None:
        """Return what keeps the answer, or None when the answer is the result."""
        return cast("Keep", named(self.keep)) if self.keep else None


def named(place: str) -> Any:
    """Return what `module:name` stands for."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


KINDS: dict[str, JobKind] = {
    "evaluation": JobKind(
        "telstraat_api.evaluations.computing:evaluation", "telstraat_api.evaluations.keeping:keep_evaluation"
    ),
    "odd-sensors": JobKind("telstraat_api.evaluations.odd_sensors:odd_sensors"),
    "trial": JobKind("telstraat_api.jobs.trial:trial"),
    "upload-look": JobKind(
        "telstraat_api.uploads.looking:look",
        keep="telstraat_api.uploads.keeping:keep_preview",
        is_upload=True,
        timeout_s=180.0,
    ),
    "upload-import": JobKind(
        "telstraat_api.uploads.looking:bring_in", keep="telstraat_api.uploads.keeping:keep_outcome", is_upload=True
    ),
}
