"""`/api/v1/evaluations`: did a measure work? Computed from the database's counts, kept with its doubts, told in every language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, model_validator

from telstraat_api.errors import EvaluationError, QueryError
from telstraat_api.evaluations.inputs import CHANGED, UNCHANGED, UNKNOWN, changed_inputs
from telstraat_api.evaluations.keeping import defer_evaluation
from telstraat_api.evaluations.typesetting import MEDIA, Typesetter
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.accounts import RequestBody, with_created
from telstraat_api.v1.jobs import JOB, awaited, job_shape, waits_s
from telstraat_api.v1.measure_file import analysed, toml
from telstraat_api.v1.measures import measure_shape, phase_of
from telstraat_api.v1.resources import (
    BIGGEST,
    After,
    Limit,
    Number,
    Text,
    Title,
    audience_of,
    created_with_address,
    filtered_path,
    maker,
    page_shape,
    private,
    require_changeable,
    require_visible,
)
from telstraat_api.v1.shapes import LanguageCode, described
from telstraat_api.v1.work_shapes import EvaluationList, EvaluationShape, InputsShape, JobShape
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_contract.languages.catalogue import language
from telstraat_contract.road_users import RoadUser
from telstraat_store.connection import Database, Row
from telstraat_store.work import evaluations as stored
from telstraat_store.work.measures import find_measure
from telstraat_store.work.published import Page

router = APIRouter(prefix="/api/v1", tags=["evaluations"])
PATH = "/api/v1/evaluations"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
What = Literal[RoadUser, "motor", "active", "all", "v85", "above_limit", "bike_share", "active_share", "motor_share"]
Form = Literal["html", "pdf"]


class Asked(RequestBody):
    """What one wants to know."""

    what: What = "car"
    direction: Literal["", "lft", "rgt"] = Field("", description="Empty for both.")
    hours: list[Annotated[int, Field(ge=0, le=23)]] = Field(
        [], max_length=24, description="Local start hours; empty for all that were seen on both sides."
    )
    days: Literal["all", "workdays", "weekend"] = "all"
    against: Literal["before", "last year"] = Field(
        "before", description="The weeks before the measure, or the same weeks a year before (counts only)."
    )

    @model_validator(mode="after")
    def check_year(self) -> Self:
        """Refuse at once what no worker could compute: only counts are compared with the year before."""
        if self.against == "last year" and (self.what in {"v85", "above_limit"} or self.what.endswith("_share")):
            raise ValueError(f"{self.what} is not compared with last year, only counts are")
        return self


class NewEvaluation(RequestBody):
    """An evaluation to be computed."""

    measure_id: int = Field(ge=1, le=BIGGEST)
    questions: list[Asked] = Field([Asked.model_validate({})], min_length=1, max_length=6)
    by: list[Literal["hour", "direction", "speed"]] = Field(
        [],
        max_length=3,
        description="Parts that are answered, too: `hour`, `direction`, `speed`; each takes some time more.",
    )
    phase: Title | None = Field(None, description="A phase of the measure, by its name; the whole when left out.")
    note: Text = ""
    published: bool = False


class EvaluationChange(RequestBody):
    """What changes of an evaluation: never its numbers."""

    note: Text | None = None
    published: bool | None = None


EVALUATION: dict[str, Any] = {
    "evaluation_id": 1,
    "measure_id": 1,
    "questions": [{"what": "car", "direction": "", "hours": [8, 9], "days": "workdays", "against": "before"}],
    "answered": True,
    "sentence": {
        "en": ["Car traffic in Lindenstraat, 8 to 10 h, fell by 38 % (95 % interval: 25 to 49 % less)."],
        "nl": ["Het autoverkeer in Lindenstraat, 8 tot 10 uur, daalde met 38 %."],
        "fr": ["Le trafic automobile dans Lindenstraat, de 8 à 10 h, a diminué de 38 %."],
    },
    "inputs_sha256": ["5f0c..."],
    "inputs": {"sha256": "9b1d...", "questions": ["5f0c..."], "by": [], "code": "77aa...", "counts": "03e9..."},
    "result": {"evaluations": [{"effect": {"estimate": -0.38, "low": -0.49, "high": -0.25, "unit": "relative"}}]},
    "note": "",
    "published": True,
    "mine": False,
    "created_by": None,
    "created_at": "2026-06-01T09:00:00Z",
    "links": {
        "self": f"{PATH}/1",
        "measure": "/api/v1/measures/1",
        "inputs": f"{PATH}/1/inputs",
        "html": f"{PATH}/1/report.html",
        "pdf": f"{PATH}/1/report.pdf",
    },
}
INPUTS: dict[str, Any] = {
    "evaluation_id": 1,
    "changed": ["counts"],
    "sentence": {"en": CHANGED["counts"]},
    "links": {"self": f"{PATH}/1/inputs", "evaluation": f"{PATH}/1"},
}
SHORT = {name: value for name, value in EVALUATION.items() if name != "result"}


def deferred_or_created(answers: dict[Any, Any]) -> dict[Any, Any]:
    """Return the description of answers for what is deferred: the job (202), or to who waits what came of it (201)."""
    return {202: described(JobShape, JOB)[200], **with_created(answers)}


def languages_of(answers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the languages that answers were put into words in: a catalogue that came later has no words of theirs."""
    return [code for code in LANGUAGES if all(code in answer["sentence"] for answer in answers)]


