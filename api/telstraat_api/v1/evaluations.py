"""`/api/v1/evaluations`: did a measure work? Computed from the database's counts, kept with its doubts, told in every language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from psycopg.types.json import Jsonb
from pydantic import Field

from telstraat_api.errors import QueryError
from telstraat_api.evaluations.evaluator import Evaluator
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.accounts import Wanted, made
from telstraat_api.v1.measure_file import analysed, toml
from telstraat_api.v1.measures import find_measure, measure_shape, phase_of
from telstraat_api.v1.resources import (
    BIGGEST,
    After,
    Limit,
    Number,
    Text,
    Title,
    asked_path,
    changeable,
    created_at,
    found,
    listing,
    maker,
    page,
    private,
    remove,
    update,
    visible,
)
from telstraat_api.v1.shapes import LanguageCode, described
from telstraat_api.v1.work_shapes import EvaluationList, EvaluationShape
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["evaluations"])
PATH = "/api/v1/evaluations"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
What = Literal[
    "pedestrian", "bike", "car", "heavy", "motor", "active", "all", "v85", "above_limit", "bike_share", "active_share",
    "motor_share",
]  # fmt: skip
Form = Literal["html", "pdf"]
FORMS = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}


class Asked(Wanted):
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


class NewEvaluation(Wanted):
    """An evaluation to be computed."""

    measure_id: int = Field(ge=1, le=BIGGEST)
    questions: list[Asked] = Field([Asked.model_validate({})], min_length=1, max_length=6)
    by: list[Literal["hour", "direction", "speed"]] = Field(
        [], max_length=3, description="Parts that are answered, too; each takes as long as an evaluation of its own."
    )
    phase: Title | None = Field(None, description="A phase of the measure, by its name; the whole when left out.")
    note: Text = ""
    published: bool = False


class EvaluationChange(Wanted):
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
    "result": {"evaluations": [{"effect": {"estimate": -0.38, "low": -0.49, "high": -0.25, "unit": "relative"}}]},
    "note": "",
    "published": True,
    "mine": False,
    "created_by": None,
    "created_at": "2026-06-01T09:00:00Z",
    "links": {
        "self": f"{PATH}/1",
        "measure": "/api/v1/measures/1",
        "html": f"{PATH}/1/report.html",
        "pdf": f"{PATH}/1/report.pdf",
    },
}
SHORT = {name: value for name, value in EVALUATION.items() if name != "result"}
SELECT = "select e.*, a.email from evaluation e left join account a using (account_id)"


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
        "sentence": {code: [one["sentence"][code] for one in answers] for code in languages_of(answers)},
        "inputs_sha256": [one["inputs_sha256"] for one in answers],
        **({} if short else {"result": row["result"]}),
        "note": row["note"],
        "published": row["published"],
        **maker(reader, row),
        "created_at": stamp(row["created_at"]),
        "links": {
            "self": f"{PATH}/{number}",
            "measure": f"/api/v1/measures/{row['measure_id']}",
            "html": f"{PATH}/{number}/report.html",
            "pdf": f"{PATH}/{number}/report.pdf",
        },
    }


async def find_evaluation(request: Request, number: int) -> Row | None:
    """Return an evaluation's row, or None."""
    database: Database = request.app.state.database
    return await database.row(SELECT + " where e.evaluation_id = %s", (number,))


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
    rows = await database.rows(
        listing(SELECT, "evaluation_id", "and (%(measure)s::bigint is null or measure_id = %(measure)s)"),
        {"after": after, "limit": limit + 1, "measure": measure, **visible(reader)},
    )
    path = asked_path(PATH, measure=measure)

    def short(row: Row) -> dict[str, Any]:
        return evaluation_shape(row, reader, short=True)

    return private(request, page(path, "evaluations", rows, "evaluation_id", limit, short))


