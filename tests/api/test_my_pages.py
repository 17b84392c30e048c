"""One's own page and sensors: only one's own, each change says what happens, and whoever loses a sensor loses the right at once."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.my_people import add_person, browser_of, own
from tests.api.streets import BRUSSELS, add_reports, add_segment
from tests.harness.databases import one_row

from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import page_language
from telstraat_contract.messages import SEQ_MAX
from telstraat_contract.quarters import QUARTER, quarter_start

ANNA, BERT = "anna@example.org", "bert@example.org"


@pytest.fixture
def home(database: str) -> Iterator[str]:
    with served(ApiSettings(dsn=database, pool_max=4, keep_s=0, quarter_min=5)) as address:
        yield address


@pytest.fixture
def anna(home: str, connection: psycopg.Connection, sensor: int) -> Iterator[httpx.Client]:
    own(connection, sensor, add_person(connection, ANNA), days=30)
    with browser_of(home, ANNA) as client:
        yield client


@pytest.fixture
def bert(home: str, connection: psycopg.Connection) -> Iterator[httpx.Client]:
    add_person(connection, BERT)
    with browser_of(home, BERT) as client:
        yield client


def an_hour_of_yesterday() -> datetime:
    noon = datetime.now(BRUSSELS).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return noon.astimezone(UTC)


def test_whoever_is_not_signed_in_is_sent_to_sign_in(home: str) -> None:
    with browser_of(home, None) as nobody:
        for path in ("/my", "/my/sensors/1", "/my/data.json", "/my/delete", "/my/sensors/1/live"):
            answer = nobody.get(path)
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


def test_a_sensor_of_somebody_else_is_as_if_it_were_not_there(
    anna: httpx.Client, bert: httpx.Client, sensor: int
) -> None:
    own_page = anna.get(f"/my/sensors/{sensor}")
    assert own_page.status_code == 200
    assert "Lindenstraat" in own_page.text
    for path in ("", "/live", "/place", "/first", "/retire", "/delete"):
        theirs, nothing = bert.get(f"/my/sensors/{sensor}{path}"), bert.get(f"/my/sensors/999{path}")
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.text == nothing.text.replace("sensor 999", f"sensor {sensor}").replace("/999", f"/{sensor}")
    for path in ("retire", "delete", "marks", "place", "unmute"):
        assert bert.post(f"/my/sensors/{sensor}/{path}", data={}).status_code == 404
    assert "linden-12" not in bert.get("/my").text


def test_an_owner_reads_quarters_that_the_public_does_not(
    anna: httpx.Client, bert: httpx.Client, connection: psycopg.Connection, sensor: int, segment: int
) -> None:
    at = an_hour_of_yesterday()
    add_reports(connection, [{"sensor_id": sensor, "period_start": at, "car_lft": 7}])
    day = at.astimezone(BRUSSELS).date().isoformat()
    assert "7 road users were counted" in anna.get(f"/my/sensors/{sensor}?day={day}").text
    everybody = bert.get(f"/street/{segment}?day={day}").text
    assert "counted, not shown" in everybody
    assert "7 road users" not in everybody


def test_what_is_missing_up_to_the_last_number_is_told_as_well(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    add_reports(connection, [{"sensor_id": sensor, "period_start": quarter_start(datetime.now(UTC)) - QUARTER}])
    connection.execute(
        "update stream set last_at = now(), missing = int4multirange(int4range(%s, null)) where sensor_id = %s",
        (SEQ_MAX - 2, sensor),
    )
    assert "3 quarters of an hour are missing" in anna.get(f"/my/sensors/{sensor}").text


def test_what_was_counted_before_it_was_theirs_is_not_shown(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    at = an_hour_of_yesterday()
    rows = [{"sensor_id": sensor, "period_start": at + n * QUARTER, "car_lft": 10 * (n + 1)} for n in range(4)]
    add_reports(connection, rows)
    connection.execute(
        "update sensor set owned_since = %s where sensor_id = %s", (at + 2 * QUARTER - timedelta(minutes=5), sensor)
    )
    day = at.astimezone(BRUSSELS).date().isoformat()
    # The third and the fourth quarter: 30 and 40.
    page = anna.get(f"/my/sensors/{sensor}?day={day}").text
    assert "70 road users were counted" in page
    assert "The chart begins on" in page
    before = anna.get(f"/my/sensors/{sensor}?day={(at - timedelta(days=1)).astimezone(BRUSSELS).date()}").text
    assert "The sensor was not yours yet on this day" in before
    assert "data-chart" not in before


def test_a_sensor_silent_for_weeks_is_told_since_when_and_not_that_it_was_never_heard(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=40)
    add_reports(connection, [{"sensor_id": sensor, "period_start": quarter_start(long_ago)}])
    connection.execute("update stream set last_at = %s where sensor_id = %s", (long_ago, sensor))
    connection.execute("delete from sensor_health where sensor_id = %s", (sensor,))
    connection.execute("delete from server_presence")
    connection.execute("insert into server_presence (since_at, last_at) values (%s, now())", (long_ago,))
    page = anna.get(f"/my/sensors/{sensor}").text
    when = page_language("en").moment(long_ago, BRUSSELS)
    assert f"Silent since {when}, 40 days ago." in page
    assert f"The last counts came on {when}, 40 days ago; none since then." in page
    assert "never" not in page
    assert "what is older is lost by now" in page


def test_a_sensor_that_moved_says_where_from_in_each_street_s_own_time(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    far = add_segment(connection, "Rua Nova")
    connection.execute("update segment set timezone = 'Atlantic/Azores' where segment_id = %s", (far,))
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    connection.execute(
        "update installation set from_at = %s, until_at = %s where sensor_id = %s",
        (at - timedelta(days=30), at, sensor),
    )
    connection.execute(
        "insert into installation (sensor_id, segment_id, from_at) values (%s, %s, %s)", (sensor, far, at)
    )
    connection.execute("update sensor set owned_since = %s where sensor_id = %s", (at - timedelta(days=60), sensor))
    page = anna.get(f"/my/sensors/{sensor}").text
    assert "It moved here from Lindenstraat on 2 Mar 2026, 11:00." in page
    assert "From here it moved to Rua Nova." in page
    assert "2 Mar 2026, 13:00 (Europe/Brussels)" in page


def test_whoever_loses_a_sensor_reads_and_changes_nothing_more(
    anna: httpx.Client, bert: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    at = an_hour_of_yesterday()
    add_reports(connection, [{"sensor_id": sensor, "period_start": at, "car_lft": 7}])
    assert anna.get(f"/my/sensors/{sensor}").status_code == 200  # the page that stays open
    connection.execute(
        "update sensor set account_id = (select account_id from account where email = %s) where sensor_id = %s",
        (BERT, sensor),
    )
    for path in ("retire", "marks", "place", "unmute", "hand-over"):
        assert anna.post(f"/my/sensors/{sensor}/{path}", data={"until": "2030-01-01"}).status_code == 404
    assert connection.execute("select retired_at from sensor").fetchone() == (None,)
    day = at.astimezone(BRUSSELS).date().isoformat()
    assert "7 road users" not in bert.get(f"/my/sensors/{sensor}?day={day}").text  # it was not his yesterday


def test_a_live_stream_ends_when_the_sensor_is_lost(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telstraat_api.web.my.own_live.KEEP_ALIVE_S", 0.2)
    with anna.stream("GET", f"/my/sensors/{sensor}/live") as stream:
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith(": still here"))
        connection.execute("update sensor set account_id = null where sensor_id = %s", (sensor,))
        assert next(line for line in lines if line.startswith("event: ")) == "event: lost"


def marked(sensor: int, at: datetime, **more: str) -> dict[str, str]:
    local = at.astimezone(BRUSSELS)
    form = {
        "from": local.strftime("%Y-%m-%dT%H:%M"),
        "until": (local + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
        "reason": "covered",
        "words": "the <b>blind</b> was down",
    }
    return {**form, **more}


def test_what_was_typed_outlives_the_session_and_is_kept_once(
    anna: httpx.Client, home: str, connection: psycopg.Connection, sensor: int
) -> None:
    path, words = f"/my/sensors/{sensor}/marks", 'a "big" <b>van</b>\nbefore the lens'
    fields = marked(sensor, an_hour_of_yesterday(), words=words)
    with browser_of(home, None) as signed_out:
        page = signed_out.post(path, data=fields)
        assert (page.status_code, page.headers["cache-control"]) == (401, "no-store")
        assert "<b>van" not in page.text
        assert signed_out.post(path, data=fields, headers={"origin": "https://elsewhere.example"}).status_code == 403
        script = signed_out.post(path, data=fields, headers={"accept": "application/json"})
        assert (script.status_code, script.headers["content-type"]) == (401, "application/problem+json")
    form = page.text[page.text.index(f'action="{path}"') :]
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    again = {name: html.unescape(value) for name, value in hidden}
    assert again == fields
    for _ in range(2):  # pressed twice, or sent again after going back
        assert anna.post(path, data=again).status_code == 303
    assert one_row(connection, "select count(*), min(title) like '%%before the lens' from street_event") == (1, True)


def test_a_bad_time_is_marked_shown_as_a_band_and_taken_back(
    anna: httpx.Client, bert: httpx.Client, connection: psycopg.Connection, sensor: int, segment: int
) -> None:
    at = an_hour_of_yesterday()
    done = anna.post(f"/my/sensors/{sensor}/marks", data=marked(sensor, at))
    assert done.status_code == 303
    row = connection.execute(
        "select segment_id, kind, from_at, until_at, excludes, published from street_event"
    ).fetchone()
    assert row == (segment, "sensor_trouble", at, at + timedelta(hours=2), True, False)
    page = anna.get(done.headers["location"]).text
    assert "the &lt;b&gt;blind&lt;/b&gt; was down" in page
    assert "<b>blind" not in page
    event = connection.execute("select event_id from street_event").fetchone()
    assert event
    assert bert.post(f"/my/sensors/{sensor}/marks/{event[0]}/remove", data={}).status_code == 404
    assert anna.post(f"/my/sensors/{sensor}/marks/{event[0]}/remove", data={}).status_code == 303
    assert anna.post(f"/my/sensors/{sensor}/marks/{event[0]}/remove", data={}).status_code == 404
    assert connection.execute("select count(*) from street_event").fetchone() == (0,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"until": "2020-01-01T00:00"}, "The end must come after the beginning."),
        ({"from": "yesterday"}, "This is not a time"),
        ({"from": ""}, "Please fill this in."),
        ({"reason": "because"}, "Choose a reason."),
        ({"from": "2021-01-01T00:00", "until": "2021-01-02T00:00"}, "was not yours yet"),
        ({"from": "2025-03-30T02:30", "until": "2025-03-30T04:00"}, "This hour does not exist"),
        ({"until": "2199-01-01T00:00"}, "longer than a year"),
        ({"words": "x" * 151}, "This is too long."),
    ],
)
def test_a_bad_time_that_cannot_be_is_said_beside_its_field(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int, change: dict[str, str], sentence: str
) -> None:
    answer = anna.post(f"/my/sensors/{sensor}/marks", data=marked(sensor, an_hour_of_yesterday(), **change))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert connection.execute("select count(*) from street_event").fetchone() == (0,)


def test_a_sensor_moves_forward_and_never_back_in_time(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    other = add_segment(connection, "Kerkplein")
    early = (datetime.now(BRUSSELS) - timedelta(days=40)).strftime("%Y-%m-%dT%H:%M")
    back = anna.post(f"/my/sensors/{sensor}/place", data={"street": str(other), "from": early})
    assert (back.status_code, "was not yours then" in back.text) == (422, True)
    done = anna.post(
        f"/my/sensors/{sensor}/place", data={"street": str(other), "side": "left", "to_b": "<script>x</script>"}
    )
    assert done.status_code == 303
    rows = connection.execute(
        "select segment_id, until_at is null, side, to_b from installation order by from_at"
    ).fetchall()
    assert [row[1] for row in rows] == [False, True]
    assert rows[1][0] == other
    assert rows[1][2:] == ("left", "<script>x</script>")
    page = anna.get(f"/my/sensors/{sensor}").text
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    late = (datetime.now(BRUSSELS) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    third = add_segment(connection, "Molenweg")
    again = anna.post(f"/my/sensors/{sensor}/place", data={"street": str(third), "from": late})
    assert (again.status_code, "choose a later date" in again.text) == (422, True)


@pytest.mark.parametrize("street", ["", "0", "999999", "-1", "1e9", "9" * 40, "<b>"])
def test_a_street_that_is_none_is_not_taken(anna: httpx.Client, sensor: int, street: str) -> None:
    assert anna.post(f"/my/sensors/{sensor}/place", data={"street": street}).status_code == 422
    assert anna.get(f"/my/sensors/{sensor}/place", params={"street": street[:20]}).status_code == 200


def test_directions_are_renamed_where_it_stands_and_stand_on_the_street_when_they_are_published(
    home: str, anna: httpx.Client, connection: psycopg.Connection, sensor: int, segment: int
) -> None:
    data = {"street": str(segment), "to_b": "to the school", "to_a": "from the school"}
    assert anna.post(f"/my/sensors/{sensor}/place", data=data).status_code == 303
    assert connection.execute("select count(*), max(to_b) from installation").fetchone() == (1, "to the school")
    assert "to the school" in anna.get(f"/my/sensors/{sensor}").text
    assert "to the school" not in httpx.get(f"{home}/street/{segment}", timeout=60).text
    anna.post(f"/my/sensors/{sensor}/place", data=data | {"published": "yes"})
    assert "A→B: to the school" in httpx.get(f"{home}/street/{segment}?day=2026-03-02", timeout=60).text
    anna.post(f"/my/sensors/{sensor}/delete", data={"sure": "yes"})
    assert "to the school" not in httpx.get(f"{home}/street/{segment}?day=2026-03-03", timeout=60).text


def test_retiring_keeps_the_counts_and_deleting_keeps_only_them(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    add_reports(connection, [{"sensor_id": sensor, "period_start": an_hour_of_yesterday(), "car_lft": 7}])
    connection.execute("update installation set side = 'left', note = 'second floor'")
    question = anna.get(f"/my/sensors/{sensor}/retire").text
    assert "What it has counted stays" in question
    assert anna.post(f"/my/sensors/{sensor}/retire", data={}).status_code == 303
    assert anna.post(f"/my/sensors/{sensor}/retire", data={}).status_code == 303  # twice is once
    assert "Retired on" in anna.get(f"/my/sensors/{sensor}").text
    assert anna.post(f"/my/sensors/{sensor}/delete", data={}).headers["location"] == "/my?did=deleted"
    assert anna.get(f"/my/sensors/{sensor}").status_code == 404
    assert connection.execute("select account_id, owned_since from sensor").fetchone() == (None, None)
    assert connection.execute("select side, note, until_at is null from installation").fetchone() == (None, "", False)
    assert connection.execute("select count(*) from sensor_health").fetchone() == (0,)
    assert connection.execute("select sum(car_lft) from report").fetchone() == (7,)


def test_letters_are_muted_until_a_day_to_come(anna: httpx.Client, connection: psycopg.Connection, sensor: int) -> None:
    for wrong in ("2020-01-01", "2199-01-01", "", "soon"):
        assert anna.post(f"/my/sensors/{sensor}/mute", data={"until": wrong}).status_code == 422
    day = (datetime.now(BRUSSELS) + timedelta(days=10)).date()
    assert anna.post(f"/my/sensors/{sensor}/mute", data={"until": day.isoformat()}).status_code == 303
    row = connection.execute("select muted_until from sensor").fetchone()
    assert row
    assert row[0].astimezone(BRUSSELS).date() == day
    assert anna.post(f"/my/sensors/{sensor}/unmute", data={}).status_code == 303
    assert connection.execute("select muted_until <= now() from sensor").fetchone() == (True,)


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(anna: httpx.Client, home: str) -> None:
    answer = anna.post("/my/keys", data={"label": "nightly <i>", "days": "30"})
    secret = answer.text.split("<code>")[1].split("</code>")[0]
    assert secret.startswith("tst_")
    with httpx.Client(base_url=home, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as program:
        assert program.get("/api/v1/me").json() == {"email": ANNA, "role": "citizen", "scopes": ["read"]}
        page = anna.get("/my").text
        assert secret not in page
        assert "nightly &lt;i&gt;" in page
        number = page.split('action="/my/keys/')[1].split("/")[0]
        assert anna.post(f"/my/keys/{number}/revoke", data={}).status_code == 303
        assert program.get("/api/v1/me").status_code == 401


def test_name_and_language_are_kept(anna: httpx.Client, connection: psycopg.Connection) -> None:
    assert anna.post("/my/name", data={"name": " Anna  de <b> ", "language": "nl"}).status_code == 303
    assert connection.execute("select name, language from account").fetchone() == ("Anna de <b>", "nl")
    assert "Dag Anna de &lt;b&gt;" in anna.get("/my").text
    assert anna.post("/my/name", data={"name": "x" * 101, "language": "nl"}).status_code == 422


def test_everything_known_is_a_file_with_no_secret_in_it(anna: httpx.Client, sensor: int) -> None:
    anna.post("/my/keys", data={"label": "nightly"})
    anna.post(f"/my/sensors/{sensor}/marks", data=marked(sensor, an_hour_of_yesterday()))
    answer = anna.get("/my/data.json")
    assert "attachment" in answer.headers["content-disposition"]
    known = json.loads(answer.text)
    assert known["account"][0]["email"] == ANNA
    assert [row["name"] for row in known["sensors"]] == ["linden-12"]
    assert len(known["marked"]) == len(known["keys"]) == 1
    assert "hash" not in answer.text


def test_a_change_from_another_site_is_refused(anna: httpx.Client, sensor: int) -> None:
    for path in ("/my/delete", "/my/keys", "/my/name", f"/my/sensors/{sensor}/delete", f"/my/sensors/{sensor}/marks"):
        assert anna.post(path, data={}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_an_account_goes_with_what_is_its_alone_and_leaves_the_counts(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int, segment: int
) -> None:
    at = an_hour_of_yesterday()
    add_reports(connection, [{"sensor_id": sensor, "period_start": at, "car_lft": 7}])
    anna.post(f"/my/sensors/{sensor}/marks", data=marked(sensor, at))
    connection.execute(
        "insert into street_event (account_id, segment_id, kind, title, from_at, until_at)"
        " select account_id, %s, 'other', 'mine alone', now(), now() + interval '1 hour' from account",
        (segment,),
    )
    connection.execute(
        "insert into measure (account_id, name, kind, first_day, timezone, published)"
        " select account_id, n, 'other', '2026-03-01', 'UTC', p from account, (values ('draft', false), ('shown', true)) v (n, p)"
    )
    assert anna.post("/my/delete", data={"email": BERT}).status_code == 422
    gone = anna.post("/my/delete", data={"email": ANNA.upper()})
    assert (gone.status_code, gone.headers["location"]) == (303, "/")
    assert anna.get("/my").headers["location"].startswith("/sign-in")
    assert connection.execute("select count(*) from account").fetchone() == (0,)
    assert connection.execute("select account_id, owned_since, retired_at from sensor").fetchone() == (None, None, None)
    assert connection.execute("select account_id, title, excludes from street_event").fetchall() == [
        (None, "sensor_trouble", True)
    ]
    assert connection.execute("select name from measure").fetchall() == [("shown",)]
    assert connection.execute("select sum(car_lft) from report").fetchone() == (7,)


def test_the_only_operator_cannot_leave_the_site_alone(home: str, connection: psycopg.Connection) -> None:
    add_person(connection, "op@example.org", "operator")
    with browser_of(home, "op@example.org") as operator:
        answer = operator.post("/my/delete", data={"email": "op@example.org"})
        assert (answer.status_code, "only operator" in answer.text) == (422, True)
        assert "/operate" in operator.get("/my").text


def test_today_is_compared_with_the_same_hours_of_such_days(
    anna: httpx.Client, connection: psycopg.Connection, sensor: int
) -> None:
    at = an_hour_of_yesterday()
    for week in range(5):
        begin = (at.astimezone(BRUSSELS) - timedelta(weeks=week)).astimezone(UTC)  # the same hour of the clock
        cars = 11 if week == 0 else 10
        rows = [
            {"sensor_id": sensor, "period_start": begin + n * QUARTER, "car_lft": cars, "seq": 10 * week + n + 1}
            for n in range(4)
        ]
        add_reports(connection, rows)
    connection.execute("update sensor set owned_since = now() - interval '90 days'")
    day = at.astimezone(BRUSSELS).date().isoformat()
    page = anna.get(f"/my/sensors/{sensor}?day={day}").text
    assert "it was 44; on a usual such day it is 40: 10% more" in page


def test_a_page_of_nothing_is_a_page_all_the_same(bert: httpx.Client) -> None:
    page = bert.get("/my")
    assert page.status_code == 200
    assert "You have no sensor yet" in page.text


def test_a_new_sensor_that_stands_nowhere_and_never_reported_has_its_page(
    bert: httpx.Client, connection: psycopg.Connection
) -> None:
    row = connection.execute("insert into sensor (name) values ('kerk-7') returning sensor_id").fetchone()
    assert row
    connection.execute("update sensor set account_id = (select account_id from account where email = %s)", (BERT,))
    page = bert.get(f"/my/sensors/{row[0]}").text
    assert "choose its street" in page
    assert "never heard" in page or "Nobody has listened" in page
    add_segment(connection, "Kerkplein")
    assert "Kerkplein" in bert.get(f"/my/sensors/{row[0]}/place?q=KERK&new=yes").text
    assert "No street has" in bert.get(f"/my/sensors/{row[0]}/place?q=%25").text