def evaluation_shape(row: Row, reader: Reader, *, short: bool = False) -> dict[str, Any]:
    """Return an evaluation as the reader may see it."""
    number = row["evaluation_id"]
    answers = row["result"]["evaluations"]
    return {
        "evaluation_id": number,
        "measure_id": row["measure_id"],
        "questions": row["questions"],
        "answered": row["answered"],
        "sentence": {code: [answer["sentence"][code] for answer in answers] for code in languages_of(answers)},
        "inputs_sha256": [answer["inputs_sha256"] for answer in answers],
        "inputs": row["inputs"],
        **({} if short else {"result": row["result"]}),
        "note": row["note"],
        "published": row["published"],
        **maker(reader, row),
        "created_at": stamp(row["created_at"]),
        "links": {
            "self": f"{PATH}/{number}",
            "measure": f"/api/v1/measures/{row['measure_id']}",
            "inputs": f"{PATH}/{number}/inputs",
            "html": f"{PATH}/{number}/report.html",
            "pdf": f"{PATH}/{number}/report.pdf",
        },
    }


@router.get(
    "/evaluations",
    summary="Evaluations of measures",
    responses=described(EvaluationList, {"evaluations": [SHORT], "next": None}, 401, 403, 422, 503),
)
async def list_evaluations(
    request: Request,
    reader: Anybody,
    after: After = 0,
    limit: Limit = 100,
    measure: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Only of this measure.")] = None,
) -> Response:
    """Return the evaluations that one may see, by number, each with its sentences. Follow `next`."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_evaluations(connection, audience_of(reader), Page(after, limit + 1), measure)
    path = filtered_path(PATH, measure=measure)

    def short(row: Row) -> dict[str, Any]:
        return evaluation_shape(row, reader, short=True)

    return private(request, page_shape(path, "evaluations", rows, "evaluation_id", limit, short))


@router.post(
    "/evaluations",
    summary="Evaluate a measure",
    status_code=202,
    responses=deferred_or_created(described(EvaluationShape, EVALUATION, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def evaluate(request: Request, new: NewEvaluation, reader: Professional) -> Response:
    """Have the change computed with its interval and doubts from the counts of the database, and kept.

    A worker does that: the answer is the job (202), whose address tells how far it is, first answers, and in the end the evaluation. Who sends
    `Prefer: wait=60` waits that long at most, and gets the evaluation itself (201) when it is there by then. The same question twice is one job;
    what was computed from the same inputs before is not computed again.

    Events that were marked in the measure's streets are part of it: those that exclude take their days out of the comparison. It is computed
    from the whole hours that the public reads, too. The result is the very object that `telstraat evaluate` gives for the measure's file.
    """
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await find_measure(connection, new.measure_id)
        if row is None:
            raise QueryError(f"measure_id: there is no measure {new.measure_id}")
        measure = measure_shape(row, reader)
        job, _ = await defer_evaluation(
            connection,
            reader.account_id,
            phase_of(measure, new.phase) if new.phase else measure,
            [{**question.model_dump(), "hours": sorted(set(question.hours))} for question in new.questions],
            phase=new.phase,
            by=list(new.by),
            note=new.note,
            published=new.published,
        )
    job = await awaited(database, job, waits_s(request.headers))
    if job["state"] == "failed":
        raise EvaluationError(job["error"])
    if job["state"] == "done":
        async with database.connection() as connection:
            evaluation = await stored.find_evaluation(connection, job["result"]["evaluation_id"])
        if evaluation is not None:
            return created_with_address(request, evaluation_shape(evaluation, reader))
    response = created_with_address(request, job_shape(job, reader))
    response.status_code = 202
    return response


@router.get(
    "/evaluations/{evaluation_id}",
    summary="One evaluation",
    responses=described(EvaluationShape, EVALUATION, 401, 403, 404, 422, 503),
)
async def one_evaluation(request: Request, evaluation_id: Number, reader: Anybody) -> Response:
    """Return an evaluation: sentences, numbers, checks passed or not, and the hash of what went in."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_evaluation(connection, evaluation_id)
    return private(request, evaluation_shape(require_visible(row, reader, "evaluation", evaluation_id), reader))


