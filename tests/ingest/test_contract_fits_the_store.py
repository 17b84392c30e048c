"""Every number, text, array and range that the contract lets through fits the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec.inspect as contract
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.harness.brokers import TestBroker, TestClient, client_of
from tests.ingest.extremes import limits_of, messages
from tests.ingest.sending import Ingest, a_report, receipt_of

from telstraat_contract.messages import (
    MAX_PAYLOAD_BYTES,
    SEQ_MAX,
    Confidence,
    Counts,
    Directed,
    Health,
    Light,
    Live,
    Message,
    Report,
    Status,
    encode,
)
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.road_users import SPEED_BINS
from telstraat_contract.topics import Channel, topic
from telstraat_ingest.limits import EPOCHS_MAX
from telstraat_ingest.writing.multiranges import multirange, parse_ranges
from telstraat_ingest.writing.work import health_text
from telstraat_store import places
from telstraat_store.reports import copy_rows

RANGES = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
"""The numbers that a type of PostgreSQL takes: from minus this to one below."""
NOTIFY_MAX_BYTES = 7_999
"""What PostgreSQL takes in a notification."""

# Where each number of a message is written, `stage` and `report` alike. Whoever adds a field says it here.
NUMBERS: dict[type[Message], dict[str, tuple[str, ...]]] = {
    Report: {"v": (), "epoch": ("stream.epoch",), "seq": ("report.seq", "stream.seen"), "observed_s": ("report.observed_s",),
             "flags": ("report.flags",)},
    Health: {"v": (), "epoch": ("stream.epoch",), "last_seq": ("stream.seen",), "waiting": (), "config": (), "refused": (), "dropped_frames": (),
             "restarts": (), "disk_free_mb": ()},
    Status: {"v": (), "epoch": ("stream.epoch",), "last_seq": ("stream.seen",)},
    Live: {"v": (), "observed_s": ()},
}  # fmt: skip
ELSEWHERE = {"sensor", "at", "period_start", "counts", "car_speed", "confidence", "light", "lost", "version", "clock_trusted",
             "fps", "temperature_c", "alarms", "refused_why", "state"}  # fmt: skip
"""Fields that are no single number: texts, times, ranges and what has a test of its own below."""


@pytest.fixture(scope="module")
def columns(module_database: str) -> dict[str, str]:
    """The type of every column that a message reaches, as PostgreSQL names it; the stage's too."""
    with psycopg.connect(module_database) as connection:
        connection.execute(copy_rows.STAGE)
        result = connection.execute(
            "select c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a"
            " join pg_class c on c.oid = a.attrelid where c.oid in ('report'::regclass, 'stream'::regclass, 'stage'::regclass)"
            " and a.attnum > 0 and not a.attisdropped"
        )
        return dict(result.fetchall())


def number_of(kind: contract.Type) -> contract.Type | None:
    """Return the whole number that a field holds, if it is one; null is no number."""
    kinds = kind.types if isinstance(kind, contract.UnionType) else (kind,)
    return next((value for value in kinds if isinstance(value, contract.IntType)), None)


def assert_fits(kind: contract.Type, column: str, columns: dict[str, str]) -> None:
    low, high = limits_of(kind)
    beyond = RANGES[columns[column].removesuffix("[]")]
    assert -beyond <= low <= high < beyond, f"{column} {columns[column]} does not take {low} to {high}"


@pytest.mark.parametrize("message", NUMBERS)
def test_every_number_of_a_message_fits_its_columns(message: type[Message], columns: dict[str, str]) -> None:
    kind = contract.type_info(message)
    assert isinstance(kind, contract.StructType)
    numbers = {field.name: number for field in kind.fields if (number := number_of(field.type)) is not None}
    assert set(numbers) == set(NUMBERS[message])
    assert {field.name for field in kind.fields} - set(numbers) <= ELSEWHERE
    for name, number in numbers.items():
        for column in NUMBERS[message][name]:
            assert_fits(number, column, columns)
            if column.startswith("report."):
                assert_fits(number, column.replace("report.", "stage."), columns)


@pytest.mark.parametrize("table", ["report", "stage"])
def test_every_count_share_and_speed_fits_its_column(table: str, columns: dict[str, str]) -> None:
    count = contract.type_info(Directed)
    assert isinstance(count, contract.StructType)
    for name in Counts.__struct_fields__:
        for field in count.fields:
            assert_fits(field.type, f"{table}.{name}_{field.name}", columns)
    share = contract.type_info(Confidence)
    assert isinstance(share, contract.StructType)
    for field in share.fields:
        number = number_of(field.type)
        assert number is not None
        assert_fits(number, f"{table}.{field.name}_conf", columns)
    report = contract.type_info(Report)
    assert isinstance(report, contract.StructType)
    speed = next(field.type for field in report.fields if field.name == "car_speed")
    assert isinstance(speed, contract.UnionType)
    several = next(value for value in speed.types if isinstance(value, contract.VarTupleType))
    assert (several.min_length, several.max_length) == (SPEED_BINS, SPEED_BINS)
    assert_fits(several.item_type, f"{table}.car_speed", columns)


def test_every_epoch_that_may_begin_can_be_numbered(columns: dict[str, str]) -> None:
    assert {columns["stream.epoch_no"], columns["report.epoch_no"], columns["stage.epoch_no"]} == {"smallint"}
    assert RANGES["smallint"] > EPOCHS_MAX


