"""`/operate/uploads`: files of streets and of counts, looked at before anything is written, then imported or thrown away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Role, check_origin
from telstraat_api.uploads.fault_words import fault_in
from telstraat_api.web.forms import FIELDS_MAX, MISSING, PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.operate.shared import rendered_for_operators
from telstraat_api.web.operate.upload_options import options_of, page_form_of
from telstraat_api.web.operate.upload_view import lines_in_view
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.imports import uploads as stored
from telstraat_store.jobs.deferred import LIVE, NewJob, defer, find_job
from telstraat_store.places.segments import Segment, find_segments

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
BYTES_MAX = 64_000_000
LISTED = 50
CHOICES_MAX = 2000
"""Streets that are offered for a name in a file; with more of them the operator writes the number."""

KIND_NAMES = {"streets": gettext_noop("Streets"), "counts": gettext_noop("Counts")}
EMPTY = gettext_noop("This file is empty.")


@router.get("/operate/uploads")
async def uploads_page(request: Request) -> Response:
    """List what was uploaded, and offer to upload a file of streets or of counts."""
    await signed_in(request, Role.OPERATOR)
    return await render_uploads(
        request, PageForm({"kind": ["streets"], "timezone": ["Europe/Brussels"], "ground": ["yes"]})
    )


async def render_uploads(request: Request, form: PageForm, status: int = 200) -> Response:
    """Return the page with the form as it was filled in."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_uploads(connection, LISTED)
    return await rendered_for_operators(
        request, "operate/uploads.html", status, rows=rows, form=form, kind_names=KIND_NAMES, bytes_max=BYTES_MAX
    )


async def uploaded(request: Request) -> tuple[PageForm, str, bytes]:
    """Return the fields of a form with a file, the file's name and its content; an error beside the field without one."""
    check_origin(request)
    try:
        fields = await request.form(max_files=1, max_fields=FIELDS_MAX)
    except (MultiPartException, ValueError) as error:
        raise QueryError("this form cannot be read") from error
    form = PageForm({name: [v for v in fields.getlist(name) if isinstance(v, str)] for name in fields})
    file = fields.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        form.errors["file"] = MISSING
        return form, "", b""
    try:
        content = await file.read()
    finally:
        await fields.close()
    if not content:
        form.errors["file"] = EMPTY
    name = PurePath(file.filename.replace("\\", "/")).name.replace("\x00", "")
    return form, "".join(c for c in name if c.isprintable())[-200:], content


@router.post("/operate/uploads")
async def upload(request: Request) -> Response:
    """Keep a file and have a worker look at it."""
    reader = await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form, name, content = await uploaded(request)
    kind = form.value("kind") if form.value("kind") in KIND_NAMES else "streets"
    options = options_of(kind, form)
    if form.errors:
        return await render_uploads(request, form, 422)
    async with database.connection() as connection, connection.transaction():
        number = await stored.add_upload(connection, reader.account_id, kind, name, content, options)
        await begin(connection, number, "upload-look", options, reader.account_id)
    return see_other(f"/operate/uploads/{number}")


async def begin(connection: Any, upload_id: int, kind: str, options: dict[str, Any], account_id: int | None) -> None:
    """Defer the job that looks at a file or imports it, read in one way; asked for twice, it is one job."""
    way = hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]
    arguments = {"upload_id": upload_id, "options": options}
    new = NewJob(kind, arguments, account_id=account_id, key=f"{kind}/{upload_id}/{way}", lock="uploads", priority=5)
    job, _ = await defer(connection, new)
    await stored.note_job(connection, upload_id, job["job_id"])


async def is_being_imported(connection: Any, upload: Row) -> bool:
    """Tell whether a job imports the file now, or is about to: how it is read does not change any more."""
    job = await find_job(connection, upload["job_id"]) if upload["job_id"] else None
    return job is not None and job["kind"] == "upload-import" and job["state"] in LIVE


async def require_upload(connection: Any, upload_id: int) -> Row:
    """Return an upload, or raise `NotFoundError`."""
    row = await stored.find_upload(connection, upload_id)
    if row is None:
        raise NotFoundError(f"there is no upload {upload_id}")
    return row


@router.get("/operate/uploads/{upload_id}")
async def upload_page(request: Request, upload_id: Number) -> Response:
    """Show what would become of a file, what is being done with it, or what became of it."""
    await signed_in(request, Role.OPERATOR)
    return await render_upload(request, upload_id, None)


async def render_upload(request: Request, upload_id: int, form: PageForm | None, status: int = 200) -> Response:
    """Return the page of an upload; `form` holds the options as they were sent, when some of them cannot be used."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await require_upload(connection, upload_id)
        job = await find_job(connection, row["job_id"]) if row["job_id"] else None
        segments = await find_segments(connection, limit=CHOICES_MAX + 1) if row["kind"] == "counts" else []
    is_busy = job is not None and job["state"] in LIVE
    names = {segment.segment_id: segment.name for segment in segments}
    by_name = {name: numbers[0] for name, numbers in numbers_by_name(segments).items() if len(numbers) == 1}
    outcome = row["outcome"] or row["preview"]
    return await rendered_for_operators(
        request,
        "operate/upload.html",
        status,
        upload=row,
        found=outcome,
        job=job,
        is_busy=is_busy,
        form=form or page_form_of(row["kind"], row["options"]),
        kind_names=KIND_NAMES,
        read_moment=datetime.fromisoformat,
        fault=lambda text: fault_in(text, page_language(chosen(request))),
        names=names if len(names) <= CHOICES_MAX else {},
        likely={
            street["name"]: by_name.get(street["name"].casefold()) for street in (outcome or {}).get("streets", ())
        },
        view=lines_in_view(outcome["streets"]) if outcome and row["kind"] == "streets" and not row["outcome"] else None,
    )


def numbers_by_name(segments: Sequence[Segment]) -> dict[str, list[int]]:
    """Return the numbers of the streets of each name, in whatever case: where several have one, only the operator can tell which."""
    numbers: dict[str, list[int]] = {}
    for segment in segments:
        numbers.setdefault(segment.name.casefold(), []).append(segment.segment_id)
    return numbers


@router.post("/operate/uploads/{upload_id}")
async def look_again(request: Request, upload_id: Number) -> Response:
    """Look at the file again, read as the form now says."""
    reader = await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    async with database.connection() as connection:
        row = await require_upload(connection, upload_id)
        options = options_of(row["kind"], form)
        if not form.errors and row["is_kept"] and not await is_being_imported(connection, row):
            async with connection.transaction():
                await stored.ask_again(connection, upload_id, options)
                await begin(connection, upload_id, "upload-look", options, reader.account_id)
    if form.errors:
        return await render_upload(request, upload_id, form, 422)
    return see_other(f"/operate/uploads/{upload_id}")


@router.post("/operate/uploads/{upload_id}/import")
async def import_upload(request: Request, upload_id: Number) -> Response:
    """Import a file that was looked at."""
    reader = await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection, connection.transaction():
        row = await require_upload(connection, upload_id)
        if row["is_kept"] and row["preview"] is not None:
            await begin(connection, upload_id, "upload-import", row["options"], reader.account_id)
    return see_other(f"/operate/uploads/{upload_id}")


@router.post("/operate/uploads/{upload_id}/delete")
async def throw_away(request: Request, upload_id: Number) -> Response:
    """Throw a file away; what was imported stays."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        await stored.delete_upload(connection, upload_id)
    return see_other("/operate/uploads")