@router.get(
    "/evaluations/{evaluation_id}/inputs",
    summary="Whether an evaluation would be computed from other things now",
    responses=described(InputsShape, INPUTS, 401, 403, 404, 422, 503),
)
async def evaluation_inputs(request: Request, evaluation_id: Number, reader: Anybody) -> Response:
    """Compare what an evaluation was computed from with what is there now: counts, measure, code. Ask again for an evaluation of today's."""
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    async with database.connection() as connection:
        row = require_visible(
            await stored.find_evaluation(connection, evaluation_id), reader, "evaluation", evaluation_id
        )
        measure_row = await find_measure(connection, row["measure_id"])
        changed = None
        if row["inputs"] is not None and measure_row is not None:
            measure, phase = measure_shape(measure_row, reader), row["inputs"]["phase"]
            if phase and phase not in [each["name"] for each in measure["phases"]]:
                changed = ["measure"]
            else:
                plain = await analysed(connection, phase_of(measure, phase) if phase else measure)
                changed = await changed_inputs(connection, row["inputs"], plain, whole=settings.quarter_min > 0)
    texts = [CHANGED[name] for name in changed or ()] or [UNKNOWN if changed is None else UNCHANGED]
    body = {
        "evaluation_id": evaluation_id,
        "changed": changed,
        "sentence": {code: " ".join(map(language(code).gettext, texts)) for code in LANGUAGES},
        "links": {"self": f"{PATH}/{evaluation_id}/inputs", "evaluation": f"{PATH}/{evaluation_id}"},
    }
    return private(request, body)


@router.patch(
    "/evaluations/{evaluation_id}",
    summary="Publish an evaluation, or change its note",
    responses=described(EvaluationShape, EVALUATION, 400, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def change_evaluation(
    request: Request, evaluation_id: Number, change: EvaluationChange, reader: Professional
) -> Response:
    """Publish, withdraw, or annotate. What was computed never changes: compute another one."""
    database: Database = request.app.state.database
    values = {name: value for name, value in change.model_dump().items() if value is not None}
    async with database.connection() as connection:
        row = await stored.find_evaluation(connection, evaluation_id)
        row = require_changeable(row, reader, "evaluation", evaluation_id)
        check_unchanged(request, evaluation_shape(row, reader))
        changed = await stored.change_evaluation(connection, row, values)
    return private(request, evaluation_shape(require_visible(changed, reader, "evaluation", evaluation_id), reader))


@router.delete(
    "/evaluations/{evaluation_id}",
    summary="Delete an evaluation",
    responses=described(EvaluationShape, EVALUATION, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_evaluation(request: Request, evaluation_id: Number, reader: Professional) -> Response:
    """Delete an evaluation. The answer is what it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_evaluation(connection, evaluation_id)
        body = evaluation_shape(require_changeable(row, reader, "evaluation", evaluation_id), reader)
        check_unchanged(request, body)
        await stored.delete_evaluation(connection, evaluation_id)
    return private(request, body)


@router.get(
    "/evaluations/{evaluation_id}/report.{form}",
    summary="The report of an evaluation: a page or a PDF",
    response_class=Response,
    responses={
        200: {
            "description": "The report, from the same numbers.",
            "content": {
                "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>..."},
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **{s: a for s, a in described(EvaluationShape, EVALUATION, 401, 403, 404, 422, 503).items() if s != 200},
    },
)
async def report(
    request: Request,
    evaluation_id: Number,
    form: Annotated[Form, Path(description="A page that needs nothing from the net, or a PDF.")],
    reader: Anybody,
    language: Annotated[LanguageCode, Query(description="Of the report.")] = "en",
) -> Response:
    """Return the report in a language, or in English if it was computed before that was there. It is set once and kept."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_evaluation(connection, evaluation_id)
    row = require_visible(row, reader, "evaluation", evaluation_id)
    language = language if language in row["contents"] else SOURCE
    body = await set_report(request, row, language, form)
    headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": REPORT_POLICY}
    name = f"evaluation-{evaluation_id}-{language}.{form}"
    headers["Content-Disposition"] = f'{"inline" if form == "html" else "attachment"}; filename="{name}"'
    return Response(body, media_type=MEDIA[form], headers=headers)


async def set_report(request: Request, row: Row, language: str, form: Form) -> bytes:
    """Return a report, setting it when nobody has asked for it yet."""
    database: Database = request.app.state.database
    typesetter: Typesetter = request.app.state.typesetter
    async with database.connection() as connection:
        known = await stored.find_report(connection, row["evaluation_id"], language, form)
    if known is not None:
        return known
    body = await typesetter.body(form, row["contents"][language])
    async with database.connection() as connection:
        await stored.keep_report(connection, row["evaluation_id"], language, form, body)
    return body


@router.get(
    "/measures/{measure_id}/file",
    summary="A measure as a file for telstraat evaluate",
    response_class=Response,
    responses={
        200: {
            "description": "TOML; with a database, `telstraat evaluate` gives the same answer from it.",
            "content": {"application/toml": {"schema": {"type": "string"}, "example": '[measure]\nname = "..."\n'}},
        },
        **{s: a for s, a in described(EvaluationShape, {}, 401, 403, 404, 422, 503).items() if s != 200},
    },
)
async def measure_file(
    request: Request,
    measure_id: Number,
    reader: Anybody,
    phase: Annotated[str | None, Query(max_length=200, description="Only this phase, by its name.")] = None,
) -> Response:
    """Return the measure, the names of its streets and what was marked there as one TOML file."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        measure = measure_shape(row, reader)
        plain = await analysed(connection, phase_of(measure, phase) if phase else measure)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="measure-{measure_id}.toml"',
    }
    return Response(toml(plain), media_type="application/toml", headers=headers)
