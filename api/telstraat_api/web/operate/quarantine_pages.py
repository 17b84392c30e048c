"""`/operate/quarantine`: messages that ingest could not take, by reason, each with what it says and why it was refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Role
from telstraat_api.web.forms import read_form, see_other, signed_in
from telstraat_api.web.operate.shared import ROWS, pager, rendered_for_operators
from telstraat_api.web.pages import page_number
from telstraat_store.connection import Database
from telstraat_store.reports.quarantined import (
    drop_quarantined,
    find_quarantined,
    list_quarantine,
    quarantine_by_reason,
)

router = APIRouter(include_in_schema=False)


@router.get("/operate/quarantine")
async def quarantine_page(request: Request) -> Response:
    """List refused messages, those that came last first."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    number, reason = page_number(request), request.query_params.get("reason")
    async with database.connection() as connection:
        reasons = await quarantine_by_reason(connection)
        reason = reason if reason in {row["reason"] for row in reasons} else None
        rows = await list_quarantine(connection, reason=reason, sensor_id=None, offset=(number - 1) * ROWS, limit=ROWS)
    return await rendered_for_operators(
        request,
        "operate/quarantine.html",
        reasons=reasons,
        reason=reason,
        rows=rows,
        pager=pager(number, len(rows), rows[0]["total"] if rows else 0),
        now=datetime.now(UTC),
    )


@router.get("/operate/quarantine/{quarantine_id}")
async def message_page(request: Request, quarantine_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Response:
    """Show a refused message as it came."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        message = await find_quarantined(connection, quarantine_id)
    if message is None:
        raise NotFoundError(f"there is no refused message {quarantine_id}")
    payload = bytes(message["payload"]).decode("utf-8", "backslashreplace")
    return await rendered_for_operators(request, "operate/message.html", message=message, payload=payload)


@router.post("/operate/quarantine")
async def drop_messages(request: Request) -> Response:
    """Drop the messages of a reason that had come when the list was read; newer ones stay."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    try:
        read_at = datetime.fromisoformat(form.value("read_at"))
    except ValueError as error:
        raise QueryError("read_at: this form cannot be read; open the list again") from error
    if read_at.tzinfo is None:
        raise QueryError("read_at: this form cannot be read; open the list again")
    async with database.connection() as connection:
        await drop_quarantined(connection, reason=form.value("reason"), last_before=read_at)
    return see_other("/operate/quarantine")
