"""`/api/v1/me`, `/keys` and `/accounts`: one's own keys, and who may do what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from telstraat_api.errors import ForbiddenError, NotFoundError
from telstraat_api.http.access import KeyOwner, Operator, Role, SignedIn, needs
from telstraat_api.http.answers import json_answer, stamp
from telstraat_api.v1.shapes import described
from telstraat_store.accounts import keys as stored_keys
from telstraat_store.accounts import people
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["access"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
RoleName = Literal["citizen", "professional", "operator"]
EMAIL = r"^[^@\s<>,;\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}$"


class RequestBody(BaseModel):
    """What is sent: fields that are not known are an error."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)


class NewKey(RequestBody):
    """A key to be made."""

    label: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f]*$", description="What it is for.")
    scopes: list[Literal["read", "write", "accounts"]] = Field(["read"], min_length=1, max_length=3)
    days: int | None = Field(None, ge=1, le=3650, description="For how long; null for until it is revoked.")


class NewAccount(RequestBody):
    """Somebody to be let in."""

    email: str = Field(max_length=254, pattern=EMAIL, examples=["someone@example.org"])
    name: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f]*$")
    role: RoleName = "citizen"


class AccountChange(RequestBody):
    """What changes of an account; what is left out stays."""

    name: str | None = Field(None, max_length=100, pattern=r"^[^\x00-\x1f]*$")
    role: RoleName | None = None
    disabled: bool | None = None


class KeyShape(BaseModel):
    """A key, without its secret: that is shown once, when it is made."""

    key_id: int
    label: str
    hint: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used: str | None
    secret: str | None = Field(None, description="Only in the answer that makes the key.")


class KeyList(BaseModel):
    """One's own keys."""

    keys: list[KeyShape]


class AccountShape(BaseModel):
    """Somebody who may sign in."""

    account_id: int
    email: str
    name: str
    role: str
    created_at: str
    disabled: bool


class AccountList(BaseModel):
    """Everybody who may sign in."""

    accounts: list[AccountShape]


class Me(BaseModel):
    """Who asks."""

    email: str
    role: str
    scopes: list[str]


KEY: dict[str, Any] = {
    "key_id": 1,
    "label": "nightly collector",
    "hint": "tst_Zx81",
    "scopes": ["read"],
    "created_at": "2026-03-02T08:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used": "2026-03-04",
}
ACCOUNT = {
    "account_id": 1,
    "email": "someone@example.org",
    "name": "Someone",
    "role": "citizen",
    "created_at": "2026-03-02T08:00:00Z",
    "disabled": False,
}


def key_shape(row: Row, secret: str | None = None) -> dict[str, Any]:
    """Return a key as its owner may see it."""
    shape = {
        "key_id": row["key_id"],
        "label": row["label"],
        "hint": row["hint"],
        "scopes": row["scopes"],
        "created_at": stamp(row["created_at"]),
        "expires_at": stamp(row["expires_at"]),
        "revoked_at": stamp(row["revoked_at"]),
        "last_used": row["last_used"].isoformat() if row["last_used"] else None,
    }
    return shape if secret is None else {**shape, "secret": secret}


def account_shape(row: Row) -> dict[str, Any]:
    """Return an account as operators see it."""
    return {
        "account_id": row["account_id"],
        "email": row["email"],
        "name": row["name"],
        "role": row["role"],
        "created_at": stamp(row["created_at"]),
        "disabled": row["disabled_at"] is not None,
    }


def created(request: Request, body: dict[str, Any]) -> Response:
    """Return an answer about something that was made."""
    response = json_answer(request, body)
    response.status_code = 201
    response.headers["Cache-Control"] = "no-store"
    return response


def with_created(answers: dict[Any, Any]) -> dict[Any, Any]:
    """Return the description of answers with 201 in place of 200."""
    return {201 if status == 200 else status: answer for status, answer in answers.items()}


