"""An evaluation deferred as a job, and what it answers kept: once, in the transaction that ends the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from psycopg import AsyncConnection

from telstraat_api.errors import JobRefusedError, QueryError
from telstraat_api.evaluations.inputs import digest
from telstraat_api.v1.measure_file import analysed
from telstraat_store.connection import Row
from telstraat_store.jobs.deferred import NewJob, defer
from telstraat_store.places.segments import is_any_counted
from telstraat_store.work import evaluations as stored

KIND = "evaluation"
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


async def defer_evaluation(
    connection: AsyncConnection[Any],
    account_id: int | None,
    measure: Mapping[str, Any],
    questions: list[dict[str, Any]],
    *,
    phase: str | None = None,
    by: list[str] | None = None,
    note: str = "",
    published: bool = False,
) -> tuple[Row, bool]:
    """Let an evaluation be computed by a worker.

    Parameters
    ----------
    connection
        With all rights.
    account_id
        Whose the evaluation will be.
    measure
        As `telstraat_api.v1.measures.measure_shape` gives it, or one phase of it.
    questions
        As `POST /api/v1/evaluations` takes them, with every field.
    phase
        Name of the phase that `measure` is.
    by
        Parts that are answered, too: `hour`, `direction`, `speed`.
    note, published
        Of the evaluation.

    Returns
    -------
    tuple
        The job, and whether it is new: pressing the button twice is one job.

    Raises
    ------
    QueryError
        Nothing was ever counted in the treated streets: no worker need find that out.
    """
    plain = await analysed(connection, measure)
    if not await is_any_counted(connection, measure["treated"]):
        raise QueryError("nothing has been counted in the treated streets")
    request = {"measure": plain, "questions": questions, "by": sorted(set(by or ()))}
    arguments = {
        **request, "phase": phase, "measure_id": measure["measure_id"], "account_id": account_id, "note": note, "published": published,
    }  # fmt: skip
    new = NewJob(
        KIND,
        arguments,
        account_id=account_id,
        measure_id=measure["measure_id"],
        key=f"{KIND} {digest(arguments)}",
        lock=f"{KIND} {digest(request)}",
    )
    return await defer(connection, new)


async def keep_evaluation(connection: AsyncConnection[Any], job: Row, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a worker has computed and return where it stands; what is known already is not kept a second time.

    Somebody else's evaluation of the same inputs, or one that was noted otherwise, is copied: it may be private, and goes with its maker.
    """
    arguments = job["arguments"]
    known = await stored.find_evaluation(connection, answer["known"]) if "known" in answer else None
    if "known" in answer and known is None:
        raise JobRefusedError("the evaluation that had this answer was deleted at this moment: ask again", "deleted")
    same = {"account_id": job["account_id"], "note": arguments["note"], "published": arguments["published"]}
    if known is not None and all(known[name] == value for name, value in same.items()):
        return result_of(known["evaluation_id"], arguments, is_known=True)
    content = answer if known is None else known
    values = {
        "note": arguments["note"],
        "questions": arguments["questions"],
        "answered": content["answered"],
        "result": orjson.dumps(content["result"], option=OPTIONS, default=str).decode(),
        "contents": orjson.dumps(content["contents"], option=OPTIONS, default=str).decode(),
        "published": arguments["published"],
        "inputs": answer["inputs"],
    }
    row = await stored.add_evaluation(connection, job["account_id"], arguments["measure_id"], values)
    if row is None:
        raise JobRefusedError(f"measure {arguments['measure_id']} was deleted meanwhile", "deleted")
    return result_of(row["evaluation_id"], arguments, is_known=known is not None)


def result_of(number: int, arguments: Mapping[str, Any], *, is_known: bool) -> dict[str, Any]:
    """Return what a job says of its evaluation."""
    links = {"self": f"/api/v1/evaluations/{number}", "page": f"/measures/{arguments['measure_id']}"}
    return {"evaluation_id": number, "known": is_known, "links": links}
