"""The MQTT that ingest speaks: packets whole however the network cuts them, long ones cut, nonsense refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telstraat_ingest.receiving import mqtt
from telstraat_ingest.receiving.mqtt import LONG_BYTES, Kind, Packet, PacketReader, ProtocolError, Published, Version


def length_of(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


def a_publish(topic: str, payload: bytes, mid: int = 0, properties: bytes | None = None) -> bytes:
    """A PUBLISH as a broker sends it; with properties for version 5, QoS 1 with a number."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if mid else b"")
    body += (length_of(len(properties)) + properties if properties is not None else b"") + payload
    return bytes([Kind.PUBLISH << 4 | (2 if mid else 0)]) + length_of(len(body)) + body


@settings(deadline=None)
@given(
    payloads=st.lists(st.binary(max_size=400), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 3000), max_size=12),
    version=st.sampled_from(Version),
)
def test_packets_are_whole_however_the_network_cuts_them(
    payloads: list[bytes], cuts: list[int], version: Version
) -> None:
    properties = b"\x01\x01" if version == Version.V5 else None
    data = b"".join(a_publish("a/b", payload, number, properties) for number, payload in enumerate(payloads, start=1))
    reader, packets, before = PacketReader(), list[Packet](), 0
    for cut in sorted({min(cut, len(data)) for cut in [*cuts, len(data)]}):
        packets += reader.feed(data[before:cut])
        before = cut
    taken = [mqtt.take_publish(version, packet) for packet in packets]
    assert taken == [Published(b"a/b", number, 1, payload) for number, payload in enumerate(payloads, start=1)]


@settings(deadline=None)
@given(size=st.sampled_from([LONG_BYTES, LONG_BYTES + 1, 700_000]), step=st.integers(10_000, 300_000))
def test_a_packet_that_is_far_too_long_is_cut_and_what_follows_is_whole(size: int, step: int) -> None:
    long = a_publish("a/b", b"x" * size, 7)
    data = a_publish("a", b"1", 1) + long + a_publish("c", b"3", 3)
    reader = PacketReader()
    packets = [packet for at in range(0, len(data), step) for packet in reader.feed(data[at : at + step])]
    assert [mqtt.take_publish(Version.V311, packet).mid for packet in packets] == [1, 7, 3]
    assert len(packets[1].body) <= LONG_BYTES
    assert packets[1].cut_bytes + len(mqtt.take_publish(Version.V311, packets[1]).payload) == size
    assert packets[1].sha256 == hashlib.sha256(long[-size - 7 :]).digest()


def test_what_a_broker_can_do_is_read_from_its_answer() -> None:
    none = b"\x00\x00\x00"
    assert mqtt.take_connack(Version.V5, Packet(2, 0, none)).has_shared
    text = b"\x1f\x00\x02ok" + b"\x26\x00\x01a\x00\x01b" + b"\x2a\x00" + b"\x13\x00\x0a"
    accepted = mqtt.take_connack(Version.V5, Packet(2, 0, b"\x01\x00" + bytes([len(text)]) + text))
    assert (accepted.has_shared, accepted.keepalive_s) == (False, 10)
    assert not mqtt.take_connack(Version.V311, Packet(2, 0, b"\x00\x05")).has_shared
    with pytest.raises(ProtocolError, match="0x77 is unknown"):
        mqtt.take_connack(Version.V5, Packet(2, 0, b"\x00\x00\x02\x77\x00"))


def test_a_length_of_more_than_four_bytes_is_not_mqtt() -> None:
    with pytest.raises(ProtocolError, match="more than four bytes"):
        list(PacketReader().feed(b"\x30\xff\xff\xff\xff\x01"))
