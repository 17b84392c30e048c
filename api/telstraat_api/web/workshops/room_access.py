"""Who is in a room: whoever leads it, a participant with the room's cookie, or somebody who may see its workshop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import ForbiddenError, NotFoundError
from telstraat_api.http.access import Reader, Role
from telstraat_api.v1.resources import owns, sees
from telstraat_api.web.forms import sign_in_first
from telstraat_api.web.pages import page_reader
from telstraat_store.connection import Row
from telstraat_store.work.participants import participant_of
from telstraat_store.work.rooms import find_room
from telstraat_store.work.workshops import find_workshop


class NotInRoomError(NotFoundError):
    """Whoever asks is not in this room, or there is none: both are answered alike."""


NOT_HERE = "you are not in this room: scan the code on the wall, or type it at /join"


@dataclass(frozen=True)
class Guest:
    """Somebody in a room, with the workshop and the room; `participant` is None for whoever has not joined."""

    workshop: Row
    room: Row
    reader: Reader
    participant: Row | None

    @property
    def leads(self) -> bool:
        """Whoever made the workshop, and operators."""
        return owns(self.reader, self.workshop) or self.reader.role is Role.OPERATOR

    @property
    def name(self) -> str:
        """Whom windows count for."""
        return f"p{self.participant['participant_id']}" if self.participant else f"a{self.reader.account_id}"


def cookie_of(workshop_id: int) -> str:
    """Return the name of a room's cookie: one per room, so that none says anything about another."""
    return f"telstraat_room_{workshop_id}"


def remember_participant(request: Request, response: Response, room: Row, secret: str) -> Response:
    """Let a phone remember who it is in this room, for as long as the room is open."""
    response.set_cookie(
        cookie_of(room["workshop_id"]), secret, expires=room["ends_at"], samesite="lax", httponly=True,
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


async def guest_of(request: Request, connection: AsyncConnection[Any], workshop_id: int) -> Guest:
    """Return who looks at a room.

    Raises
    ------
    NotInRoomError
        There is no such room, or none for whoever asks: both are answered alike, so that nobody guesses rooms.
    """
    reader = await page_reader(request)
    workshop = await find_workshop(connection, workshop_id)
    room = await find_room(connection, workshop_id)
    if workshop is None or room is None:
        raise NotInRoomError(NOT_HERE)
    secret = request.cookies.get(cookie_of(workshop_id))
    participant = await participant_of(connection, workshop_id, secret) if secret else None
    guest = Guest(workshop, room, reader, participant)
    if participant is None and not (guest.leads or (reader.role >= Role.PROFESSIONAL and sees(reader, workshop))):
        raise NotInRoomError(NOT_HERE)
    return guest


async def participant_in(request: Request, connection: AsyncConnection[Any], workshop_id: int) -> Guest:
    """Return a participant who may write; `NotFoundError` for everybody else."""
    guest = await guest_of(request, connection, workshop_id)
    if guest.participant is None:
        raise NotInRoomError(NOT_HERE)
    return guest


async def leader_of(request: Request, connection: AsyncConnection[Any], workshop_id: int) -> Guest:
    """Return whoever leads a room: strangers are sent to sign in, others are refused."""
    reader = await page_reader(request)
    if reader.role is Role.PUBLIC:
        raise await sign_in_first(request)
    guest = await guest_of(request, connection, workshop_id)
    if not guest.leads:
        raise ForbiddenError("only whoever made this workshop, or an operator, leads its room")
    return guest
