"""Who may do what: a matrix of roles and routes made from the app, keys, other people's things, and how often."""

from __future__ import annotations

import re
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import add_segment, add_sensor

from telstraat_api.app import create_app
from telstraat_api.http.access import SCOPES
from telstraat_api.http.rates import Buckets
from telstraat_api.settings import ApiSettings
from telstraat_store.accounts.secrets import hashed, new_secret

ROLES = ("public", "citizen", "professional", "operator")
OPERATIONS = [
    (method.upper(), path, operation.get("x-role", "public"))
    for path, methods in create_app(ApiSettings()).openapi()["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/api/v1") and not path.endswith("/live")
]
LINE = {"type": "LineString", "coordinates": [[4.70, 50.87], [4.701, 50.871]]}


def let_in(connection: psycopg.Connection, role: str, scopes: tuple[str, ...] = SCOPES, email: str = "") -> str:
    """Make an account with a key and return the key."""
    secret = new_secret()
    email = email or f"{role}@example.org"
    connection.execute("insert into account (email, role) values (%s, %s) on conflict do nothing", (email, role))
    connection.execute(
        "insert into access_key (account_id, hint, hash, scopes) select account_id, 'x', %s, %s from account where email = %s",
        (hashed(secret), list(scopes), email),
    )
    return secret


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def keys(module_connection: psycopg.Connection) -> dict[str, str]:
    add_sensor(module_connection, "linden-12", add_segment(module_connection))
    return {role: let_in(module_connection, role) for role in ROLES[1:]}


@pytest.mark.parametrize(("method", "path", "needed"), OPERATIONS)
def test_every_route_lets_in_its_role_and_those_above(
    module_client: httpx.Client, keys: dict[str, str], method: str, path: str, needed: str
) -> None:
    address = path
    address = address.replace("{form}", "html" if "evaluations" in path else "csv").replace(
        "{secret}", "tsw_" + 20 * "x"
    )
    address = re.sub(r"\{\w+_id\}", "999999", address)
    for role in ROLES:
        headers = bearing(keys[role]) if role in keys else {}
        status = module_client.request(
            method, address, headers=headers, json={} if method != "GET" else None
        ).status_code
        if needed == "device":  # a sensor's own token opens it, and no account's key
            assert status == 401, f"{role} at {method} {path}"
        elif ROLES.index(role) >= ROLES.index(needed):
            assert status not in {401, 403}, f"{role} at {method} {path}"
        else:
            assert status == (401 if role == "public" else 403), f"{role} at {method} {path}"


CHANGED_BY = {
    "citizen": {"keys", "events", "claims", "measures", "jobs"},  # measures: they follow them; jobs: their own
    "professional": {"measures", "evaluations", "workshops"},
    "operator": {"accounts", "segments", "imports", "sensors", "instances"},
    "device": {"device"},  # its own account, with the token that it got for its code
    "public": {"device"},  # a code for that
}


def test_who_changes_what_is_written_down() -> None:
    changed: dict[str, set[str]] = {}
    for method, path, role in OPERATIONS:
        if method != "GET":
            changed.setdefault(role, set()).add(path.split("/")[3])
    assert changed == CHANGED_BY


def test_a_key_is_shown_once_works_and_is_revoked(module_client: httpx.Client, keys: dict[str, str]) -> None:
    mine = bearing(keys["citizen"])
    response = module_client.post("/api/v1/keys", headers=mine, json={"label": "collector", "days": 30})
    assert response.status_code == 201
    secret, number = response.json()["secret"], response.json()["key_id"]
    assert module_client.get("/api/v1/me", headers=bearing(secret)).json() == {
        "email": "citizen@example.org", "role": "citizen", "scopes": ["read"],
    }  # fmt: skip
    assert secret not in module_client.get("/api/v1/keys", headers=mine).text
    assert module_client.delete(f"/api/v1/keys/{number}", headers=mine).json()["revoked_at"]
    refused = module_client.get("/api/v1/me", headers=bearing(secret))
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_no_secret_is_stored(
    module_client: httpx.Client, module_connection: psycopg.Connection, keys: dict[str, str]
) -> None:
    rows = module_connection.execute("select k::text from access_key k").fetchall()
    assert rows
    assert not [key for key in keys.values() for (row,) in rows if key in row or key.encode().hex() in row]