@router.post(
    "/evaluations",
    summary="Evaluate a measure",
    status_code=201,
    responses=made(described(EvaluationShape, EVALUATION, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def evaluate(request: Request, wanted: NewEvaluation, reader: Professional) -> Response:
    """Compute the change with its interval and doubts from the counts of the database, and keep it.

    This takes seconds. Events that were marked in the measure's streets are part of it: those that exclude take their days
    out of the comparison. It is computed from the whole hours that the public reads, too. The result is the very object that `telstraat evaluate` gives for the measure's file.
    """
    database: Database = request.app.state.database
    evaluator: Evaluator = request.app.state.evaluator
    row = await find_measure(database, wanted.measure_id)
    if row is None:
        raise QueryError(f"measure_id: there is no measure {wanted.measure_id}")
    measure = measure_shape(row, reader)
    plain = await analysed(database, phase_of(measure, wanted.phase) if wanted.phase else measure)
    await check_counted(database, measure["treated"])
    questions = [{**one.model_dump(), "hours": sorted(set(one.hours))} for one in wanted.questions]
    settings: ApiSettings = request.app.state.settings
    source = ", ".join(part for part in (settings.attribution, settings.licence) if part)
    asked = {
        "dsn": database.dsn, "measure": plain, "questions": questions, "source": source, "by": wanted.by,
        "whole": settings.quarter_min > 0,
    }  # fmt: skip
    answer = orjson.loads(await evaluator.run("evaluate", asked))
    kept = await database.row(
        """
        insert into evaluation (measure_id, account_id, note, questions, answered, result, contents, published)
        select measure_id, %s, %s, %s, %s, %s::json, %s::json, %s from measure where measure_id = %s
        returning evaluation_id
        """,
        (
            reader.account_id, wanted.note, Jsonb(questions), answer["answered"], orjson.dumps(answer["result"]).decode(),
            orjson.dumps(answer["contents"]).decode(), wanted.published, wanted.measure_id,
        ),
    )  # fmt: skip
    if kept is None:
        raise QueryError(f"measure_id: measure {wanted.measure_id} was deleted meanwhile")
    shown = found(await find_evaluation(request, kept["evaluation_id"]), reader, "evaluation", kept["evaluation_id"])
    return created_at(request, evaluation_shape(shown, reader))


async def check_counted(database: Database, segments: list[int]) -> None:
    """Refuse early what no process need be started for: streets in which nothing was ever counted."""
    row = await database.row(
        """
        select exists (select from installation i join rollup_hour r using (installation_id) where i.segment_id = any(%(s)s))
            or exists (select from imported_hour where segment_id = any(%(s)s)) as counted
        """,
        {"s": segments},
    )
    if row is None or not row["counted"]:
        raise QueryError("nothing has been counted in the treated streets")


@router.get(
    "/evaluations/{evaluation_id}",
    summary="One evaluation",
    responses=described(EvaluationShape, EVALUATION, 401, 403, 404, 422, 503),
)
async def one_evaluation(request: Request, evaluation_id: Number, reader: Anybody) -> Response:
    """Return an evaluation: sentences, numbers, checks passed or not, and the hash of what went in."""
    row = found(await find_evaluation(request, evaluation_id), reader, "evaluation", evaluation_id)
    return private(request, evaluation_shape(row, reader))


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
    row = changeable(await find_evaluation(request, evaluation_id), reader, "evaluation", evaluation_id)
    check_unchanged(request, evaluation_shape(row, reader))
    given = {name: value for name, value in change.model_dump().items() if value is not None}
    await update(database, "evaluation", "evaluation_id", row, given)
    shown = found(await find_evaluation(request, evaluation_id), reader, "evaluation", evaluation_id)
    return private(request, evaluation_shape(shown, reader))


@router.delete(
    "/evaluations/{evaluation_id}",
    summary="Delete an evaluation",
    responses=described(EvaluationShape, EVALUATION, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_evaluation(request: Request, evaluation_id: Number, reader: Professional) -> Response:
    """Delete an evaluation. The answer is what it was."""
    row = changeable(await find_evaluation(request, evaluation_id), reader, "evaluation", evaluation_id)
    return await remove(request, "evaluation", "evaluation_id", row, evaluation_shape(row, reader))


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
    row = found(await find_evaluation(request, evaluation_id), reader, "evaluation", evaluation_id)
    language = language if language in row["contents"] else SOURCE
    body = await set_report(request, row, language, form)
    headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": REPORT_POLICY}
    name = f"evaluation-{evaluation_id}-{language}.{form}"
    headers["Content-Disposition"] = f'{"inline" if form == "html" else "attachment"}; filename="{name}"'
    return Response(body, media_type=FORMS[form], headers=headers)


async def set_report(request: Request, row: Row, language: str, form: str) -> bytes:
    """Return a report, setting it when nobody has asked for it yet."""
    database: Database = request.app.state.database
    evaluator: Evaluator = request.app.state.evaluator
    key = (row["evaluation_id"], language, form)
    kept = await database.row(
        "select body from evaluation_report where (evaluation_id, language, form) = (%s, %s, %s)", key
    )
    if kept is not None:
        return bytes(kept["body"])
    body = await evaluator.run(form, row["contents"][language])
    await database.execute(
        "insert into evaluation_report (evaluation_id, language, form, body) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (*key, body),
    )
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
    row = found(await find_measure(database, measure_id), reader, "measure", measure_id)
    measure = measure_shape(row, reader)
    plain = await analysed(database, phase_of(measure, phase) if phase else measure)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="measure-{measure_id}.toml"',
    }
    return Response(toml(plain), media_type="application/toml", headers=headers)
