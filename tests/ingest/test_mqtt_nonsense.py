"""What ingest makes of bytes that no broker should send: a documented error or a packet, the same however the network cuts them.

`python -m bench.ingest.fuzz` looks further, by hand, with a fuzzer that is led by the branches taken.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Sequence
from typing import Self

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.ingest.test_mqtt import a_publish, length_of

from telstraat_ingest.errors import BrokerError
from telstraat_ingest.receiving import mqtt
from telstraat_ingest.receiving.mqtt import LONG_BYTES, Kind, Packet, PacketReader, ProtocolError, Version
from telstraat_ingest.receiving.receive import Receiver
from telstraat_ingest.settings import IngestSettings
from telstraat_ingest.writing.batch import Dates, read_batch
from telstraat_ingest.writing.decode import Decoder, report_key_of
from telstraat_ingest.writing.quarantine import Rejected, arrival

VERSIONS = st.sampled_from(Version)
NUMBERS = {0x01: 1, 0x17: 1, 0x19: 1, 0x24: 1, 0x25: 1, 0x28: 1, 0x29: 1, 0x2A: 1, 0x13: 2, 0x21: 2, 0x22: 2, 0x23: 2,
           0x02: 4, 0x11: 4, 0x18: 4, 0x27: 4}  # fmt: skip
"""The properties that are numbers, with their bytes: MQTT 5, table 2-4."""
TEXTS = (0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F)
USER_PROPERTY, SUBSCRIPTION_ID = 0x26, 0x0B


def text_of(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


@st.composite
def properties(draw: st.DrawFn) -> tuple[dict[int, int], bytes]:
    """Valid properties in any order: the numbers among them, and all as they stand in a packet."""
    numbers = draw(st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.integers(0, 255), max_size=6))
    fields = [bytes([key]) + value.to_bytes(NUMBERS[key], "big") for key, value in numbers.items()]
    short = st.binary(max_size=20)
    for key, data in draw(st.lists(st.tuples(st.sampled_from(TEXTS), short), max_size=4)):
        fields.append(bytes([key]) + text_of(data))
    for name, value in draw(st.lists(st.tuples(short, short), max_size=3)):
        fields.append(bytes([USER_PROPERTY]) + text_of(name) + text_of(value))
    fields += [bytes([SUBSCRIPTION_ID]) + length_of(draw(st.integers(1, 268_435_455)))] * draw(st.integers(0, 1))
    body = b"".join(draw(st.permutations(fields)))
    return numbers, length_of(len(body)) + body


def a_packet(kind: Kind, body: bytes, flags: int = 0) -> bytes:
    return bytes([kind << 4 | flags]) + length_of(len(body)) + body


@st.composite
def valid_packets(draw: st.DrawFn, version: Version) -> bytes:
    """A packet that a broker may send, with everything that the version allows in it."""
    block = draw(properties())[1] if version == Version.V5 else b""
    kind = draw(st.sampled_from([Kind.PUBLISH, Kind.CONNACK, Kind.SUBACK, Kind.PINGRESP, Kind.DISCONNECT]))
    if kind == Kind.PUBLISH:
        topic, qos = text_of(draw(st.binary(min_size=1, max_size=40))), draw(st.integers(0, 1))
        mid = draw(st.integers(1, 65_535)).to_bytes(2, "big") if qos else b""
        return a_packet(kind, topic + mid + block + draw(st.binary(max_size=200)), qos << 1)
    if kind == Kind.CONNACK:
        return a_packet(kind, bytes([draw(st.integers(0, 1)), 0]) + block)
    if kind == Kind.SUBACK:
        return a_packet(kind, b"\0\1" + block + draw(st.binary(min_size=1, max_size=8)))
    return a_packet(kind, b"")


def read_all(version: Version, chunks: Sequence[bytes]) -> tuple[list[object], bool]:
    """Read what came as ingest does; return what was read, and whether it ended with the documented error."""
    reader, messages = PacketReader(), list[object]()
    try:
        for chunk in chunks:
            for packet in reader.feed(chunk):
                assert len(packet.body) <= LONG_BYTES
                if packet.kind == Kind.PUBLISH:
                    messages.append(mqtt.take_publish(version, packet))
                elif packet.kind == Kind.CONNACK:
                    messages.append(mqtt.take_connack(version, packet))
                elif packet.kind == Kind.SUBACK:
                    messages.append(mqtt.take_suback(version, packet))
                else:
                    messages.append(packet)
    except ProtocolError:
        return messages, True
    return messages, False


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    bounds = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


CUTS = st.lists(st.integers(0, 10_000), max_size=20)


@settings(deadline=None, max_examples=300)
@given(data=st.binary(max_size=600), cuts=CUTS, version=VERSIONS)
def test_any_bytes_give_the_same_packets_or_error_however_they_are_cut(
    data: bytes, cuts: list[int], version: Version
) -> None:
    assert read_all(version, split(data, cuts)) == read_all(version, [data])


@settings(deadline=None, max_examples=300)
@given(data=st.data(), version=VERSIONS, cuts=CUTS)
def test_valid_packets_are_all_read_however_they_are_cut(
    data: st.DataObject, version: Version, cuts: list[int]
) -> None:
    packets = data.draw(st.lists(valid_packets(version), min_size=1, max_size=6))
    messages, is_error = read_all(version, split(b"".join(packets), cuts))
    assert (len(messages), is_error) == (len(packets), False)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), version=VERSIONS)
def test_a_packet_whose_end_is_missing_is_read_or_refused(data: st.DataObject, version: Version) -> None:
    whole = data.draw(valid_packets(version))
    messages, _ = read_all(version, [whole[: data.draw(st.integers(0, len(whole) - 1))]])
    assert messages == []  # the network may still bring the rest
    (packet,) = PacketReader().feed(whole)
    end = data.draw(st.integers(0, max(len(packet.body) - 1, 0)))
    shorter = bytes([whole[0]]) + length_of(end) + packet.body[:end]
    assert read_all(version, split(shorter, [1, 2, 3])) == read_all(version, [shorter])


@settings(deadline=None, max_examples=300)
@given(data=st.data(), version=VERSIONS, cuts=CUTS)
def test_packets_with_bytes_changed_added_and_taken_out_raise_only_the_documented_error(
    data: st.DataObject, version: Version, cuts: list[int]
) -> None:
    damaged = bytearray(b"".join(data.draw(st.lists(valid_packets(version), min_size=1, max_size=4))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(damaged) - 1, 0)))
        match data.draw(st.sampled_from(["change", "add", "take out"])):
            case "change" if damaged:
                damaged[at] = data.draw(st.integers(0, 255))
            case "add":
                damaged[at:at] = data.draw(st.binary(min_size=1, max_size=5))
            case _:
                del damaged[at : at + data.draw(st.integers(1, 5))]
    assert read_all(version, split(bytes(damaged), cuts)) == read_all(version, [bytes(damaged)])


@settings(deadline=None, max_examples=200)
@given(block=properties())
def test_the_numbers_among_properties_are_read_whatever_stands_between_them(
    block: tuple[dict[int, int], bytes],
) -> None:
    numbers, encoded = block
    accepted = mqtt.take_connack(Version.V5, Packet(Kind.CONNACK, 0, b"\0\0" + encoded))
    assert accepted.keepalive_s == numbers.get(0x13)
    assert accepted.has_shared == (numbers.get(0x2A, 1) == 1)


@settings(deadline=None, max_examples=200)
@given(block=properties(), missing=st.integers(1, 5))
def test_properties_that_end_early_are_refused(block: tuple[dict[int, int], bytes], missing: int) -> None:
    _, encoded = block
    assume(len(encoded) > missing)
    with pytest.raises(ProtocolError):
        mqtt.take_connack(Version.V5, Packet(Kind.CONNACK, 0, b"\0\0" + encoded[:-missing]))


@pytest.mark.parametrize("version", list(Version))
def test_a_publish_that_ends_early_is_refused_wherever_it_ends(version: Version) -> None:
    block = b"\x01\x01" if version == Version.V5 else None
    (packet,) = PacketReader().feed(a_publish("telstraat/v1/a/report", b"", 7, block))
    for end in range(len(packet.body)):
        with pytest.raises(ProtocolError):
            mqtt.take_publish(version, Packet(packet.kind, packet.flags, packet.body[:end]))
    assert mqtt.take_publish(version, packet).payload == b""


@pytest.mark.parametrize(("flags", "mid"), [(2, 0), (4, 0), (6, 7)])
def test_a_publish_without_a_number_or_of_an_unknown_quality_is_refused(flags: int, mid: int) -> None:
    body = text_of(b"a/b") + mid.to_bytes(2, "big") + b"payload"
    with pytest.raises(ProtocolError, match="has the number"):
        mqtt.take_publish(Version.V311, Packet(Kind.PUBLISH, flags, body))


@pytest.mark.parametrize("size", [LONG_BYTES - 100, LONG_BYTES + 1, 3 * LONG_BYTES])
def test_properties_longer_than_any_message_are_the_sensors_own_and_refuse_only_that_message(size: int) -> None:
    pair = bytes([USER_PROPERTY]) + text_of(b"a" * 20_000) + text_of(b"b" * 20_000)
    block = pair * (size // len(pair) + 1)
    data = a_publish("telstraat/v1/a/report", b"{}", 7, block) + a_publish("c", b"3", 3, b"")
    first, second = (mqtt.take_publish(Version.V5, packet) for packet in PacketReader().feed(data))
    assert (first.topic, first.mid) == (b"telstraat/v1/a/report", 7)
    assert (second.topic, second.mid, second.payload) == (b"c", 3, b"3")


def test_an_answer_to_no_topic_filter_is_no_answer() -> None:
    for version, body in ((Version.V311, b"\0\1"), (Version.V5, b"\0\1\0"), (Version.V311, b"")):
        with pytest.raises(ProtocolError, match="ends early"):
            mqtt.take_suback(version, Packet(Kind.SUBACK, 0, body))


@settings(deadline=None, max_examples=300)
@given(
    topic=st.one_of(st.text(max_size=60), st.sampled_from([f"telstraat/v1/a/{channel}" for channel in
                                                           ("report", "health", "status", "live", "receipt")])),
    payload=st.one_of(st.binary(max_size=300), st.sampled_from([b"[" * 5000, b'{"v":' * 3000, b'{"v":2', b'{"v":1e999}'])),
)  # fmt: skip
def test_any_payload_under_any_topic_is_taken_or_set_aside_with_a_reason(topic: str, payload: bytes) -> None:
    message = arrival(1, 1, 1, topic, payload, 0.0)
    decision = Decoder().read(message)
    if isinstance(decision, Rejected):
        assert decision.detail
        report_key_of(message)
    batch = read_batch([message], Decoder(), Dates())
    assert len(batch.rejected) + len(batch.reports) + len(batch.health) + len(batch.status) + len(batch.live) == 1


class Talker:
    """A TCP server that answers whoever connects with the same bytes, in pieces, and goes."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._talk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    @property
    def is_talking(self) -> bool:
        """Tell whether not all has been sent."""
        return self._thread.is_alive()

    def _talk(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(5)
            connection.recv(4096)
            for chunk in self._chunks:
                connection.sendall(chunk)


CONNACK_V5, SUBACK_V5 = b"\x20\x03\x00\x00\x00", b"\x90\x07\x00\x01\x00\x01\x01\x01\x00"


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
    greeting=st.sampled_from([b"", CONNACK_V5, CONNACK_V5 + SUBACK_V5]),
)
def test_a_peer_that_talks_nonsense_is_left_and_nothing_else_happens(
    data: st.DataObject, cuts: list[int], greeting: bytes
) -> None:
    nonsense = data.draw(
        st.one_of(st.binary(max_size=200), valid_packets(Version.V5), st.just(CONNACK_V5), st.just(SUBACK_V5))
    )
    with Talker(split(greeting + nonsense, cuts)) as talker:
        receiver = Receiver(IngestSettings(dsn="x", broker=f"mqtt://127.0.0.1:{talker.port}", name="nonsense"))
        try:
            while talker.is_talking or receiver.is_connected:
                receiver.turn(0.01)
            assert sum(len(message.payload) for message in receiver.pending) <= len(nonsense)
        except BrokerError:
            pass  # it answers that we may not subscribe: a person has to act
        finally:
            receiver.close()
