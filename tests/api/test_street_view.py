"""What the address of a street's page means, and that no address breaks it."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.streets import BRUSSELS, QUARTER, add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.errors import QueryError
from telstraat_api.web.street.street_view import SLOTS_MAX, Against, StreetView, Ways, read_view
from telstraat_contract.quarters import quarter_start
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.counts.windows import Bucket

NOW = datetime(2026, 3, 2, 11, 7, tzinfo=UTC)  # a Monday, just after noon in Brussels
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
ZONES = st.sampled_from([BRUSSELS, ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")])
DAYS = st.dates(date(2000, 1, 1), date(2199, 12, 31)).map(date.isoformat)


def view(tz: ZoneInfo = BRUSSELS, *, is_public: bool = False, **values: str) -> StreetView:
    return read_view({name.rstrip("_"): value for name, value in values.items()}, tz, NOW, SINCE, is_public=is_public)


def test_without_parameters_today_is_shown_by_quarter_and_to_the_public_by_hour() -> None:
    assert (view().day, view().bucket, view().is_today) == (date(2026, 3, 2), Bucket.QUARTER, True)
    assert view(is_public=True).bucket is Bucket.HOUR
    assert view(is_public=True, by="quarter").bucket is Bucket.HOUR


@pytest.mark.parametrize(
    ("period", "first", "last", "bucket"),
    [
        ("week", date(2026, 3, 2), date(2026, 3, 8), Bucket.HOUR),
        ("month", date(2026, 3, 1), date(2026, 3, 31), Bucket.DAY),
        ("year", date(2026, 1, 1), date(2026, 12, 31), Bucket.DAY),
        ("all", date(2025, 1, 1), date(2026, 3, 2), Bucket.WEEK),
    ],
)
def test_a_period_has_its_days_and_usual_steps(period: str, first: date, last: date, bucket: Bucket) -> None:
    assert (view(period=period).days, view(period=period).bucket) == ((first, last), bucket)


def test_a_free_time_ends_with_its_last_day() -> None:
    looked_at = view(from_="2026-02-01", until="2026-02-03")
    assert (looked_at.days, looked_at.period) == ((date(2026, 2, 1), date(2026, 2, 3)), None)


@pytest.mark.parametrize(
    "values",
    [
        {"from_": "2026-03-02", "until": "2026-03-01"},
        {"from_": "nonsense"},
        {"until": "2026-02-30"},
        {"period": "fortnight"},
        {"by": "second"},
        {"ways": "up"},
        {"vs": "-1"},
        {"vs": "²"},
        {"vs": "9" * 30},
        {"day": "0000-00-00"},
        {"from_": "2000-01-01", "until": "2199-01-01"},
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(values: dict[str, str]) -> None:
    with pytest.raises(QueryError):
        read_view({name.rstrip("_"): value for name, value in values.items()}, BRUSSELS, NOW, SINCE, is_public=False)


@given(
    ZONES, DAYS, st.sampled_from(["day", "week", "month", "year", "all"]), st.sampled_from(list(Bucket)), st.booleans()
)
def test_every_time_has_steps_in_order_and_not_too_many(
    tz: ZoneInfo, day: str, period: str, bucket: Bucket, is_public: bool
) -> None:
    looked_at = view(tz, is_public=is_public, day=day, period=period, by=bucket.value)
    slots = looked_at.slots()
    assert 0 < len(slots) <= SLOTS_MAX * 1.1
    assert all(before.end == after.start for before, after in itertools.pairwise(slots))
    assert slots[-1].end >= looked_at.window.end
    assert not (is_public and looked_at.bucket is Bucket.QUARTER)


@given(ZONES, DAYS, st.sampled_from(["day", "week", "month", "year"]), st.sampled_from(["before", "year"]))
def test_what_is_compared_is_as_long_and_lies_before(tz: ZoneInfo, day: str, period: str, against: str) -> None:
    if day < "2002":
        return
    looked_at = view(tz, day=day, period=period, vs=against)
    other = looked_at.compared()
    assert other is not None
    assert other.window.end <= looked_at.window.end
    assert other.days[0] < looked_at.days[0]
    assert abs((other.days[1] - other.days[0]) - (looked_at.days[1] - looked_at.days[0])) <= timedelta(days=3)
    if period in {"day", "week"}:
        assert other.days[0].weekday() == looked_at.days[0].weekday()


def test_classes_ways_and_comparison_are_read_and_all_hidden_means_none() -> None:
    looked_at = view(hide="car,bike,rocket", ways="ab", vs="17")
    assert looked_at.hidden == frozenset({"car", "bike"})
    assert (looked_at.ways, looked_at.against, looked_at.other_id) == (Ways.FORTH, Against.NOTHING, 17)
    assert view(hide="pedestrian,bike,car,heavy,night").hidden == frozenset()


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> dict[str, int]:
    now = quarter_start(datetime.now(UTC))
    midnight = datetime.now(BRUSSELS).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    numbers = {name: add_segment(module_connection, name) for name in ("usual", "two", "replaced", "young")}
    numbers["kolkata"] = add_segment(module_connection, "kolkata", timezone="Asia/Kolkata")
    numbers["empty"] = add_segment(module_connection, "empty", limit_kmh=None)
    add_reports(
        module_connection,
        plausible_days(
            add_sensor(module_connection, "v-usual", numbers["usual"]), midnight - timedelta(days=70), now, seed=3
        ),
    )
    for name in ("a", "b"):
        sensor = add_sensor(module_connection, f"v-two-{name}", numbers["two"])
        add_reports(module_connection, plausible_days(sensor, now - timedelta(days=2), now, seed=4))
    noon = midnight - timedelta(hours=12)
    old = add_sensor(module_connection, "v-old", numbers["replaced"], until_at=noon)
    new = add_sensor(module_connection, "v-new", numbers["replaced"], from_at=noon)
    add_reports(module_connection, plausible_days(old, midnight - timedelta(days=2), noon, seed=5))
    add_reports(module_connection, plausible_days(new, noon, now, seed=6))
    for name in ("young", "kolkata"):
        sensor = add_sensor(module_connection, f"v-{name}", numbers[name])
        add_reports(module_connection, plausible_days(sensor, now - timedelta(hours=30), now, seed=7))
    refresh_all(module_connection)
    return numbers


ADDRESSES = [
    "", "?period=week", "?period=month&by=day", "?period=year", "?period=all", "?ways=apart", "?ways=ba&hide=car", "?vs=before",
    "?period=month&vs=year", "?from=1996-01-01&until=2026-01-01", "?from=2000-01-02&until=2030-01-01", "?day=2199-12-31",
    "?vs=999999", "?hide=&day=&from=&until=&by=&vs=", "?by=month", "?from=2026-03-29&until=2026-03-29", "?lang=de&period=week&vs=before",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", ["usual", "two", "replaced", "young", "kolkata", "empty"])
def test_every_address_of_every_street_is_a_page(
    module_client: httpx.Client, streets: dict[str, int], name: str, address: str
) -> None:
    module_client.cookies.clear()
    answer = module_client.get(f"/street/{streets[name]}{address}", headers={"accept": "text/html"})
    wanted_status = 422 if "1996" in address else 200
    assert answer.status_code == wanted_status, answer.text
    if wanted_status == 200:
        assert '<figure id="counts"' in answer.text
        assert "None" not in re.sub(r"<[^>]+>", " ", answer.text)


def test_a_replaced_sensor_leaves_one_day_without_a_gap_and_both_are_named(
    module_client: httpx.Client, streets: dict[str, int]
) -> None:
    yesterday = (datetime.now(BRUSSELS) - timedelta(days=1)).date().isoformat()
    page = module_client.get(f"/street/{streets['replaced']}?day={yesterday}&by=hour&lang=en").text
    table = page[page.index('id="counts-table"') :].split("</table>")[0]
    noon = re.findall(r"<tr[^>]*><th[^>]*>1[12]:00</th><td>", table)
    assert len(noon) == 2
    assert page.count("A sensor stood here from") == page.count("A sensor stands here since") == 1


def test_the_usual_is_a_band_and_the_first_sentence_says_nothing_that_is_not_known(
    module_client: httpx.Client, streets: dict[str, int]
) -> None:
    known = module_client.get(f"/street/{streets['usual']}?period=week&lang=en").text
    assert '<path class="area is-usual"' in known
    young = module_client.get(f"/street/{streets['young']}?lang=en").text
    assert "What is usual here cannot be said yet" in young
    assert '<path class="area is-usual"' not in young
    assert "than usual" not in young
    empty = module_client.get(f"/street/{streets['empty']}?lang=en").text
    assert "Nothing has been counted here yet." in empty


def test_another_street_is_a_thinner_line_by_its_name(module_client: httpx.Client, streets: dict[str, int]) -> None:
    page = module_client.get(f"/street/{streets['usual']}?period=week&vs={streets['two']}").text
    assert '<path class="line thin is-other"' in page
    assert '<th scope="col" class="n is-other" data-key="other">two</th>' in page


def test_one_way_counts_that_way_only(module_client: httpx.Client, connection: psycopg.Connection) -> None:
    street = add_segment(connection, "One way")
    sensor = add_sensor(connection, f"v-way-{street}", street)
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    add_reports(
        connection,
        [{"sensor_id": sensor, "period_start": start + n * QUARTER, "car_lft": 3, "car_rgt": 5} for n in range(4)],
    )
    for ways, cars in (("ab", "12"), ("ba", "20"), ("both", "32")):
        page = module_client.get(
            f"/street/{street}?day=2026-03-02&by=hour&hide=pedestrian,bike,heavy,night&ways={ways}"
        ).text
        assert f'<th scope="row">10:00</th><td>{cars}</td>' in page


@pytest.fixture
def connection(module_connection: psycopg.Connection) -> psycopg.Connection:
    return module_connection


@pytest.mark.parametrize("name", ["usual", "young", "kolkata", "empty"])
@pytest.mark.parametrize("month", ["2000-01", "2199-12", "now"])
def test_every_month_of_every_street_is_a_page_and_a_pdf(
    module_client: httpx.Client, streets: dict[str, int], name: str, month: str
) -> None:
    month = f"{datetime.now(BRUSSELS):%Y-%m}" if month == "now" else month
    answer = module_client.get(f"/street/{streets[name]}/month/{month}?lang=en")
    assert answer.status_code == 200, answer.text
    assert "None" not in re.sub(r"<[^>]+>", " ", answer.text)
    if name in {"usual", "empty"}:
        paper = module_client.get(f"/street/{streets[name]}/month/{month}/report.pdf?lang=de")
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF")


def test_a_month_is_compared_only_when_enough_days_were_watched_well(
    module_client: httpx.Client, streets: dict[str, int]
) -> None:
    last = datetime.now(BRUSSELS).replace(day=1) - timedelta(days=1)
    usual = module_client.get(f"/street/{streets['usual']}/month/{last:%Y-%m}?lang=en").text
    assert "road users a day (days that were watched well:" in usual
    french = module_client.get(f"/street/{streets['usual']}/month/{last:%Y-%m}?lang=fr").text
    sentence = re.findall(r'<p class="answer">\s*(\S)', french)[0]
    assert sentence.isupper()  # its month is written small elsewhere
    young = module_client.get(f"/street/{streets['young']}/month/{datetime.now(BRUSSELS):%Y-%m}?lang=en").text
    assert "With fewer than ten days that were watched well a month is compared with none." in young


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "1999-12", "x", "2026-1"])
def test_a_month_that_cannot_be_is_refused(module_client: httpx.Client, streets: dict[str, int], month: str) -> None:
    assert module_client.get(f"/street/{streets['usual']}/month/{month}").status_code == 422


def test_a_time_has_one_sum_in_whatever_steps_it_is_shown(module_client: httpx.Client, streets: dict[str, int]) -> None:
    midmonth = (datetime.now(BRUSSELS).replace(day=1) - timedelta(days=1)).date().isoformat()
    sums = set()
    for by in ("day", "week", "month"):
        address = f"/street/{streets['usual']}?period=month&day={midmonth}&by={by}&lang=en"
        page = module_client.get(address).text
        sums.add(re.findall(r'<p class="big">([\d,]+) road users passed</p>', page)[0])
        assert ("reach beyond the time shown" in page) is (by == "week")
    assert len(sums) == 1


def test_what_quarters_leave_out_is_said(module_client: httpx.Client, connection: psycopg.Connection) -> None:
    street = add_segment(connection, "Gaps")
    sensor = add_sensor(connection, f"v-gaps-{street}", street)
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rows = [{"sensor_id": sensor, "period_start": start + n * QUARTER, "car_lft": 10} for n in range(3)]
    add_reports(connection, rows)
    refresh_all(connection)
    quarters = module_client.get(f"/street/{street}?day=2026-03-02&by=quarter&lang=en").text
    assert "The quarters watched add up to 30;" in quarters
    assert "which makes 40:" in quarters
    hours = module_client.get(f"/street/{street}?day=2026-03-02&by=hour&lang=en").text
    assert "add up to" not in hours
    for page in (quarters, hours):
        assert '<p class="big">40 road users passed</p>' in page


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [("day", "20260302", "20260303"), ("month", "20260301", "20260401"), ("year", "20260101", "20270101")],
)
def test_a_download_offers_its_span_and_its_file_is_called_like_the_street(
    module_client: httpx.Client, connection: psycopg.Connection, span: str, first: str, last: str
) -> None:
    street = add_segment(connection, "Café-straat (Zuid) ﷺ")
    page = module_client.get(f"/street/{street}?day=2026-03-02").text
    assert f'<option value="{span}"' in page
    assert 'href="/data#columns"' in page
    fields = {"street": str(street), "day": "2026-03-02", "span": span, "step": "day", "form": "csv"}
    file = module_client.get("/data/file", params=fields, follow_redirects=True)
    assert file.status_code == 200
    assert f'"telstraat-cafe-straat-zuid-day-{first}-{last}.csv"' in file.headers["content-disposition"]
    explained = module_client.get("/data").text
    header = file.text.removeprefix("\ufeff").splitlines()[0].split(",")
    assert not [name for name in header if not name.endswith("_seen") and name not in explained]


def test_a_sensor_that_moved_is_told_with_day_and_street(
    module_client: httpx.Client, connection: psycopg.Connection
) -> None:
    left, now_at = add_segment(connection, "Left behind"), add_segment(connection, "New home")
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    add_sensor(connection, "v-moved", left, until_at=at)
    add_sensor(connection, "v-moved", now_at, from_at=at)
    page = re.sub(r"\s+", " ", module_client.get(f"/street/{left}?lang=en").text)
    assert "No sensor stands here since Monday, 2 March 2026." in page
    assert f'It moved to: <a href="/street/{now_at}"><bdi>New home</bdi></a>.' in page
    assert "Nobody has checked it by counting by hand yet." in page
    other = re.sub(r"\s+", " ", module_client.get(f"/street/{now_at}?lang=en").text)
    assert f'It came from: <a href="/street/{left}"><bdi>Left behind</bdi></a>.' in other


def test_of_many_stays_the_latest_are_shown(module_client: httpx.Client, connection: psycopg.Connection) -> None:
    street = add_segment(connection, "Often left")
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for day in range(60):
        add_sensor(
            connection,
            "v-often",
            street,
            from_at=first + timedelta(days=day),
            until_at=first + timedelta(days=day, hours=6),
        )
    page = re.sub(r"\s+", " ", module_client.get(f"/street/{street}?lang=en").text)
    assert "No sensor stands here since Sunday, 1 March 2026." in page
    stays = re.findall(r"A sensor stood here from (.*?) to ", page)
    assert len(stays) == 50
    assert stays[0].startswith("1 Mar 2026")


def test_another_street_is_typed_and_becomes_its_number(module_client: httpx.Client, streets: dict[str, int]) -> None:
    answer = module_client.get(f"/street/{streets['usual']}?period=week&vs=&beside=two")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/street/{streets['usual']}?period=week&vs={streets['two']}"
    nowhere = module_client.get(f"/street/{streets['usual']}?beside=nowhere", headers={"accept": "text/html"})
    assert nowhere.status_code == 422


def test_a_time_longer_than_a_day_is_not_told_by_its_weekday(
    module_client: httpx.Client, streets: dict[str, int]
) -> None:
    ten_days_ago = datetime.now(UTC).date() - timedelta(days=10)  # of a month that has just begun nothing is known
    for period in ("week", "month", "year", "all"):
        answer = re.search(
            r'id="answer">(.*?)</p>',
            module_client.get(f"/street/{streets['usual']}?period={period}&day={ten_days_ago}&lang=en").text,
        )
        assert answer
        assert not re.search(r"A usual \w+day:", answer[1])
        assert "In the time shown" in answer[1]