@pytest.mark.parametrize("ranges", [((1, SEQ_MAX),), ((SEQ_MAX, SEQ_MAX),), ((1, 1), (SEQ_MAX, SEQ_MAX)), ()])
def test_ranges_up_to_the_highest_number_go_there_and_back(
    module_database: str, columns: dict[str, str], ranges: tuple[tuple[int, int], ...]
) -> None:
    for name in ("missing", "lost", "refused"):
        with psycopg.connect(module_database) as connection:
            kind = columns[f"stream.{name}"]
            row = connection.execute(f"select %s::{kind}::text", (multirange(ranges),)).fetchone()
            assert row is not None
            assert parse_ranges(row[0]) == ranges


def test_the_longest_live_message_fits_a_notification() -> None:
    most = Directed(32_767, 32_767)
    at = datetime(9999, 12, 31, 23, 45, 0, 123456, tzinfo=UTC)
    counts = Counts(*[most] * len(Counts.__struct_fields__))
    for light in get_args(Light):
        live = Live(
            sensor="a" * 63, at=at, period_start=at.replace(microsecond=0), observed_s=900, counts=counts, light=light
        )
        assert len(encode(live)) <= NOTIFY_MAX_BYTES


@pytest.mark.parametrize("text", ["\0", "a\0b\\u0000", "\U0010ffff" * 200, "\\", ""])
def test_every_text_of_a_health_message_fits_its_column(module_database: str, text: str) -> None:
    health = Health(
        sensor="a", at=datetime(9999, 12, 31, tzinfo=UTC), epoch=1, version=text, alarms=(text,) * 32, refused_why=text
    )
    with psycopg.connect(module_database) as connection:
        row = connection.execute("select %s::jsonb", (health_text(health),)).fetchone()
    assert row is not None
    assert row[0]["alarms"][0] == text.replace("\0", "\\0")


GOOD, HOSTILE = "steady-1", "extreme-1"
HOSTILE_PAYLOADS = st.one_of(
    [
        st.tuples(st.just(message.channel), messages(message, HOSTILE))
        for message in (Report, Report, Health, Status, Live)
    ]
)


class Pair:
    """A steady sensor and a hostile one at a real ingester."""

    def __init__(self, dsn: str, ingest: Ingest, steady: TestClient, hostile: TestClient) -> None:
        self.dsn, self.ingest, self.steady, self.hostile = dsn, ingest, steady, hostile
        self.seq = 0
        self.first = quarter_start(datetime.now(UTC)) - timedelta(days=30)

    def report_and_wait(self) -> None:
        """Send the steady sensor's next report and return once its receipt has come."""
        self.seq += 1
        report = a_report(GOOD, self.seq, self.first + self.seq * QUARTER)
        self.steady.publish(topic(GOOD, Channel.REPORT), encode(report))
        while receipt_of(self.steady, 20).through < self.seq:
            pass

    def rows(self) -> int:
        """Return how many reports of the steady sensor are stored."""
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                "select count(*) from report r join sensor using (sensor_id) where name = %s", (GOOD,)
            ).fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture(scope="module")
def pair(module_database: str, mosquitto: TestBroker) -> Iterator[Pair]:
    with psycopg.connect(module_database) as connection:
        places.add_sensor(connection, GOOD)
        places.add_sensor(connection, HOSTILE)
    mosquitto.let_in(GOOD, HOSTILE)
    with (
        Ingest(module_database, mosquitto) as ingest,
        client_of(mosquitto, GOOD) as steady,
        client_of(mosquitto, HOSTILE) as hostile,
    ):
        assert steady.subscribe(topic(GOOD, Channel.RECEIPT))
        yield Pair(module_database, ingest, steady, hostile)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(HOSTILE_PAYLOADS, min_size=1, max_size=6))
def test_extremes_of_every_field_never_stop_the_stream_of_another_sensor(
    pair: Pair, drawn: list[tuple[Channel, object]]
) -> None:
    for channel, content in drawn:
        # The broker hangs up on what is far longer than any message.
        pair.hostile.publish(topic(HOSTILE, channel), json.dumps(content).encode()[: MAX_PAYLOAD_BYTES + 1])
    pair.report_and_wait()
    assert pair.rows() == pair.seq
    value = pair.ingest.service.metrics.value
    assert (value("database_failures_total"), value("failures_total", where="batch")) == (0, 0)
    assert value("quarantined_total", reason="refused_by_store") == 0, "the contract let through what the store refuses"


def test_a_stream_that_ends_at_the_highest_number_is_receipted_in_full(pair: Pair) -> None:
    epoch = 2**52
    with psycopg.connect(pair.dsn, autocommit=True) as connection:
        for seq, days in ((SEQ_MAX, 2), (1, 1)):
            report = a_report(HOSTILE, seq, pair.first + timedelta(days=days), epoch=epoch)
            pair.hostile.publish(topic(HOSTILE, Channel.REPORT), encode(report))
        lost = Health(sensor=HOSTILE, at=pair.first, epoch=epoch, last_seq=SEQ_MAX, lost=((2, SEQ_MAX - 1),))
        pair.hostile.publish(topic(HOSTILE, Channel.HEALTH), encode(lost))
        pair.report_and_wait()
        row = connection.execute(
            "select seen, through, missing::text, lost::text from stream where epoch = %s", (epoch,)
        ).fetchone()
        assert row == (SEQ_MAX, SEQ_MAX, "{}", f"{{[2,{SEQ_MAX})}}")
