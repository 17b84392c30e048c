"""A workshop's room over HTTP: what was confirmed is there once, whoever was away is told what they lack, strangers see nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Json
from tests.api.conftest import served
from tests.api.people import browser, session_of
from tests.api.rooms import SCRIPT, code_of, join, lead, listening, make_workshop, state_of, write
from tests.api.streets import add_segment

from telstraat_analytics.report.charts import svg
from telstraat_analytics.report.minutes_chart import minutes_chart
from telstraat_api.settings import ApiSettings
from telstraat_api.web.forms import PageForm
from telstraat_api.web.workshops.room_shapes import pin_of_form

ADD_MEASURE = """
insert into measure (name, kind, first_day, timezone, published)
values ('School street', 'school_street', '2026-03-02', 'Europe/Brussels', true) returning measure_id
"""
ADD_EVALUATION = """
insert into evaluation (measure_id, questions, answered, result, contents, published)
values (%s, '[]', true, %s, '{}', %s)
"""


@pytest.fixture
def address(module_client: httpx.Client) -> str:
    return str(module_client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    return [add_segment(module_connection, name) for name in ("Schoolstraat", "Kerksteeg")]


@pytest.fixture
def leader(module_connection: psycopg.Connection, address: str) -> Iterator[httpx.Client]:
    with browser(address, session_of(module_connection, "professional", "leader@example.org")) as leader:
        yield leader


@pytest.fixture
def room(leader: httpx.Client, streets: list[int]) -> int:
    room = make_workshop(leader, streets)
    assert lead(leader, room, "phase", phase="collect").status_code == 200
    return room


@pytest.fixture
def phones(leader: httpx.Client, room: int, address: str) -> Iterator[list[httpx.Client]]:
    code = code_of(leader, room)
    phones = [browser(address) for _ in range(3)]
    for number, phone in enumerate(phones):
        assert join(phone, code, f"Name {number}").headers["location"] == f"/workshops/{room}/room"
    yield phones
    for phone in phones:
        phone.close()


def test_phones_take_part_by_code_without_an_account_and_see_what_others_write(
    leader: httpx.Client, room: int, phones: list[httpx.Client]
) -> None:
    assert phones[0].get(f"/workshops/{room}/room").status_code == 200
    answer = write(phones[0], room, "Cars wait here")
    assert answer.status_code == 201
    assert "client_id" not in answer.text
    for client in (*phones, leader):
        assert [note["body"] for note in state_of(client, room)["notes"]] == ["Cars wait here"]
    assert state_of(leader, room)["people"] == 3


def test_a_note_that_is_sent_again_after_its_confirmation_was_lost_is_one_note(
    room: int, phones: list[httpx.Client]
) -> None:
    number = str(uuid4())
    first, again = (write(phones[0], room, "Once", number) for _ in "12")
    assert first.json()["note"]["id"] == again.json()["note"]["id"]
    assert len(state_of(phones[1], room)["notes"]) == 1
    assert write(phones[1], room, "Mine now", number).status_code == 409


def test_a_form_without_a_script_adds_a_note_and_votes(
    leader: httpx.Client, room: int, phones: list[httpx.Client]
) -> None:
    data = {"kind": "proposal", "body": "One way", "street": "", "what": "car", "change": "20", "way": "less"}
    answer = phones[0].post(f"/workshops/{room}/notes", data=data)
    assert answer.headers["location"] == f"/workshops/{room}/room"
    page = phones[0].get(f"/workshops/{room}/room").text
    assert "One way" in page
    assert "expects 20% fewer cars" in page
    lead(leader, room, "phase", phase="vote")
    page = phones[1].get(f"/workshops/{room}/room").text
    target = re.findall(r'name="vote" value="(n\d+)"', page)[0]
    sequence = re.findall(r'name="sequence" value="(\d+)"', page)[0]
    for _ in "12":  # sent twice
        answer = phones[1].post(f"/workshops/{room}/ballot", data={"sequence": sequence, "vote": target})
        assert answer.status_code == 303
    assert state_of(leader, room)["notes"][0]["votes"] == 1


def test_a_note_that_cannot_be_used_comes_back_with_its_words(room: int, phones: list[httpx.Client]) -> None:
    answer = phones[0].post(f"/workshops/{room}/notes", data={"kind": "cause", "body": "x" * 501})
    assert answer.status_code == 422
    assert "x" * 501 in answer.text
    assert 'aria-invalid="true"' in answer.text
    bad = {"kind": "song", "body": "", "street": "999999", "day": "32", "place": "91,0", "what": "ufo"}
    errors = phones[0].post(f"/workshops/{room}/notes", data=bad, headers=SCRIPT).json()["errors"]
    assert set(errors) == {"kind", "body", "street", "day", "place", "what"}


def test_what_people_write_is_text_on_every_screen(leader: httpx.Client, room: int, phones: list[httpx.Client]) -> None:
    hostile = "<script>alert(1)</script>\u202eevil 🚲🏳️‍🌈 </script><img src=x onerror=alert(1)>"
    assert write(phones[0], room, hostile).status_code == 201
    lead(leader, room, "add-group", title="<b>bold</b>")
    for path, client in (("room", phones[1]), ("screen", leader), ("lead", leader)):
        text = client.get(f"/workshops/{room}/{path}").text
        assert "<img src=x" not in text
        assert "<b>bold</b>" not in text
    minutes = leader.get(f"/workshops/{room}").text
    assert "&lt;script&gt;alert(1)" in minutes


def test_a_stream_tells_changes_to_everybody_and_what_was_missed_to_whoever_comes_back(
    leader: httpx.Client, room: int, phones: list[httpx.Client]
) -> None:
    before = state_of(phones[0], room)["revision"]
    with listening(phones[0], room, since=before) as changes:
        write(phones[1], room, "First")
        assert [note["body"] for note in next(changes)["notes"]] == ["First"]
    middle = state_of(phones[0], room)["revision"]
    write(phones[1], room, "Second")
    lead(leader, room, "phase", phase="group")
    with listening(phones[0], room, since=0, headers={"last-event-id": str(middle)}) as changes:
        missed = next(changes)
    assert missed["since"] == middle
    assert [note["body"] for note in missed["notes"]] == ["Second"]
    assert missed["room"]["phase"] == "group"


def test_a_stream_ends_for_whoever_has_left_or_signed_out(
    leader: httpx.Client, room: int, phones: list[httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telstraat_api.web.workshops.room_pages.ASKED_AGAIN_S", 0.0)
    monkeypatch.setattr("telstraat_api.web.workshops.room_pages.BEAT_S", 0.2)
    with listening(leader, room, lead="true") as led, listening(phones[0], room) as changes:
        assert next(led)["room"]["open"]
        assert next(changes)["room"]["open"]
        phones[0].post(f"/workshops/{room}/leave")
        assert all("notes" not in change for change in changes), "a stream of somebody who has left ends"
        leader.post("/sign-out")
        write(phones[1], room, "Said when nobody led")
        assert all("notes" not in change for change in led), "a stream of somebody who has signed out ends"


def test_a_revision_that_the_room_never_had_brings_everything(room: int, phones: list[httpx.Client]) -> None:
    write(phones[0], room, "Here")
    with listening(phones[0], room, since=10_000) as changes:
        everything = next(changes)
    assert everything["since"] == 0
    assert [note["body"] for note in everything["notes"]] == ["Here"]
    assert state_of(phones[0], room, since=10_000)["since"] == 0


def test_a_hidden_note_is_gone_for_participants_and_marked_for_whoever_leads(
    leader: httpx.Client, room: int, phones: list[httpx.Client]
) -> None:
    note = write(phones[0], room, "Rude words").json()["note"]["id"]
    before = state_of(phones[1], room)["revision"]
    lead(leader, room, "hide", note=note)
    assert state_of(phones[1], room, before)["notes"] == [{"id": note, "gone": True}]
    assert state_of(leader, room, leads=True)["notes"][0]["hidden"] is True
    assert "Rude words" not in str(state_of(phones[1], room, leads=True))
    assert "Rude words" not in leader.get(f"/workshops/{room}").text
    lead(leader, room, "hide", note=note, hidden="no")
    assert state_of(phones[1], room)["notes"][0]["body"] == "Rude words"
    lead(leader, room, "delete", note=note)
    assert "Rude words" not in str(state_of(leader, room, leads=True))


def test_a_participant_is_blocked_and_collecting_is_closed(
    leader: httpx.Client, room: int, phones: list[httpx.Client]
) -> None:
    write(phones[0], room, "Spam")
    who = state_of(leader, room, leads=True)["notes"][0]["who"]
    lead(leader, room, "block", participant=who)
    assert write(phones[0], room, "More spam").status_code == 409
    assert "notes" not in state_of(phones[1], room) or all("gone" in n for n in state_of(phones[1], room)["notes"])
    lead(leader, room, "collecting", collecting="no")
    assert write(phones[1], room, "Late").status_code == 409
    lead(leader, room, "collecting", collecting="yes")
    assert write(phones[1], room, "In time").status_code == 201


def test_strangers_and_participants_of_other_rooms_see_nothing_and_write_nothing(
    leader: httpx.Client, room: int, phones: list[httpx.Client], streets: list[int], address: str
) -> None:
    other = make_workshop(leader, streets, title="Another", published="yes")
    lead(leader, other, "phase", phase="collect")
    mine = phones[0].cookies[f"telstraat_room_{room}"]
    with browser(address) as stranger, browser(address) as guest:
        guest.cookies.set(f"telstraat_room_{other}", mine)
        for client in (stranger, guest, phones[0]):
            for path in ("room", "screen", "state", "events", "figure"):
                assert client.get(f"/workshops/{other}/{path}").status_code == 404
            assert write(client, other, "In the wrong room").status_code == 404
            assert client.get(f"/workshops/{other}/lead").status_code in {303, 404}
        missing = stranger.get("/workshops/987654/room")
        locked = stranger.get(f"/workshops/{room}/room")
        assert (missing.status_code, missing.text.replace("/987654/", "/")) == (
            404,
            locked.text.replace(f"/{room}/", "/"),
        )
        assert stranger.get("/join/ABCDEFGHJK").status_code == 404


def test_only_whoever_made_it_and_operators_lead(
    room: int, phones: list[httpx.Client], module_connection: psycopg.Connection, address: str
) -> None:
    for role, status in (("professional", 403), ("citizen", 404), ("operator", 200)):
        session = session_of(module_connection, role, f"{role}-2@example.org")
        with browser(address, session) as client:
            assert lead(client, room, "timer", minutes="5").status_code == status
            assert client.get(f"/workshops/{room}/lead").status_code == status
    with browser(address) as stranger:
        assert stranger.get(f"/workshops/{room}/lead").headers["location"].startswith("/sign-in?next=")
        assert lead(stranger, room, "close").status_code == 401
    foreign = {"origin": "https://evil.example", "accept": "application/json"}
    data = {"kind": "cause", "body": "From elsewhere"}
    assert phones[0].post(f"/workshops/{room}/notes", data=data, headers=foreign).status_code == 403


def test_a_code_that_was_made_anew_lets_nobody_in_by_the_old_one_and_throws_nobody_out(
    leader: httpx.Client, room: int, phones: list[httpx.Client], address: str
) -> None:
    old = code_of(leader, room)
    lead(leader, room, "renew")
    with browser(address) as late:
        assert late.get(f"/join/{old}").status_code == 404
        typed = code_of(leader, room).lower()
        answer = late.get("/join", params={"code": f"{typed[:5]}-{typed[5:]}"})
        assert answer.headers["location"] == f"/join/{code_of(leader, room)}"
    assert write(phones[0], room, "Still here").status_code == 201


def test_a_closed_room_takes_nothing_forgets_its_people_and_keeps_its_minutes(
    leader: httpx.Client, room: int, phones: list[httpx.Client], module_connection: psycopg.Connection
) -> None:
    write(phones[0], room, "Cars wait here")
    before = state_of(phones[0], room)["revision"]
    with listening(phones[1], room, since=before) as changes:
        lead(leader, room, "close")
        assert next(changes)["room"]["open"] is False
    assert write(phones[0], room, "Too late").status_code == 404
    people = "select count(*) from workshop_participant where workshop_id = %s"
    assert module_connection.execute(people, (room,)).fetchone() == (0,)
    text = leader.get(f"/workshops/{room}").text
    assert "3 people took part." in text
    assert "Name 0" not in text


def test_a_room_past_its_end_lets_nobody_in_until_it_is_extended(
    leader: httpx.Client, room: int, phones: list[httpx.Client], module_connection: psycopg.Connection
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    module_connection.execute("update workshop_room set ends_at = %s where workshop_id = %s", (past, room))
    assert phones[0].get(f"/workshops/{room}/room").status_code == 404
    assert lead(leader, room, "extend", hours="2").status_code == 200
    assert phones[0].get(f"/workshops/{room}/room").status_code == 200


def test_whoever_leaves_takes_what_they_wrote_along(room: int, phones: list[httpx.Client]) -> None:
    write(phones[0], room, "Forget this")
    assert phones[0].post(f"/workshops/{room}/leave").headers["location"] == "/join"
    assert "Forget this" not in str(state_of(phones[1], room))
    assert phones[0].get(f"/workshops/{room}/room").status_code == 404


def test_nothing_that_was_confirmed_is_lost_when_the_server_is_replaced(
    leader: httpx.Client, room: int, phones: list[httpx.Client], module_database: str
) -> None:
    note = write(phones[0], room, "Before").json()["note"]["id"]
    known = state_of(phones[0], room)["revision"]
    with served(ApiSettings(dsn=module_database, quarter_min=0, pool_max=4)) as elsewhere, browser(elsewhere) as phone:
        phone.cookies.set(f"telstraat_room_{room}", phones[0].cookies[f"telstraat_room_{room}"])
        with listening(phone, room, since=known) as changes:  # two servers at once: both hear of it
            write(phones[1], room, "Through the other server")
            assert [n["body"] for n in next(changes)["notes"]] == ["Through the other server"]
        assert {n["id"] for n in state_of(phone, room)["notes"]} >= {note}


def test_the_board_is_led_by_forms_alone(leader: httpx.Client, room: int, phones: list[httpx.Client]) -> None:
    note = write(phones[0], room, "Cars wait here").json()["note"]["id"]
    page = f"/workshops/{room}/lead"
    assert leader.post(page, data={"do": "add-group", "title": "Rat run"}).headers["location"] == page
    group = state_of(leader, room)["groups"][0]["id"]
    leader.post(page, data={"do": "move", "note": note, "group": group})
    leader.post(page, data={"do": "rename-group", "group": group, "title": "Through traffic"})
    leader.post(page, data={"do": "agree", "body": "Count again in May"})
    text = leader.get(f"/workshops/{room}").text
    assert text.index("Count again in May") < text.index("Through traffic") < text.index("Cars wait here")
    for wrong in (
        {"do": "move", "note": note, "group": 999_999},
        {"do": "look", "look": "5"},
        {"do": "timer", "minutes": "x"},
    ):
        assert leader.post(page, data=wrong).status_code == 422
    assert leader.post(page, data={"do": "dance"}).status_code == 404


def test_the_forms_of_a_workshop_are_not_there_for_whoever_may_not_see_it(
    leader: httpx.Client, streets: list[int], module_connection: psycopg.Connection, address: str
) -> None:
    hidden, published = make_workshop(leader, streets), make_workshop(leader, streets, published="yes")
    expected = {"citizen": (404, 403, 404), "professional": (403, 403, 404)}
    for role, statuses in expected.items():
        with browser(address, session_of(module_connection, role, f"{role}-3@example.org")) as client:
            for number, status in zip((hidden, published, 987_654), statuses, strict=True):
                assert client.get(f"/workshops/{number}/edit").status_code == status
                for path in ("edit", "open", "delete"):
                    answer = client.post(f"/workshops/{number}/{path}", data={"sure": "yes", "title": "Mine"})
                    assert answer.status_code == status
    with browser(address) as stranger:
        assert stranger.get(f"/workshops/{hidden}/edit").headers["location"].startswith("/sign-in?next=")
        assert stranger.post(f"/workshops/{hidden}/delete", data={"sure": "yes"}).status_code == 401
    assert leader.get(f"/workshops/{hidden}/edit").status_code == 200


def test_the_minutes_tell_the_newest_evaluation_and_only_those_that_a_reader_may_see(
    leader: httpx.Client, streets: list[int], module_connection: psycopg.Connection, address: str
) -> None:
    measure = module_connection.execute(ADD_MEASURE).fetchone()
    assert measure
    for number in range(60):
        answer = {"question": {"what": "car"}, "sentence": {"en": f"Sentence {number}."}, "effect": None}
        result = Json({"evaluations": [answer]})
        module_connection.execute(ADD_EVALUATION, (measure[0], result, number != 59))
    room = make_workshop(leader, streets, measure=str(measure[0]), published="yes")
    expecting = {"kind": "proposal", "what": "car", "change": "20", "way": "less"}
    with browser(address) as phone:
        join(phone, code_of(leader, room))
        lead(leader, room, "phase", phase="collect")
        assert write(phone, room, "One way", **expecting).status_code == 201
        seen = {client: client.get(f"/workshops/{room}").text for client in (leader, phone)}
    assert '<td class="wrap">Sentence 59.</td>' in seen[leader]
    assert '<td class="wrap">Sentence 58.</td>' in seen[phone]
    assert "Sentence 59." not in seen[phone]


def test_the_minutes_are_a_page_a_table_and_a_paper(
    leader: httpx.Client, room: int, phones: list[httpx.Client], streets: list[int]
) -> None:
    write(phones[0], room, "=1+1", kind="proposal", street=str(streets[0]), day="2026-04-20", hour="8")
    table = leader.get(f"/workshops/{room}/notes.csv")
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in table.text
    assert "2026-04-20T06:00:00Z" in table.text
    for language in ("en", "nl", "fr", "de"):
        paper = leader.get(f"/workshops/{room}/minutes.pdf", params={"lang": language}, headers={"accept": "*/*"})
        assert paper.content.startswith(b"%PDF")
    assert phones[0].get(f"/workshops/{room}/notes.csv").status_code == 404


def test_a_workshop_needs_streets_and_says_what_is_missing(leader: httpx.Client, streets: list[int]) -> None:
    answer = leader.post("/workshops/new", data={"title": "", "question": "Why?", "more": "Nowhere Street"})
    assert answer.status_code == 422
    assert "Nowhere Street" in answer.text
    answer = leader.post("/workshops/new", data={"title": "By name", "question": "Why?", "more": "schoolstraat"})
    number = int(re.findall(r"\d+", answer.headers["location"])[0])
    assert "Schoolstraat" in leader.get(f"/workshops/{number}").text
    assert leader.post(f"/workshops/{number}/delete", data={}).headers["location"].endswith("/edit")
    assert leader.post(f"/workshops/{number}/delete", data={"sure": "yes"}).headers["location"] == "/workshops"
    assert leader.get(f"/workshops/{number}").status_code == 404


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "9223372036854775807"])
def test_a_street_that_is_no_number_of_ours_is_marked_and_breaks_nothing(
    leader: httpx.Client, room: int, streets: list[int], number: str
) -> None:
    answer = lead(leader, room, "look", look=number, first="2026-05-01", last="2026-05-02")
    assert (answer.status_code, "look" in answer.json()["errors"]) == (422, True)
    assert make_workshop(leader, streets, street=[number, str(streets[0])])
    form = {"action": "save", "name": "M", f"street-{number}": "treated"}
    assert leader.post("/measures/new", data=form).status_code == 422


def test_paper_tells_a_day_that_nobody_watched_from_one_on_which_nobody_came() -> None:
    bar = {"at": "2026-03-02T12:00:00", "series": "Cars", "value": 0}
    gap = {"from": "2026-03-03T00:00:00", "until": "2026-03-04T00:00:00", "state": "nobody watched"}
    pin = {"at": "2026-03-02T12:00:00", "number": "1"}
    assert "nobody watched" in svg(minutes_chart([bar], {"car": "Cars"}, [pin], [gap], "per day", "en"))
    assert "nobody watched" not in svg(minutes_chart([bar], {"car": "Cars"}, [], [], "per day", "en"))


@pytest.mark.parametrize(
    ("day", "hour", "start", "end"),
    [
        ("2026-03-29", "8", "2026-03-29T06:00:00Z", "2026-03-29T07:00:00Z"),
        ("2026-03-29", "", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("2026-10-25", "8", "2026-10-25T07:00:00Z", "2026-10-25T08:00:00Z"),
        ("2026-07-01", "0", "2026-06-30T22:00:00Z", "2026-06-30T23:00:00Z"),
    ],
)
def test_an_hour_is_pinned_by_the_clock_on_the_wall(day: str, hour: str, start: str, end: str) -> None:
    form = PageForm({"street": ["7"], "day": [day], "hour": [hour]})
    assert pin_of_form(form, {7: "Europe/Brussels"}) == {"segment_id": 7, "from": start, "until": end}


def test_a_phone_of_a_closed_room_is_told_so_in_words_whatever_it_sends(
    leader: httpx.Client, room: int, phones: list[httpx.Client], address: str
) -> None:
    lead(leader, room, "close")
    page = phones[0].get(f"/workshops/{room}/room", params={"lang": "de"})
    assert page.status_code == 404
    assert "Dieser Raum ist geschlossen" in page.text
    form = phones[0].post(f"/workshops/{room}/notes", data={"kind": "cause", "body": "late"})
    assert form.headers["location"] == f"/workshops/{room}/room"
    with browser(address) as stranger:
        text = stranger.get(f"/workshops/{room}/room").text
        assert text == stranger.get("/workshops/999999/room").text.replace("999999", str(room))
        assert "is closed</h1>" not in text


def test_whoever_is_in_comes_in_again_when_the_room_is_full(
    leader: httpx.Client, room: int, phones: list[httpx.Client], module_connection: psycopg.Connection, address: str
) -> None:
    code = code_of(leader, room)
    with browser(address) as phone:
        once = re.findall(r'name="once" value="([^"]+)"', phone.get(f"/join/{code}").text)[0]
        join_form = {"first_name": "Els", "once": once}
        assert phone.post(f"/join/{code}", data=join_form).status_code == 303
        module_connection.execute(
            "insert into workshop_participant (workshop_id, hash, first_name)"
            " select %s, sha256(n::text::bytea), '' from generate_series(5, 500) n",
            (room,),
        )
        phone.cookies.clear()
        assert phone.post(f"/join/{code}", data=join_form).status_code == 303
        assert phone.get(f"/workshops/{room}/room").status_code == 200
        other = phone.post(f"/join/{code}", data={"first_name": "Wim", "once": once[:-4] + "zzzz"})
        assert other.status_code == 422
        assert "This room is full" in other.text


def test_a_phone_without_a_script_takes_its_own_note_back_and_nobody_elses(
    room: int, phones: list[httpx.Client]
) -> None:
    note = write(phones[0], room, "Mine").json()["note"]["id"]
    back = f"/workshops/{room}/notes/{note}/take-back"
    assert back in phones[0].get(f"/workshops/{room}/room").text
    assert back not in phones[1].get(f"/workshops/{room}/room").text
    assert phones[1].post(back, headers=SCRIPT).status_code == 404
    assert phones[0].post(back).status_code == 303
    assert state_of(phones[1], room).get("notes", []) == []


def test_what_became_of_what_was_expected_stands_first_in_the_room_with_its_proposal(
    leader: httpx.Client, room: int, phones: list[httpx.Client], module_connection: psycopg.Connection
) -> None:
    effect = {"estimate": -0.4, "low": -0.5, "high": -0.3, "unit": "relative"}
    answer = {"question": {"what": "car"}, "sentence": {"en": "Cars fell by 40 %."}, "effect": effect}
    number = module_connection.execute(
        """
        with m as (insert into measure (name, kind, first_day, timezone, published)
            values ('Filter', 'other', '2026-03-02', 'Europe/Brussels', true) returning measure_id),
        e as (insert into evaluation (measure_id, questions, answered, result, contents, published)
            select measure_id, '[]', true, %s::json, '{}', true from m)
        select measure_id from m
        """,
        (json.dumps({"evaluations": [answer]}),),
    ).fetchone()
    assert number
    module_connection.execute("update workshop set measure_id = %s where workshop_id = %s", (number[0], room))
    for body, change in (("Second best", "10"), ("Close <it>", "40")):
        write(phones[0], room, body, kind="proposal", what="car", change=change, way="less")
    lead(leader, room, "phase", phase="vote")
    best = state_of(leader, room)["notes"][1]["id"]
    phones[1].post(f"/workshops/{room}/ballot", data={"sequence": "1", "vote": f"n{best}"})
    for client, path in ((phones[0], "room"), (leader, "screen"), (leader, "lead"), (leader, "")):
        page = client.get(f"/workshops/{room}/{path}".rstrip("/")).text
        table = page[page.index('id="again-title"') :]
        assert table.index("Close &lt;it&gt;") < table.index("40% fewer cars") < table.index("Cars fell by 40 %.")
        assert table.index("Close &lt;it&gt;") < table.index("Second best")
        assert page.index('id="again-title"') < page.index("data-chart")