ME = {"email": "someone@example.org", "role": "citizen", "scopes": ["read"]}


@router.get("/me", summary="Who asks", responses=described(Me, ME, 401, 403, 503), openapi_extra=needs(Role.CITIZEN))
async def me(request: Request, reader: SignedIn) -> Response:
    """Return one's own address, role, and the scopes of the key that is used."""
    body = {"email": reader.email, "role": reader.role.name.lower(), "scopes": sorted(reader.scopes)}
    return json_answer(request, body)


@router.get(
    "/keys",
    summary="One's own keys",
    responses=described(KeyList, {"keys": [KEY]}, 401, 403, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def keys(request: Request, reader: KeyOwner) -> Response:
    """Return one's own keys, without their secrets."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored_keys.list_keys(connection, reader.account_id)
    return json_answer(request, {"keys": [key_shape(row) for row in rows]})


@router.post(
    "/keys",
    summary="Make a key",
    status_code=201,
    responses=with_created(described(KeyShape, {**KEY, "secret": "tst_..."}, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.CITIZEN),
)
async def make_key(request: Request, new: NewKey, reader: KeyOwner) -> Response:
    """Make a key and show its secret, once. A key can do no more than the key or session that made it."""
    beyond = sorted(set(new.scopes) - reader.scopes)
    if beyond:
        raise ForbiddenError(f"a key cannot be given the scope {beyond[0]!r}, which yours lacks")
    expires = None if new.days is None else datetime.now(UTC) + timedelta(days=new.days)
    database: Database = request.app.state.database
    async with database.connection() as connection:
        key = await stored_keys.make_key(
            connection, new.label, sorted(set(new.scopes)), account_id=reader.account_id, expires_at=expires
        )
    assert key is not None
    return created(request, key_shape(*key))


@router.delete(
    "/keys/{key_id}",
    summary="Revoke a key",
    responses=described(KeyShape, {**KEY, "revoked_at": "2026-03-05T08:00:00Z"}, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def revoke_key(request: Request, key_id: Number, reader: KeyOwner) -> Response:
    """Revoke one of one's own keys; it stays in the list, and never works again."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored_keys.revoke_key(connection, key_id, reader.account_id)
    if row is None:
        raise NotFoundError(f"there is no key {key_id}")
    return json_answer(request, key_shape(row))


@router.get(
    "/accounts",
    summary="Everybody who may sign in",
    responses=described(AccountList, {"accounts": [ACCOUNT]}, 401, 403, 503),
    openapi_extra=needs(Role.OPERATOR),
)
async def accounts(request: Request, _reader: Operator) -> Response:
    """Return all accounts."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await people.list_accounts(connection)
    return json_answer(request, {"accounts": [account_shape(row) for row in rows]})


@router.post(
    "/accounts",
    summary="Let somebody in",
    status_code=201,
    responses=with_created(described(AccountShape, ACCOUNT, 400, 401, 403, 409, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def add_account(request: Request, new: NewAccount, _reader: Operator) -> Response:
    """Make an account. Its owner signs in with the address."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await people.add_account(connection, new.email, new.name, new.role)
    return created(request, account_shape(row))


@router.patch(
    "/accounts/{account_id}",
    summary="Change somebody's name or role, or lock them out",
    responses=described(AccountShape, ACCOUNT, 400, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.OPERATOR),
)
async def change_account(request: Request, account_id: Number, change: AccountChange, reader: Operator) -> Response:
    """Change an account. Whoever is locked out loses keys and sessions at once. Nobody can lock out themselves."""
    if account_id == reader.account_id and (change.disabled or change.role not in {None, "operator"}):
        raise ForbiddenError("ask another operator to change this: you would lock out yourself")
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await people.change_account(connection, account_id, change.model_dump())
    if row is None:
        raise NotFoundError(f"there is no account {account_id}")
    return json_answer(request, account_shape(row))
