"""The messages: nothing binary, frozen, checked; payloads of every released version are understood for ever."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telstraat_contract.errors import MessageError, UnknownVersionError
from telstraat_contract.messages import (
    MAX_PAYLOAD_BYTES,
    MAX_RANGES,
    MESSAGES,
    Confidence,
    Config,
    Counts,
    Directed,
    Flag,
    Health,
    Live,
    Message,
    Receipt,
    Report,
    Status,
    Watch,
    decode,
    encode,
)
from telstraat_contract.road_users import SPEED_BINS
from telstraat_contract.topics import Channel

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_V1 = sorted(GOLDEN.glob("v1-*.json"))
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

FULL: dict[str, Message] = {
    "report": Report(
        sensor="elm-street-1",
        epoch=7006521735128321,
        seq=412,
        period_start=NOON,
        observed_s=893,
        counts=Counts(
            pedestrian=Directed(12, 9),
            bike=Directed(31, 28),
            motorcycle=Directed(2, 0),
            car=Directed(104, 96),
            heavy=Directed(7, 5),
            night=Directed(0, 1),
        ),
        car_speed=(0, 0, 1, 6, 18, 41, 66, 43, 17, 6, 2, *([0] * 14)),
        confidence=Confidence(pedestrian=83, bike=71, car=94, heavy=68),
        light="dusk",
        flags=int(Flag.FRAMES_DROPPED | Flag.RESTARTED),
    ),
    "report-least": Report(sensor="a", epoch=1, seq=1, period_start=NOON, observed_s=0),
    "health": Health(
        sensor="elm-street-1",
        at=NOON + timedelta(seconds=61, milliseconds=250),
        epoch=7006521735128321,
        last_seq=412,
        lost=((3, 5), (9, 9)),
        waiting=4,
        version="0.1.0",
        config=3,
        clock_trusted=True,
        fps=24.93,
        dropped_frames=17,
        temperature_c=61.3,
        disk_free_mb=11_204,
        restarts=2,
        alarms=("no receipt for 4 reports sent",),
    ),
    "status-online": Status(sensor="elm-street-1", state="online", epoch=7006521735128321, last_seq=412),
    "status-offline": Status(sensor="elm-street-1", state="offline"),
    "live": Live(
        sensor="elm-street-1",
        at=NOON + timedelta(seconds=127),
        period_start=NOON,
        observed_s=127,
        counts=Counts(car=Directed(14, 11)),
        light="day",
    ),
    "receipt": Receipt(
        epoch=7006521735128321, through=407, seen=412, want=((408, 409), (411, 411)), refused=((406, 406),)
    ),
    "config": Config(version=3, line=(0.1, 0.8, 0.9, 0.75), flip=True, speed_limit_kmh=30),
    "config-least": Config(version=1),
    "watch": Watch(seconds=30),
}


def types_in(hint: Any, seen: set[Any]) -> Iterator[Any]:
    """Give every type that a value of a type hint can hold."""
    if get_origin(hint) is typing.Annotated:
        yield from types_in(get_args(hint)[0], seen)
    elif get_origin(hint) is Literal:
        yield from (type(value) for value in get_args(hint))
    elif get_origin(hint) is not None or isinstance(hint, types.UnionType):
        for part in get_args(hint):
            if part is not Ellipsis:
                yield from types_in(part, seen)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
        if hint not in seen:
            seen.add(hint)
            for field in msgspec.structs.fields(hint):
                yield from types_in(field.type, seen)
    else:
        yield hint


@pytest.mark.parametrize("kind", MESSAGES)
def test_no_field_of_a_message_could_carry_a_picture(kind: type[Message]) -> None:
    results = set(types_in(kind, set()))
    assert {bytes, bytearray, memoryview, object, Any, msgspec.Raw}.isdisjoint(results)
    plain = {int, float, str, bool, datetime, type(None)}
    assert all(
        value in plain or (isinstance(value, type) and issubclass(value, msgspec.Struct)) for value in results
    ), results


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_text_and_list_in_a_message_has_an_end(kind: type[Message]) -> None:
    schema = msgspec.json.schema(kind)
    for place, part in walk(schema):
        if part.get("type") == "string" and "enum" not in part and part.get("format") != "date-time":
            assert "maxLength" in part, place
        if part.get("type") == "array" and "prefixItems" not in part:
            assert "maxItems" in part, place


def walk(schema: Any, place: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        yield place, schema
        for key, value in schema.items():
            yield from walk(value, f"{place}.{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from walk(value, f"{place}[{number}]")


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_cannot_be_changed_once_made(kind: type[Message]) -> None:
    message = next(message for message in FULL.values() if type(message) is kind)
    with pytest.raises(AttributeError):
        message.v = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", FULL)
def test_a_message_comes_back_as_it_was_sent(name: str) -> None:
    message = FULL[name]
    assert decode(message.channel, encode(message)) == message


@pytest.mark.parametrize("name", FULL)
def test_the_golden_payload_of_version_1_is_what_we_send(name: str) -> None:
    golden = json.loads((GOLDEN / f"v1-{name}.json").read_text())
    assert json.loads(encode(FULL[name])) == golden


@pytest.mark.parametrize("path", GOLDEN_V1, ids=lambda path: path.stem)
def test_every_golden_payload_of_version_1_is_still_understood(path: Path) -> None:
    name = path.stem.removeprefix("v1-")
    assert decode(FULL[name].channel, path.read_bytes()) == FULL[name]


def test_there_is_a_golden_payload_of_every_message() -> None:
    assert {FULL[path.stem.removeprefix("v1-")].channel for path in GOLDEN_V1} == set(Channel)


@pytest.mark.parametrize("path", GOLDEN_V1, ids=lambda path: path.stem)
def test_an_old_reader_skips_what_a_newer_sender_adds(path: Path) -> None:
    newer = {**json.loads(path.read_text()), "weather": {"rain_mm": 0.4}, "tram": [1, 2]}
    if "counts" in newer:
        newer["counts"] = {**newer["counts"], "tram": [3, 1]}
    name = path.stem.removeprefix("v1-")
    assert decode(FULL[name].channel, json.dumps(newer).encode()) == FULL[name]


@pytest.mark.parametrize("name", FULL)
def test_a_new_reader_fills_in_what_an_older_sender_did_not_know(name: str) -> None:
    kind = type(FULL[name])
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    least = {key: value for key, value in json.loads(encode(FULL[name])).items() if key in required}
    message = decode(kind.channel, json.dumps(least).encode())
    assert message.v == 1
    assert all(getattr(message, key) == getattr(FULL[name], key) for key in required)


def test_a_field_added_in_a_later_version_is_read_by_both_sides() -> None:
    class NextReport(Report, frozen=True, kw_only=True):
        tram: Directed = Directed()

    newer = NextReport(sensor="a", epoch=1, seq=1, period_start=NOON, observed_s=900, tram=Directed(4, 2))
    assert decode(Channel.REPORT, encode(newer)) == Report(
        sensor="a", epoch=1, seq=1, period_start=NOON, observed_s=900
    )
    from_old = msgspec.json.decode(encode(FULL["report"]), type=NextReport)
    assert from_old.tram == Directed()
    assert from_old.counts == FULL["report"].counts  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v": 2}, "$.v"),
        ({"sensor": "Elm Street"}, "$.sensor"),
        ({"sensor": "x" * 64}, "$.sensor"),
        ({"sensor": "x/../../y"}, "$.sensor"),
        ({"epoch": 0}, "$.epoch"),
        ({"epoch": 2**53}, "$.epoch"),
        ({"seq": 0}, "$.seq"),
        ({"seq": "1"}, "$.seq"),
        ({"seq": 1.5}, "$.seq"),
        ({"observed_s": 901}, "$.observed_s"),
        ({"observed_s": -1}, "$.observed_s"),
        ({"period_start": "2026-11-21T12:07:00Z"}, "quarter"),
        ({"period_start": "2026-11-21T12:00:00"}, "$.period_start"),
        ({"period_start": "noon"}, "$.period_start"),
        ({"counts": {"car": [1, -1]}}, "$.counts.car[1]"),
        ({"counts": {"car": [32_768, 0]}}, "$.counts.car[0]"),
        ({"counts": {"motorcycle": [2, 0], "bike": [1, 0]}}, "motorcycle"),
        ({"car_speed": [0] * 24}, "$.car_speed"),
        ({"car_speed": [0] * 26}, "$.car_speed"),
        ({"confidence": {"car": 101}}, "$.confidence.car"),
        ({"light": "moon"}, "$.light"),
        ({"flags": -1}, "$.flags"),
    ],
)
def test_a_report_that_breaks_the_contract_is_refused_with_the_place(change: dict[str, Any], message: str) -> None:
    payload = {**json.loads(encode(FULL["report"])), **change}
    with pytest.raises(MessageError) as caught:
        decode(Channel.REPORT, json.dumps(payload).encode())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"v": "\xff"}',
        b"NaN",
        b'{"v": NaN}',
        b"[" * 10_000,
        b"\x00" * 50,
    ],
)
@pytest.mark.parametrize("channel", list(Channel))
def test_rubbish_raises_nothing_but_the_documented_error(channel: Channel, payload: bytes) -> None:
    with pytest.raises(MessageError):
        decode(channel, payload)


@given(st.sampled_from(list(Channel)), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_the_documented_error(channel: Channel, payload: bytes) -> None:
    try:
        message = decode(channel, payload)
    except MessageError:
        return
    assert message.channel == channel


@pytest.mark.parametrize(
    "payload",
    [
        b'{"v":2}',
        b'{"v":0,"seq":1}',
        b'{"v":"1"}',
        b'{"v":null}',
        b'{"seq":"not a number","v":2}',
        b'{"v":2,"counts":{"ca',
        b'{"v":2.5}',
    ],
)
def test_a_message_of_another_version_is_told_from_one_that_is_wrong(payload: bytes) -> None:
    with pytest.raises(UnknownVersionError, match=r"report: "):
        decode(Channel.REPORT, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"v":1}',
        b'{"v":1,"seq":"not a number"}',
        b'[{"v":2}]',
        b"5",
        b'"v"',
        b"",
        b'{"counts":{"v":2}}',
        b'{"seq":1,"v',
    ],
)
def test_a_message_that_is_wrong_is_not_taken_for_one_of_another_version(payload: bytes) -> None:
    with pytest.raises(MessageError) as info:
        decode(Channel.REPORT, payload)
    assert type(info.value) is MessageError


def test_a_payload_longer_than_any_message_is_refused_unread() -> None:
    with pytest.raises(MessageError, match="bytes, more than"):
        decode(Channel.REPORT, b" " * (MAX_PAYLOAD_BYTES + 1))


def test_the_longest_messages_fit_and_are_far_smaller_than_a_picture() -> None:
    most = 2**31 - 1
    ranges = tuple((most - 2 * k - 1, most - 2 * k) for k in range(MAX_RANGES))
    receipt = Receipt(epoch=2**53 - 1, through=most, seen=most, want=ranges, refused=ranges)
    assert len(encode(receipt)) < MAX_PAYLOAD_BYTES
    full = Report(
        sensor="a" * 63,
        epoch=2**53 - 1,
        seq=most,
        period_start=NOON,
        observed_s=900,
        counts=Counts(*[Directed(32_767, 32_767)] * 6),
        car_speed=(32_767,) * SPEED_BINS,
        flags=most,
    )
    assert len(encode(full)) < 1_000


def test_unknown_flags_are_kept_for_whoever_knows_them() -> None:
    payload = {**json.loads(encode(FULL["report"])), "flags": 2**30 | 1}
    assert decode(Channel.REPORT, json.dumps(payload).encode()).flags == 2**30 | 1


def test_flags_have_one_bit_each_and_names_that_never_collide() -> None:
    bits = [flag.value for flag in Flag]
    assert len(set(bits)) == len(bits)
    assert all(bit & (bit - 1) == 0 for bit in bits)
    assert Flag.CLOCK_CORRECTED.value == 1
    assert Flag.SIMULATED.value == 2048