def test_a_key_cannot_make_one_that_may_do_more(
    module_client: httpx.Client, module_connection: psycopg.Connection, keys: dict[str, str]
) -> None:
    narrow = let_in(module_connection, "operator", ("accounts",))
    refused = module_client.post("/api/v1/keys", headers=bearing(narrow), json={"scopes": ["write"]})
    assert refused.status_code == 403
    reader = let_in(module_connection, "operator", ("read",))
    assert module_client.post("/api/v1/keys", headers=bearing(reader), json={}).status_code == 403
    assert module_client.post("/api/v1/segments", headers=bearing(reader), json={}).status_code == 403


def test_other_peoples_keys_and_sensors_are_as_if_they_were_not_there(
    module_client: httpx.Client, module_connection: psycopg.Connection, keys: dict[str, str]
) -> None:
    mine, theirs = bearing(keys["citizen"]), bearing(let_in(module_connection, "citizen", email="other@example.org"))
    number = module_client.post("/api/v1/keys", headers=mine, json={}).json()["key_id"]
    assert module_client.delete(f"/api/v1/keys/{number}", headers=theirs).status_code == 404
    row = module_connection.execute("select sensor_id from sensor where name = 'linden-12'").fetchone()
    assert row
    given = module_client.put(
        f"/api/v1/sensors/{row[0]}/owner", headers=bearing(keys["operator"]), json={"email": "citizen@example.org"}
    )
    assert given.status_code == 200
    [own] = module_client.get("/api/v1/me/sensors", headers=mine).json()["sensors"]
    assert own["name"] == "linden-12"
    assert module_client.get("/api/v1/me/sensors", headers=theirs).json() == {"sensors": []}
    names = {
        who: module_client.get("/api/v1/sensors", headers=headers).json()["sensors"][0]["name"]
        for who, headers in {"mine": mine, "theirs": theirs, "operators": bearing(keys["operator"]), "all": {}}.items()
    }
    assert names == {"mine": "linden-12", "theirs": None, "operators": "linden-12", "all": None}


def test_somebody_who_is_locked_out_is_out_at_once(
    module_client: httpx.Client, module_connection: psycopg.Connection, keys: dict[str, str]
) -> None:
    operator = bearing(keys["operator"])
    response = module_client.post("/api/v1/accounts", headers=operator, json={"email": "Guest@Example.org"})
    assert (response.status_code, response.json()["email"]) == (201, "guest@example.org")
    again = module_client.post("/api/v1/accounts", headers=operator, json={"email": "guest@example.org"})
    assert again.status_code == 409
    key = bearing(let_in(module_connection, "citizen", email="guest@example.org"))
    assert module_client.get("/api/v1/me", headers=key).status_code == 200
    address = f"/api/v1/accounts/{response.json()['account_id']}"
    assert module_client.patch(address, headers=operator, json={"disabled": True}).json()["disabled"]
    assert module_client.get("/api/v1/me", headers=key).status_code == 401
    assert not module_client.patch(address, headers=operator, json={"disabled": False}).json()["disabled"]


def test_nobody_locks_out_themselves_and_unknown_fields_are_an_error(
    module_client: httpx.Client, keys: dict[str, str]
) -> None:
    operator = bearing(keys["operator"])
    accounts = module_client.get("/api/v1/accounts", headers=operator).json()["accounts"]
    me = next(account["account_id"] for account in accounts if account["email"] == "operator@example.org")
    for change in ({"disabled": True}, {"role": "citizen"}):
        assert module_client.patch(f"/api/v1/accounts/{me}", headers=operator, json=change).status_code == 403
    refused = module_client.patch(f"/api/v1/accounts/{me}", headers=operator, json={"email": "new@example.org"})
    assert refused.status_code == 422


def test_a_key_of_another_platform_is_no_reason_to_refuse(module_client: httpx.Client, keys: dict[str, str]) -> None:
    assert module_client.get("/v1", headers={"X-Api-Key": "a-key-of-telraam"}).status_code == 200
    assert module_client.get("/api/v1/sensors", headers={"X-Api-Key": "a-key-of-telraam"}).status_code == 200
    assert module_client.get("/api/v1/sensors", headers={"X-Api-Key": "tst_wrong"}).status_code == 401


