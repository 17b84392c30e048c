"""A small client of a Telstraat server, for programs and notebooks: typed as the server is, pages followed, waiting when told to.

with Client("https://counts.example.org") as counts:
    frame = counts.counts("all", "2026-03-01", "2026-04-01", bucket="day").to_pandas()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import httpx
from pydantic import BaseModel

from telstraat_api.errors import AnswerError
from telstraat_api.v1.shapes import ReportsShape, SegmentFeature, Sensor
from telstraat_api.v1.work_shapes import (
    EvaluationShape,
    EventShape,
    InstanceShape,
    JobShape,
    MeasureShape,
    WorkshopShape,
)

__all__ = [
    "AnswerError",
    "Client",
    "Columns",
    "EvaluationShape",
    "EventShape",
    "InstanceShape",
    "JobShape",
    "MeasureShape",
    "ReportsShape",
    "SegmentFeature",
    "Sensor",
    "WorkshopShape",
]

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Bucket = Literal["quarter", "hour", "day", "week", "month", "year"]
FileBucket = Literal["quarter", "hour", "day"]
When = str | datetime
Shape = TypeVar("Shape", bound=BaseModel)
WAITED_FOR = {429, 503}
TRIES = 5
WAIT_MAX_S = 120.0
LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Columns:
    """Counts in columns, as the server sent them: one array per column, times in UTC."""

    bucket: str
    licence: str
    columns: Mapping[str, Sequence[Any]]
    gaps: Sequence[Mapping[str, Any]] = ()  # what is not among them: segment_id, from, to, state

    def __len__(self) -> int:
        return len(self.columns["start"])

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame; `start` is UTC, counts with `_seen` are as counted, without it corrected."""
        import pandas as pd

        frame = pd.DataFrame(dict(self.columns))
        frame["start"] = pd.to_datetime(frame["start"], utc=True)
        return frame

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table; `start` is a timestamp in UTC."""
        import pyarrow as pa

        columns = dict(self.columns)
        columns["start"] = [datetime.fromisoformat(text) for text in columns["start"]]
        return pa.table(columns)


class Client:
    """One server. `key` is `tst_...`, or None for what is public; `sleep` is for the tests."""

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        timeout_s: float = 60,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=address.rstrip("/"), headers=headers, timeout=timeout_s)
        self.tries = tries
        self.sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def segments(self) -> Iterator[SegmentFeature]:
        """Yield all street segments, by number."""
        return self._pages("/api/v1/segments", "features", SegmentFeature)

    def segment(self, segment_id: int) -> SegmentFeature:
        """Return one street segment."""
        return SegmentFeature.model_validate(self._get(f"/api/v1/segments/{segment_id}"))

    def sensors(self) -> Iterator[Sensor]:
        """Yield all sensors, by number."""
        return self._pages("/api/v1/sensors", "sensors", Sensor)

    def instances(self, *, segment: int | None = None, sensor: int | None = None) -> Iterator[InstanceShape]:
        """Yield which sensor stood where, and when."""
        return self._pages("/api/v1/instances", "instances", InstanceShape, segment=segment, sensor=sensor)

    def reports(
        self,
        segments: int | Sequence[int] | Literal["all"],
        start: When,
        end: When,
        *,
        bucket: Bucket = "hour",
        speed: bool = False,
    ) -> ReportsShape:
        """Return counts period by period, with everything that is known of each."""
        query = {**self._parameters(segments, start, end), "bucket": bucket, "speed": str(speed).lower()}
        return ReportsShape.model_validate(self._get("/api/v1/reports", query))

    def counts(
        self,
        segments: int | Sequence[int] | Literal["all"],
        start: When,
        end: When,
        *,
        bucket: Bucket = "hour",
    ) -> Columns:
        """Return counts in columns: the quick way to a data frame."""
        answer = self._get("/api/v1/reports/columns", {**self._parameters(segments, start, end), "bucket": bucket})
        return Columns(answer["bucket"], answer["licence"], answer["columns"], answer.get("gaps", ()))

    def table(
        self,
        segments: int | Sequence[int] | Literal["all"],
        start: When,
        end: When,
        *,
        bucket: FileBucket = "hour",
        gaps: bool = True,
    ) -> pa.Table:
        """Return counts of any size as one Arrow table, read from the server's stream.

        With `gaps` every period has a row, and `state` says why one has no counts.
        """
        import pyarrow as pa

        query = {**self._parameters(segments, start, end), "bucket": bucket, "gaps": str(gaps).lower()}
        answer = self._send("GET", "/api/v1/reports/file.arrow", query=query)
        with pa.ipc.open_stream(BytesIO(answer.content)) as stream:
            return stream.read_all()

    def download(
        self,
        path: Path | str,
        segments: int | Sequence[int] | Literal["all"],
        start: When,
        end: When,
        *,
        bucket: FileBucket = "hour",
        gaps: bool = True,
    ) -> Path:
        """Write counts to a file; its ending says in which form: .csv, .parquet or .arrow. Memory stays small.

        With `gaps` every period has a row, and `state` says why one has no counts.
        """
        target = Path(path)
        query = {**self._parameters(segments, start, end), "bucket": bucket, "gaps": str(gaps).lower()}
        with self.http.stream("GET", f"/api/v1/reports/file{target.suffix}", params=query) as answer:
            if answer.is_error:
                answer.read()
                raise problem_in(answer)
            with target.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
        return target

    def measures(self, *, segment: int | None = None) -> Iterator[MeasureShape]:
        """Yield the measures that one may see."""
        return self._pages("/api/v1/measures", "measures", MeasureShape, segment=segment)

    def add_measure(self, **fields: Any) -> MeasureShape:
        """Note down a measure; the fields are those of `POST /api/v1/measures`."""
        return MeasureShape.model_validate(self._send("POST", "/api/v1/measures", body=fields).json())

    def evaluate(
        self, measure_id: int, *questions: Mapping[str, Any], published: bool = False, wait_s: float = 900
    ) -> EvaluationShape:
        """Have a measure evaluated and wait for it; without questions, for cars. This takes seconds to minutes.

        A question has the fields `what`, `direction`, `hours`, `days` and `against` of `POST /api/v1/evaluations`. `AnswerError` when it
        cannot be evaluated, was cancelled, or is not there after `wait_s`; then it is computed further, and asked for again it is there.
        """
        job = self.defer_evaluation(measure_id, *questions, published=published)
        until = time.monotonic() + wait_s
        while job.state in {"waiting", "running"} and time.monotonic() < until:
            self.sleep(LOOK_AGAIN_S)
            job = self.job(job.job_id)
        if job.state != "done" or job.result is None:
            late = f"job {job.job_id} is {job.state} after {wait_s:g} s" if not job.error else job.error
            raise AnswerError(422, "not-evaluated", late)
        return self.evaluation(job.result["evaluation_id"])

    def defer_evaluation(
        self, measure_id: int, *questions: Mapping[str, Any], published: bool = False, by: Sequence[str] = ()
    ) -> JobShape:
        """Have a measure evaluated without waiting: the job tells how far it is, and first answers."""
        body: dict[str, Any] = {"measure_id": measure_id, "published": published, "by": list(by)}
        if questions:
            body["questions"] = [dict(question) for question in questions]
        return JobShape.model_validate(self._send("POST", "/api/v1/evaluations", body=body).json())

    def job(self, job_id: int) -> JobShape:
        """Return how far a job is, and what came of it."""
        return JobShape.model_validate(self._get(f"/api/v1/jobs/{job_id}"))

    def cancel(self, job_id: int) -> JobShape:
        """End a job that waits or runs."""
        return JobShape.model_validate(self._send("DELETE", f"/api/v1/jobs/{job_id}").json())

    def evaluations(self, *, measure: int | None = None) -> Iterator[EvaluationShape]:
        """Yield the evaluations that one may see, without their `result`."""
        return self._pages("/api/v1/evaluations", "evaluations", EvaluationShape, measure=measure)

    def evaluation(self, evaluation_id: int) -> EvaluationShape:
        """Return one evaluation with its `result`."""
        return EvaluationShape.model_validate(self._get(f"/api/v1/evaluations/{evaluation_id}"))

    def events(self, *, segment: int | None = None) -> Iterator[EventShape]:
        """Yield what happened in the streets, as far as one may see it."""
        return self._pages("/api/v1/events", "events", EventShape, segment=segment)

    def workshops(self) -> Iterator[WorkshopShape]:
        """Yield the workshops that one may see, without their notes."""
        return self._pages("/api/v1/workshops", "workshops", WorkshopShape)

    def _pages(self, path: str, name: str, shape: type[Shape], **query: Any) -> Iterator[Shape]:
        following: str | None = path
        parameters: Mapping[str, Any] | None = {key: value for key, value in query.items() if value is not None}
        while following:
            page = self._get(following, parameters)
            yield from (shape.model_validate(item) for item in page[name])
            following, parameters = page["next"], None

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._send("GET", path, query=query).json()

    def _send(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> httpx.Response:
        for turn in range(1, self.tries + 1):
            answer = self.http.request(method, path, params=query or None, json=body)
            wait = waiting_s(answer)
            if wait is None or turn == self.tries:
                break
            self.sleep(min(wait, WAIT_MAX_S))
        if answer.is_error:
            raise problem_in(answer)
        return answer

    @staticmethod
    def _parameters(segments: int | Sequence[int] | Literal["all"], start: When, end: When) -> dict[str, str]:
        numbers = (segments,) if isinstance(segments, int) else segments
        listed = numbers if isinstance(numbers, str) else ",".join(map(str, numbers))
        edges = {"from": start, "to": end}
        return {"segments": listed} | {
            name: edge if isinstance(edge, str) else edge.isoformat() for name, edge in edges.items()
        }


def waiting_s(answer: httpx.Response) -> float | None:
    """Return how long the server asks to wait before asking again; None when it does not."""
    wait = answer.headers.get("retry-after")
    if answer.status_code not in WAITED_FOR or wait is None:
        return None
    if wait.isdigit():
        return float(wait)
    try:
        return max(0.0, (parsedate_to_datetime(wait) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def problem_in(answer: httpx.Response) -> AnswerError:
    """Return the problem that an answer tells of."""
    try:
        problem = answer.json()
        return AnswerError(answer.status_code, str(problem["type"]).rpartition("/")[2], str(problem["detail"]))
    except (ValueError, KeyError, TypeError):
        return AnswerError(answer.status_code, "no-problem-document", answer.text[:200])
