"""Links with which people without an account read one workshop: `/api/v1/workshops/{id}/links` makes them, `/shared` answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Professional, Role, needs
from telstraat_api.http.answers import stamp
from telstraat_api.v1.accounts import RequestBody, created, with_created
from telstraat_api.v1.evaluations import languages_of
from telstraat_api.v1.resources import Line, Number, private, require_changeable
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import NoteShape
from telstraat_api.v1.workshops import NOTE, WORKSHOP, day, note_shape
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import names_of
from telstraat_store.work import sharing_links as stored
from telstraat_store.work.evaluations import results_of_measure
from telstraat_store.work.measures import find_measure
from telstraat_store.work.workshops import find_workshop, notes_of

router = APIRouter(prefix="/api/v1", tags=["workshops"])


class NewLink(RequestBody):
    """A link for people without an account."""

    label: Line = Field("", description="For whom it is.")
    days: int = Field(30, ge=1, le=365, description="For how long it works.")


class LinkShape(BaseModel):
    """A link for participants, without its secret: that is shown once, when it is made."""

    link_id: int
    label: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    secret: str | None = Field(None, description="Only in the answer that makes the link.")
    url: str | None = Field(None, description="Where programs read it; only in the answer that makes the link.")
    page: str | None = Field(None, description="Where people read it; only in the answer that makes the link.")


class LinkList(BaseModel):
    """The links of a workshop."""

    share_links: list[LinkShape]


class SharedWorkshop(BaseModel):
    """A workshop as participants read it: what it is about, what was said, what was found."""

    title: str
    question: str
    place: str
    held_at: str | None
    segments: list[dict[str, Any]]
    first_day: str | None
    last_day: str | None
    measure: dict[str, Any] | None
    evaluations: list[dict[str, Any]] = Field(description="What was found of the measure, in every language.")
    notes: list[NoteShape]
    expires_at: str


LINK: dict[str, Any] = {
    "link_id": 1,
    "label": "neighbours",
    "created_at": "2026-04-20T09:00:00Z",
    "expires_at": "2026-05-20T09:00:00Z",
    "revoked_at": None,
}
SHARED: dict[str, Any] = {
    **{name: WORKSHOP[name] for name in ("title", "question", "place", "held_at", "first_day", "last_day")},
    "segments": [{"segment_id": 1001, "name": "Lindenstraat"}],
    "measure": {"name": "School street", "kind": "school_street", "first_day": "2026-03-02"},
    "evaluations": [{"en": ["Car traffic fell by 38 %."], "nl": ["..."], "fr": ["..."]}],
    "notes": [NOTE],
    "expires_at": "2026-05-20T09:00:00Z",
}


def link_shape(row: Row) -> dict[str, Any]:
    """Return a link without its secret."""
    return {
        "link_id": row["link_id"],
        "label": row["label"],
        "created_at": stamp(row["created_at"]),
        "expires_at": stamp(row["expires_at"]),
        "revoked_at": stamp(row["revoked_at"]),
    }


@router.get(
    "/workshops/{workshop_id}/links",
    summary="The links of a workshop",
    responses=described(LinkList, {"share_links": [LINK]}, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def list_links(request: Request, workshop_id: Number, reader: Professional) -> Response:
    """Return the links that were given out, without their secrets."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_changeable(await find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
        rows = await stored.list_links(connection, workshop_id)
    return private(request, {"share_links": [link_shape(row) for row in rows]})


@router.post(
    "/workshops/{workshop_id}/links",
    summary="Make a link for participants",
    status_code=201,
    responses=with_created(
        described(
            LinkShape,
            {**LINK, "secret": "tsw_...", "url": "/api/v1/shared/tsw_...", "page": "/shared/tsw_..."},
            400,
            401,
            403,
            404,
            422,
            503,
        )
    ),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_link(request: Request, workshop_id: Number, new: NewLink, reader: Professional) -> Response:
    """Make a link with which people without an account read this workshop, and nothing else. It is shown once."""
    database: Database = request.app.state.database
    expires_at = datetime.now(UTC) + timedelta(days=new.days)
    async with database.connection() as connection:
        require_changeable(await find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
        row, secret = await stored.add_link(connection, workshop_id, new.label, expires_at)
    return created(
        request, {**link_shape(row), "secret": secret, "url": f"/api/v1/shared/{secret}", "page": f"/shared/{secret}"}
    )


@router.delete(
    "/workshops/{workshop_id}/links/{link_id}",
    summary="Revoke a link",
    responses=described(LinkShape, {**LINK, "revoked_at": "2026-05-05T08:00:00Z"}, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def revoke_link(
    request: Request, workshop_id: Number, link_id: Annotated[int, Path(ge=1, le=2**31 - 1)], reader: Professional
) -> Response:
    """Revoke a link; it never works again."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        require_changeable(await find_workshop(connection, workshop_id), reader, "workshop", workshop_id)
        row = await stored.revoke_link(connection, workshop_id, link_id)
    if row is None:
        raise NotFoundError(f"workshop {workshop_id} has no link {link_id}")
    return private(request, link_shape(row))


@router.get(
    "/shared/{secret}",
    summary="A workshop, for participants",
    responses=described(SharedWorkshop, SHARED, 404, 422, 503),
)
async def shared(
    request: Request,
    secret: Annotated[
        str, Path(min_length=20, max_length=80, pattern=r"^tsw_[A-Za-z0-9_-]+$", description="The link's secret.")
    ],
) -> Response:
    """Return what participants read: the workshop's streets and notes, its measure, and what was found of it."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.shared_workshop(connection, secret)
        if row is None:
            raise NotFoundError("this link does not work: it is unknown, has ended, or was revoked")
        names = await names_of(connection, row["segments"])
        measure = None if row["measure_id"] is None else await find_measure(connection, row["measure_id"])
        results = await results_of_measure(connection, row["measure_id"])
        notes = await notes_of(connection, row["workshop_id"])
    response = private(
        request,
        {
            **{name: row[name] for name in ("title", "question", "place")},
            "held_at": stamp(row["held_at"]),
            "segments": [{"segment_id": number, "name": name} for number, name in names.items()],
            "first_day": day(row["first_day"]),
            "last_day": day(row["last_day"]),
            "measure": measure
            and {"name": measure["name"], "kind": measure["kind"], "first_day": day(measure["first_day"])},
            "evaluations": [
                {code: [answer["sentence"][code] for answer in answers] for code in languages_of(answers)}
                for answers in (result["evaluations"] for result in results)
            ],
            "notes": [note_shape(note) for note in notes],
            "expires_at": stamp(row["expires_at"]),
        },
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
