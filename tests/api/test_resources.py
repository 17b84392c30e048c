"""Measures, events, workshops, instances and claims: who sees and changes what, pages that follow on, no lost updates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.streets import add_segment, add_sensor
from tests.api.test_access import bearing, let_in

from telstraat_cli.main import main
from telstraat_contract.claims import claim_hash, new_claim_code, plain_code

WHO = ("public", "citizen", "neighbour", "professional", "colleague", "operator")


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return [add_segment(module_connection, name) for name in ("Lindenstraat", "Kerkplein", "Stationslaan", "Molenweg")]


@pytest.fixture(scope="module")
def who(module_connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    roles = {"neighbour": "citizen", "colleague": "professional"}
    return {"public": {}} | {
        name: bearing(let_in(module_connection, roles.get(name, name), email=f"{name}@example.org")) for name in WHO[1:]
    }


@pytest.fixture
def client(module_client: httpx.Client) -> httpx.Client:
    return module_client


def measure(streets: list[int], **more: Any) -> dict[str, Any]:
    return {"name": "School street", "kind": "school_street", "first_day": "2026-03-02", "treated": streets[:1],
            "controls": streets[1:3], **more}  # fmt: skip


def event(streets: list[int], **more: Any) -> dict[str, Any]:
    return {"segment_id": streets[0], "kind": "market", "title": "Market", "from_at": "2026-03-20T08:00:00+01:00",
            "until_at": "2026-03-20T18:00:00+01:00", **more}  # fmt: skip


def workshop(streets: list[int], **more: Any) -> dict[str, Any]:
    return {
        "title": "An evening",
        "place": "Town hall",
        "held_at": "2026-05-04T19:00:00+02:00",
        "segments": streets[:2],
        **more,
    }


MADE_BY = {"measures": ("professional", measure), "events": ("citizen", event), "workshops": ("professional", workshop)}
OTHERS = {"measures": "colleague", "events": "neighbour", "workshops": "colleague"}
TITLES = {"measures": "name", "events": "title", "workshops": "title"}


def add(client: httpx.Client, kind: str, headers: dict[str, str], body: dict[str, Any]) -> Any:
    answer = client.post(f"/api/v1/{kind}", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    return answer.json()


@pytest.mark.parametrize("kind", MADE_BY)
def test_what_is_not_published_is_seen_by_its_maker_and_by_professionals(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int], kind: str
) -> None:
    maker, body = MADE_BY[kind]
    address = add(client, kind, who[maker], body(streets))["links"]["self"]
    seen = {name: client.get(address, headers=headers).status_code == 200 for name, headers in who.items()}
    assert seen == {
        "public": False, "citizen": kind == "events", "neighbour": False, "professional": True, "colleague": True,
        "operator": True,
    }  # fmt: skip
    for name, headers in who.items():
        listed = client.get(f"/api/v1/{kind}?limit=500", headers=headers).json()[kind]
        assert (address in [row["links"]["self"] for row in listed]) is seen[name], name
    assert client.patch(address, headers=who[maker], json={"published": True}).status_code == 200
    assert all(client.get(address, headers=headers).status_code == 200 for headers in who.values())


@pytest.mark.parametrize("kind", MADE_BY)
def test_what_others_have_made_cannot_be_changed_and_may_not_even_be_there(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int], kind: str
) -> None:
    maker, body = MADE_BY[kind]
    address = add(client, kind, who[maker], body(streets))["links"]["self"]
    hidden = 404 if kind == "events" else 403  # a neighbour does not see the event; a colleague sees the measure
    other = who[OTHERS[kind]]
    assert client.patch(address, headers=other, json={TITLES[kind]: "Mine now"}).status_code == hidden
    assert client.delete(address, headers=other).status_code == hidden
    missing = client.get(address.rpartition("/")[0] + "/999999", headers=other)
    if kind == "events":
        hidden_answer = client.get(address, headers=other)
        assert (hidden_answer.status_code, set(hidden_answer.json())) == (404, set(missing.json()))
    assert client.get(address, headers=who[maker]).json()[TITLES[kind]] == body(streets)[TITLES[kind]]
    assert client.delete(address, headers=who["operator"]).status_code == 200
    assert client.get(address, headers=who[maker]).status_code == 404


@pytest.mark.parametrize("kind", MADE_BY)
def test_the_public_learns_no_address(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int], kind: str
) -> None:
    maker, body = MADE_BY[kind]
    created = add(client, kind, who[maker], body(streets, published=True))
    assert (created["mine"], created["created_by"]) == (True, f"{maker}@example.org")
    address = created["links"]["self"]
    answers = {name: client.get(address, headers=headers).json() for name, headers in who.items()}
    assert answers["public"]["created_by"] is answers["neighbour"]["created_by"] is None
    assert not any(answers[name]["mine"] for name in ("public", "neighbour", "colleague", "operator"))
    assert (answers["colleague"]["created_by"] is None) is (kind == "events")
    assert answers["operator"]["created_by"] == f"{maker}@example.org"
    assert all(set(value) == set(created) for value in answers.values())
    assert "private" in client.get(address).headers["cache-control"]


@pytest.mark.parametrize("kind", MADE_BY)
def test_nobody_overwrites_what_they_have_not_seen(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int], kind: str
) -> None:
    maker, body = MADE_BY[kind]
    address = add(client, kind, who[maker], body(streets))["links"]["self"]
    seen = client.get(address, headers=who[maker]).headers["etag"]
    mine = who[maker] | {"If-Match": seen}
    assert client.get(address, headers=who[maker] | {"If-None-Match": seen}).status_code == 304
    first = client.patch(address, headers=mine, json={TITLES[kind]: "Changed"})
    assert first.status_code == 200
    assert first.json()[TITLES[kind]] == "Changed"
    second = client.patch(address, headers=mine, json={TITLES[kind]: "Changed twice"})
    assert (second.status_code, second.json()["type"]) == (412, "/problems/changed")
    assert client.delete(address, headers=mine).status_code == 412
    again = who[maker] | {"If-Match": first.headers["etag"]}
    assert client.delete(address, headers=again).status_code == 200


@pytest.mark.parametrize("kind", MADE_BY)
def test_pages_follow_on_while_others_come_and_go(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int], kind: str
) -> None:
    maker, body = MADE_BY[kind]
    key = kind[:-1] + "_id"
    created = [add(client, kind, who[maker], body(streets))[key] for _ in range(5)]
    page = client.get(f"/api/v1/{kind}?limit=2&after={created[0] - 1}", headers=who[maker]).json()
    seen = [value[key] for value in page[kind]]
    client.delete(f"/api/v1/{kind}/{created[1]}", headers=who[maker])  # read already
    client.delete(f"/api/v1/{kind}/{created[3]}", headers=who[maker])  # still to come
    while page["next"]:
        page = client.get(page["next"], headers=who[maker]).json()
        seen += [value[key] for value in page[kind]]
    assert [number for number in seen if number in created] == [created[0], created[1], created[2], created[4]]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("measures", {"treated": []}, "treated"),
        ("measures", {"treated": [999_999]}, "there is no segment 999999"),
        ("measures", {"first_day": "2026-02-30"}, "first_day"),
        ("measures", {"timezone": "Mars/Olympus"}, "no time zone"),
        ("measures", {"kind": "magic"}, "kind"),
        ("measures", {"after_days": 3}, "after_days"),
        ("measures", {"phases": [{"name": "trial", "first_day": "2026-03-02", "last_day": "2026-03-01"}]}, "lies before"),
        ("measures", {"colour": "blue"}, "colour"),
        ("events", {"until_at": "2026-03-20T08:00:00+01:00"}, "must lie after"),
        ("events", {"from_at": "2026-03-20T08:00:00"}, "from_at"),
        ("events", {"segment_id": 999_999}, "there is no segment"),
        ("events", {"title": "a\u0000b"}, "title"),
        ("workshops", {"measure_id": 999_999}, "there is no measure"),
        ("workshops", {"first_day": "2026-03-02", "last_day": "2026-03-01"}, "lies before"),
        ("workshops", {"segments": [999_999]}, "there is no segment"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(
    client: httpx.Client,
    who: dict[str, dict[str, str]],
    streets: list[int],
    kind: str,
    change: dict[str, Any],
    says: str,
) -> None:
    maker, body = MADE_BY[kind]
    answer = client.post(f"/api/v1/{kind}", headers=who[maker], json=body(streets) | change)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_a_street_cannot_be_treated_and_compared_with(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    twice = client.post("/api/v1/measures", headers=who["professional"], json=measure(streets, controls=streets[:2]))
    assert (twice.status_code, "can be only one" in twice.text) == (422, True)
    created = add(client, "measures", who["professional"], measure(streets))
    address = created["links"]["self"]
    moved = client.patch(address, headers=who["professional"], json={"boundary": streets[:1]})
    assert (moved.status_code, "can be only one" in moved.text) == (422, True)
    swapped = client.patch(
        address, headers=who["professional"], json={"controls": streets[3:], "boundary": streets[1:2]}
    ).json()
    assert (swapped["treated"], swapped["controls"], swapped["boundary"]) == (streets[:1], streets[3:], streets[1:2])
    answer = client.get(f"/api/v1/measures?segment={streets[3]}&limit=500", headers=who["professional"]).json()
    assert created["measure_id"] in [row["measure_id"] for row in answer["measures"]]


def test_events_are_found_by_street_period_and_maker(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    street = {"segment_id": streets[3]}
    mine = add(client, "events", who["citizen"], event(streets, **street))["event_id"]
    theirs = add(client, "events", who["neighbour"], event(streets, published=True, **street))["event_id"]

    def numbers(query: str) -> list[int]:
        events = client.get(f"/api/v1/events?segment={streets[3]}&{query}", headers=who["citizen"]).json()["events"]
        return [row["event_id"] for row in events]

    assert numbers("from=2026-03-20&to=2026-03-21") == [mine, theirs]
    assert numbers("mine=true") == [mine]
    assert numbers("to=2026-03-20T07:00:00Z") == []
    assert numbers("from=2026-03-20T17:00:00Z") == []
    assert client.get("/api/v1/events?from=2026-02-31").status_code == 422


def test_participants_read_a_workshop_with_a_link_and_nothing_else(
    client: httpx.Client, module_connection: psycopg.Connection, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    measure_id = add(client, "measures", who["professional"], measure(streets))["measure_id"]
    shop = add(client, "workshops", who["professional"], workshop(streets, measure_id=measure_id))
    address = shop["links"]["self"]
    note = client.post(
        f"{address}/notes", headers=who["colleague"], json={"kind": "question", "body": "Where to?\nHow?"}
    )
    assert note.status_code == 201
    link = client.post(f"{address}/links", headers=who["professional"], json={"label": "neighbours", "days": 7}).json()
    response = client.get(link["url"])
    assert response.status_code == 200
    shared = response.json()
    assert shared["title"] == "An evening"
    assert [segment["name"] for segment in shared["segments"]] == ["Lindenstraat", "Kerkplein"]
    assert shared["measure"]["name"] == "School street"
    assert [entry["body"] for entry in shared["notes"]] == ["Where to?\nHow?"]
    assert "example.org" not in response.text
    assert response.headers["referrer-policy"] == "no-referrer"
    # The link opens this one answer: it is no key.
    for headers in (bearing(link["secret"]), {"X-Api-Key": link["secret"]}):
        assert client.get(address, headers=headers).status_code in {401, 404}
    assert client.post(f"{address}/notes", headers=bearing(link["secret"]), json={"body": "x"}).status_code == 401
    stored = module_connection.execute("select l::text from workshop_link l").fetchall()
    assert not [row for (row,) in stored if link["secret"] in row]
    # Of others, ended, revoked.
    assert client.delete(f"{address}/links/{link['link_id']}", headers=who["colleague"]).status_code == 403
    assert client.get(f"{address}/links", headers=who["colleague"]).status_code == 403
    module_connection.execute("update workshop_link set expires_at = now() where link_id = %s", (link["link_id"],))
    assert client.get(link["url"]).status_code == 404
    fresh = client.post(f"{address}/links", headers=who["professional"], json={}).json()
    assert client.get(fresh["url"]).status_code == 200
    revoked = client.delete(f"{address}/links/{fresh['link_id']}", headers=who["professional"])
    assert revoked.json()["revoked_at"]
    assert client.get(fresh["url"]).status_code == 404
    listed = client.get(f"{address}/links", headers=who["professional"])
    assert fresh["secret"] not in listed.text
    assert len(listed.json()["share_links"]) == 2


def test_notes_are_taken_back_by_their_writer_or_the_workshops_maker(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    address = add(client, "workshops", who["professional"], workshop(streets))["links"]["self"]
    other = add(client, "workshops", who["professional"], workshop(streets))["links"]["self"]

    def write(name: str) -> int:
        return int(client.post(f"{address}/notes", headers=who[name], json={"body": name}).json()["note_id"])

    mine, theirs = write("professional"), write("colleague")
    assert client.delete(f"{address}/notes/{mine}", headers=who["colleague"]).status_code == 404
    assert client.delete(f"{other}/notes/{mine}", headers=who["professional"]).status_code == 404
    assert client.delete(f"{address}/notes/{theirs}", headers=who["professional"]).status_code == 200
    assert [note["note_id"] for note in client.get(address, headers=who["professional"]).json()["notes"]] == [mine]


def coded(connection: psycopg.Connection, name: str, segment: int) -> tuple[int, str]:
    sensor, code = add_sensor(connection, name, segment), new_claim_code()
    connection.execute(
        "insert into sensor_claim (sensor_id, hash, expires_at) values (%s, %s, %s)",
        (sensor, claim_hash(name, code), datetime.now(UTC) + timedelta(days=1)),
    )
    return sensor, code


def test_a_sensor_is_claimed_once_with_its_code_and_given_up(
    client: httpx.Client, module_connection: psycopg.Connection, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    sensor, code = coded(module_connection, "linden-7", streets[0])
    wrong = client.post("/api/v1/claims", headers=who["citizen"], json={"sensor": "linden-7", "code": "0000-0000-0000"})
    unknown = client.post("/api/v1/claims", headers=who["citizen"], json={"sensor": "linden-8", "code": code})
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json() == unknown.json()
    written = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    claimed = client.post("/api/v1/claims", headers=who["citizen"], json={"sensor": "linden-7", "code": written})
    assert (claimed.status_code, claimed.json()["sensor_id"]) == (201, sensor)
    again = client.post("/api/v1/claims", headers=who["neighbour"], json={"sensor": "linden-7", "code": code})
    assert again.status_code == 404
    assert [claim["sensor"] for claim in client.get("/api/v1/claims", headers=who["citizen"]).json()["claims"]] == [
        "linden-7"
    ]
    assert client.get("/api/v1/claims", headers=who["neighbour"]).json() == {"claims": []}
    assert client.delete(f"/api/v1/claims/{sensor}", headers=who["neighbour"]).status_code == 404
    assert client.delete(f"/api/v1/claims/{sensor}", headers=who["citizen"]).status_code == 200
    assert client.get("/api/v1/me/sensors", headers=who["citizen"]).json() == {"sensors": []}
    fresh = client.post(f"/api/v1/sensors/{sensor}/claim-code", headers=who["operator"]).json()["code"]
    assert not module_connection.execute(
        "select from sensor_claim where encode(hash, 'escape') like %s", (f"%{fresh}%",)
    ).fetchall()
    taken = client.post("/api/v1/claims", headers=who["neighbour"], json={"sensor": "linden-7", "code": fresh})
    assert taken.status_code == 201


def test_an_ended_code_and_a_guesser_get_nowhere(
    client: httpx.Client, module_connection: psycopg.Connection, streets: list[int]
) -> None:
    sensor, code = coded(module_connection, "linden-9", streets[0])
    module_connection.execute("update sensor_claim set expires_at = now() where sensor_id = %s", (sensor,))
    guesser = bearing(let_in(module_connection, "citizen", email="guesser@example.org"))
    ended = client.post("/api/v1/claims", headers=guesser, json={"sensor": "linden-9", "code": code})
    assert ended.status_code == 404
    module_connection.execute(
        "update sensor_claim set expires_at = now() + interval '1 day' where sensor_id = %s", (sensor,)
    )
    tries = [
        client.post("/api/v1/claims", headers=guesser, json={"sensor": "linden-9", "code": f"{n:012}"})
        for n in range(8)
    ]
    assert [item.status_code for item in tries][-1] == 429
    assert 1 <= int(tries[-1].headers["retry-after"]) <= 60
    # Also with the right code, and for another guesser: the sensor itself rests.
    other = bearing(let_in(module_connection, "citizen", email="second-guesser@example.org"))
    for headers in (guesser, other):
        assert (
            client.post("/api/v1/claims", headers=headers, json={"sensor": "linden-9", "code": code}).status_code == 429
        )


def test_codes_are_long_and_never_the_same() -> None:
    codes = {new_claim_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(plain_code(code)) == 12 for code in codes)
    assert claim_hash("a", "0000-0000-0000") != claim_hash("b", "0000-0000-0000")


def test_an_instance_tells_its_side_to_its_owner_only(
    client: httpx.Client, module_connection: psycopg.Connection, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    sensor = add_sensor(module_connection, "canary-window", streets[2])
    module_connection.execute(
        "update sensor set account_id = (select account_id from account where email = 'citizen@example.org') where sensor_id = %s",
        (sensor,),
    )
    body = {"sensor_id": sensor, "segment_id": streets[1], "side": "left", "note": "second floor"}
    response = client.post("/api/v1/instances", headers=who["operator"], json=body)
    assert response.status_code == 201
    address = response.json()["links"]["self"]
    answers = {name: client.get(address, headers=headers).json() for name, headers in who.items()}
    secret = {name: (row["sensor"], row["side"], row["note"]) for name, row in answers.items()}
    assert {name for name, value in secret.items() if value == ("canary-window", "left", "second floor")} == {
        "citizen",
        "operator",
    }
    assert all(value == (None, None, None) for name, value in secret.items() if name not in {"citizen", "operator"})
    history = client.get(f"/api/v1/instances?sensor={sensor}").json()["instances"]
    assert [row["segment_id"] for row in history] == [streets[2], streets[1]]
    assert history[0]["until_at"] == history[1]["from_at"]


def test_history_is_not_rewritten(
    client: httpx.Client, module_connection: psycopg.Connection, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    sensor = add_sensor(module_connection, "linden-40", streets[2])
    before = client.post(
        "/api/v1/instances", headers=who["operator"],
        json={"sensor_id": sensor, "segment_id": streets[1], "from_at": "2019-01-01T00:00:00Z"},
    )  # fmt: skip
    assert before.status_code == 409
    number = client.get(f"/api/v1/instances?sensor={sensor}").json()["instances"][0]["instance_id"]
    address = f"/api/v1/instances/{number}"
    early = client.patch(address, headers=who["operator"], json={"until_at": "2019-01-01T00:00:00Z"})
    assert early.status_code == 422
    for change in ({"segment_id": streets[0]}, {"from_at": "2021-01-01T00:00:00Z"}):
        assert client.patch(address, headers=who["operator"], json=change).status_code == 422
    ended = client.patch(address, headers=who["operator"], json={"until_at": "2026-01-01T00:00:00Z", "side": "right"})
    assert (ended.json()["until_at"], ended.json()["side"]) == ("2026-01-01T00:00:00Z", "right")
    missing = client.post(
        "/api/v1/instances", headers=who["operator"], json={"sensor_id": 999_999, "segment_id": streets[0]}
    )
    assert missing.status_code == 422


def test_the_code_that_the_command_shows_makes_a_citizen_the_owner(
    client: httpx.Client,
    module_database: str,
    who: dict[str, dict[str, str]],
    streets: list[int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    words = ["add", "linden-77", "--segment", str(streets[0]), "--password-file", str(tmp_path / "password")]
    assert main(["sensor", "--dsn", module_database, *words]) == 0
    printed = capsys.readouterr().out
    [code] = re.findall(r"([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})", printed)
    owner = client.post("/api/v1/claims", headers=who["colleague"], json={"sensor": "linden-77", "code": code})
    assert owner.status_code == 201
    own = client.get("/api/v1/me/sensors", headers=who["colleague"]).json()["sensors"]
    assert [row["name"] for row in own] == ["linden-77"]


def test_a_workshop_is_a_page_for_those_who_see_it_and_for_whoever_has_its_link(
    client: httpx.Client, who: dict[str, dict[str, str]], streets: list[int]
) -> None:
    professional = who["professional"]
    about = add(client, "measures", professional, measure(streets, name="Not for all yet"))["measure_id"]
    shop = add(client, "workshops", professional, workshop(streets, title="An <evening>", measure_id=about))
    note = {"kind": "question", "body": "Where <to>?"}
    assert client.post(shop["links"]["notes"], headers=professional, json=note).status_code == 201
    link = client.post(f"{shop['links']['self']}/links", headers=professional, json={"label": "all"}).json()
    page, html = f"/workshops/{shop['workshop_id']}", {"accept": "text/html"}
    assert client.get(page, headers=html).status_code == 404
    assert "An &lt;evening&gt;" not in client.get("/workshops", headers=html).text
    assert "An &lt;evening&gt;" in client.get("/workshops", headers=professional).text
    shared = link["page"]
    for answer in (client.get(page, headers=professional), client.get(shared, headers=html)):
        assert answer.status_code == 200
        assert "private" in answer.headers["cache-control"]
        assert "An &lt;evening&gt;" in answer.text
        assert "Where &lt;to&gt;?" in answer.text
        assert "Lindenstraat" in answer.text
        assert "Not for all yet" in answer.text
    public = client.patch(shop["links"]["self"], headers=professional, json={"published": True})
    assert public.status_code == 200
    assert "Not for all yet" not in client.get(page, headers=html).text
    assert client.get(shared).headers["referrer-policy"] == "no-referrer"
    gone = f"{shop['links']['self']}/links/{link['link_id']}"
    assert client.delete(gone, headers=professional).status_code == 200
    assert client.get(shared, headers=html).status_code == 404