def session(connection: psycopg.Connection, email: str) -> dict[str, str]:
    secret = new_secret("")
    connection.execute(
        "insert into browser_session (hash, account_id, expires_at)"
        " select %s, account_id, now() + interval '1 day' from account where email = %s",
        (hashed(secret), email),
    )
    return {"Cookie": f"telstraat_session={secret}"}


def test_a_browser_changes_things_from_our_own_pages_only(
    module_client: httpx.Client, module_connection: psycopg.Connection, keys: dict[str, str]
) -> None:
    cookie = session(module_connection, "citizen@example.org")
    assert module_client.get("/api/v1/me", headers=cookie).json()["role"] == "citizen"
    ours = str(module_client.base_url).rstrip("/")
    for origin, status in ((ours, 201), ("https://elsewhere.example", 403), (None, 403)):
        headers = cookie | ({"Origin": origin} if origin else {})
        assert module_client.post("/api/v1/keys", headers=headers, json={}).status_code == status


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "name"),
        ({"geometry": {"type": "Point", "coordinates": [1, 2]}}, "geometry"),
        ({"geometry": {"type": "LineString", "coordinates": [[0, 0], [4.7, 50.8]]}}, "sea off Africa"),
        ({"geometry": {"type": "LineString", "coordinates": [[4.7, 50.8], [4.7, 50.8]]}}, "0.0 m long"),
        ({"geometry": {"type": "LineString", "coordinates": [[4.7, 50.8], [94.7, 50.8]]}}, "m long"),
        ({"geometry": {"type": "LineString", "coordinates": [[4.7, 95], [4.7, 50.8]]}}, "not longitude and latitude"),
        ({"timezone": "Europe/Atlantis"}, "no time zone"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
        ({"speed_limit_kmh": 400}, "speed_limit_kmh"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_segment_that_cannot_be_is_refused(
    module_client: httpx.Client, keys: dict[str, str], change: dict[str, Any], says: str
) -> None:
    body = {"name": "Kerkplein", "geometry": LINE, **change}
    answer = module_client.post("/api/v1/segments", headers=bearing(keys["operator"]), json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_operators_add_change_and_import_segments(module_client: httpx.Client, keys: dict[str, str]) -> None:
    operator = bearing(keys["operator"])
    response = module_client.post("/api/v1/segments", headers=operator, json={"name": "Kerkplein", "geometry": LINE})
    assert response.status_code == 201
    number = response.json()["id"]
    changed = module_client.patch(f"/api/v1/segments/{number}", headers=operator, json={"speed_limit_kmh": 20})
    assert (changed.json()["properties"]["name"], changed.json()["properties"]["speed_limit_kmh"]) == ("Kerkplein", 20)
    way = {
        "type": "Feature",
        "id": "way/1234",
        "properties": {"name": "Dorpsstraat", "maxspeed": "30"},
        "geometry": LINE,
    }
    house = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [4.7, 50.8]}}
    file = {"type": "FeatureCollection", "features": [way, house]}
    answer = module_client.post("/api/v1/imports/segments", headers=operator, json=file).json()
    assert len(answer["added"]) == 1
    assert answer["refused"][0]["feature"] == 1
    imported = module_client.get(f"/api/v1/segments/{answer['added'][0]}").json()["properties"]
    assert (imported["name"], imported["speed_limit_kmh"]) == ("Dorpsstraat", 30)


def test_who_asks_too_often_is_told_when_to_come_back(database: str) -> None:
    settings = ApiSettings(dsn=database, rate_per_minute=6, rate_burst=3)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        statuses = [client.get("/v1").status_code for _ in range(4)]
        refused = client.get("/v1")
        assert client.get("/healthz").status_code == 200
    assert statuses == [200, 200, 200, 429]
    assert refused.json()["message"] == "Too Many Requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert "frame-ancestors" in refused.headers["content-security-policy"]


def test_a_bucket_fills_up_steadily_and_never_over_its_rim() -> None:
    now = [0.0]
    buckets = Buckets(60, 2, clock=lambda: now[0])
    assert [buckets.take("a"), buckets.take("a")] == [0, 0]
    assert buckets.take("a") == pytest.approx(1)
    assert buckets.take("b") == 0
    now[0] = 1000.0
    assert [buckets.take("a") for _ in range(3)] == [0, 0, pytest.approx(1)]
