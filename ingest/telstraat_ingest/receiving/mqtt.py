"""MQTT 3.1.1 and 5 as far as ingest needs them, bytes in and packets out, without a socket.

Written by hand because the library was more than half of what a report cost (docs/decisions/009, 037). A packet that is far
too long is cut while it is read, so that no message can fill the memory.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

LONG_BYTES = 131_072
"""Longer packets are cut: a topic (65,535 at most) and what quarantine keeps of a payload fit."""


class ProtocolError(Exception):
    """The other side does not speak MQTT."""


class BrokerRefusedError(ProtocolError):
    """The other side speaks MQTT and does not let us in."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the broker refuses us: {reason_of(code)}")
        self.code = code


class OtherVersionError(ProtocolError):
    """The other side answers, and is to be asked again for another version of MQTT."""


class Kind(IntEnum):
    """The packets that ingest sends or understands."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Version(IntEnum):
    """Protocol levels."""

    V311 = 4
    V5 = 5


class Packet(Struct, frozen=True, gc=False):
    """A packet as it came. `cut_bytes` were left out of `body`; `sha256` is then that of the whole application message."""

    kind: int
    flags: int
    body: bytes
    cut_bytes: int = 0
    sha256: bytes = b""


class Published(Struct, frozen=True, gc=False):
    """A PUBLISH taken apart."""

    topic: bytes
    mid: int
    qos: int
    payload: bytes


class Accepted(NamedTuple):
    """A CONNACK taken apart; 0 is yes."""

    code: int
    has_shared: bool
    keepalive_s: int | None


PINGREQ = bytes([Kind.PINGREQ << 4, 0])
DISCONNECT = bytes([Kind.DISCONNECT << 4, 0])
UNSUPPORTED_VERSION = {1, 0x84}
CODES = {
    1: "it does not speak this version of MQTT",
    2: "it rejects the client's name",
    3: "it is unavailable",
    4: "wrong user name or password",
    5: "not authorized",
    0x80: "unspecified error",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "it does not speak this version of MQTT",
    0x85: "it rejects the client's name",
    0x86: "wrong user name or password",
    0x87: "not authorized",
    0x88: "it is unavailable",
    0x89: "it is busy",
    0x8A: "we are banned",
    0x8B: "it is shutting down",
    0x8D: "keep alive time-out",
    0x8E: "another ingester of the same name took our session",
    0x8F: "topic filter invalid",
    0x95: "packet too large",
    0x97: "quota exceeded",
    0x9E: "shared subscriptions are not supported",
}


def reason_of(code: int) -> str:
    """Return what a reason code of a broker means, in words."""
    return CODES.get(code, hex(code))


_SHARED_SUBSCRIPTION_AVAILABLE, _SERVER_KEEP_ALIVE = 0x2A, 0x13
_PROPERTY_BYTES = {0x01: 1, 0x17: 1, 0x19: 1, 0x24: 1, 0x25: 1, 0x28: 1, 0x29: 1, 0x2A: 1, 0x13: 2, 0x21: 2, 0x22: 2, 0x23: 2,
                   0x02: 4, 0x11: 4, 0x18: 4, 0x27: 4}  # fmt: skip
_PROPERTY_TEXT = {0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F}
_PROPERTY_PAIR = 0x26


def connect(
    version: Version,
    client_id: str,
    user: str,
    password: str,
    keepalive_s: int,
    session_expiry_s: int,
    receive_max: int,
) -> bytes:
    """Return a CONNECT that takes up the session that is there."""
    flags = (0x80 if user else 0) | (0x40 if password else 0)
    head = _text("MQTT") + bytes([version, flags]) + struct.pack("!H", keepalive_s)
    if version == Version.V5:
        head += _length(8) + struct.pack("!BIBH", 0x11, session_expiry_s, 0x21, receive_max)
    body = head + _text(client_id) + (_text(user) if user else b"") + (_text(password) if password else b"")
    return bytes([Kind.CONNECT << 4]) + _length(len(body)) + body


def subscribe(version: Version, mid: int, filters: Iterable[tuple[str, int]]) -> bytes:
    """Return a SUBSCRIBE of topic filters with their QoS."""
    body = struct.pack("!H", mid) + (b"\0" if version == Version.V5 else b"")
    body += b"".join(_text(text) + bytes([qos]) for text, qos in filters)
    return bytes([Kind.SUBSCRIBE << 4 | 2]) + _length(len(body)) + body


def publish(version: Version, topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """Return a PUBLISH of QoS 0."""
    name = topic.encode()
    none = b"\0" if version == Version.V5 else b""
    length = 2 + len(name) + len(none) + len(payload)
    return b"".join(
        (bytes([Kind.PUBLISH << 4 | retain]), _length(length), struct.pack("!H", len(name)), name, none, payload)
    )


def puback(mid: int) -> bytes:
    """Return the acknowledgement of one message."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


def take_publish(version: Version, packet: Packet) -> Published:
    """Take a PUBLISH apart. One that was cut inside its properties has an empty payload: a sensor may have sent such properties."""
    body, qos = packet.body, packet.flags >> 1 & 3
    try:
        end = 2 + (body[0] << 8 | body[1])
        topic, mid = body[2:end], 0
        if qos:
            mid = body[end] << 8 | body[end + 1]
            end += 2
            if not mid or qos > 2:
                raise ProtocolError(f"a PUBLISH of QoS {qos} has the number {mid}")
        if version == Version.V5:
            properties = body[end]
            if properties > 127:
                properties, end = _take_length(body, end)
            else:
                end += 1
            end += properties
    except IndexError as error:
        raise ProtocolError("a PUBLISH ends early") from error
    if end > len(body) and not packet.cut_bytes:
        raise ProtocolError("a PUBLISH ends early")
    return Published(topic, mid, qos, body[end:])


def take_connack(version: Version, packet: Packet) -> Accepted:
    """Take a CONNACK apart."""
    if len(packet.body) < 2:
        raise ProtocolError("a CONNACK ends early")
    properties = _take_properties(packet.body, 2) if version == Version.V5 and len(packet.body) > 2 else {}
    return Accepted(
        packet.body[1],
        version == Version.V5 and properties.get(_SHARED_SUBSCRIPTION_AVAILABLE, 1) == 1,
        properties.get(_SERVER_KEEP_ALIVE),
    )


def take_suback(version: Version, packet: Packet) -> list[int]:
    """Return the answers to each topic filter; 0x80 and above are refusals."""
    at = 2
    if version == Version.V5:
        properties, at = _take_length(packet.body, 2)
        at += properties
    if at >= len(packet.body):
        raise ProtocolError("a SUBACK ends early")
    return list(packet.body[at:])


class PacketReader:
    """Cuts what comes from the network into packets."""

    def __init__(self) -> None:
        self._rest = b""
        self._long: _LongPacket | None = None

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Take bytes and yield the packets that are complete."""
        if self._long is not None:
            data = self._long.feed(data)
            if self._long.missing:
                return
            yield self._long.packet()
            self._long = None
        data = self._rest + data if self._rest else data
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length > 127:
                length_and_end = _try_length(data, at + 1)
                if length_and_end is None:
                    break
                length, start = length_and_end
            if length > LONG_BYTES:
                self._rest = b""
                self._long = _LongPacket(data[at], length)
                yield from self.feed(data[start:])
                return
            end = start + length
            if end > size:
                break
            yield Packet(data[at] >> 4, data[at] & 15, data[start:end])
            at = end
        self._rest = data[at:]


class _LongPacket:
    """A packet that is too long: its beginning is kept, the rest is only counted and added to the checksum."""

    def __init__(self, first: int, length: int) -> None:
        self._first = first
        self._length = length
        self._head = b""
        self._sha256 = hashlib.sha256()
        self.missing = length

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to this packet and return the rest."""
        own = data[: self.missing]
        self.missing -= len(own)
        self._head += own[: LONG_BYTES - len(self._head)]
        # The checksum is over the body with its header: the same message has the same one unless its number differs.
        self._sha256.update(own)
        return data[len(own) :]

    def packet(self) -> Packet:
        """Return the packet without its end."""
        return Packet(
            self._first >> 4, self._first & 15, self._head, self._length - len(self._head), self._sha256.digest()
        )


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, low = divmod(length, 128)
        encoded.append(low | 0x80 if length else low)
        if not length:
            return bytes(encoded)


def _try_length(data: bytes, at: int) -> tuple[int, int] | None:
    """Return a length of one to four bytes and where it ends, or nothing when it is not there yet."""
    length = 0
    for index in range(4):
        if at + index >= len(data):
            return None
        byte = data[at + index]
        length |= (byte & 127) << 7 * index
        if byte < 128:
            return length, at + index + 1
    raise ProtocolError("a length has more than four bytes")


def _take_length(data: bytes, at: int) -> tuple[int, int]:
    length_and_end = _try_length(data, at)
    if length_and_end is None:
        raise ProtocolError("a packet ends inside a length")
    return length_and_end


def _take_properties(data: bytes, at: int) -> dict[int, int]:
    """Return the properties that are numbers."""
    size, at = _take_length(data, at)
    end, properties = at + size, dict[int, int]()
    while at < end <= len(data):
        key = data[at]
        at += 1
        if key in _PROPERTY_BYTES:
            properties[key] = int.from_bytes(data[at : at + _PROPERTY_BYTES[key]], "big")
            at += _PROPERTY_BYTES[key]
        elif key in _PROPERTY_TEXT:
            at += 2 + int.from_bytes(data[at : at + 2], "big")
        elif key == _PROPERTY_PAIR:
            at += 2 + int.from_bytes(data[at : at + 2], "big")
            at += 2 + int.from_bytes(data[at : at + 2], "big")
        elif key == 0x0B:
            _, at = _take_length(data, at)
        else:
            raise ProtocolError(f"property {key:#04x} is unknown")
    if at != end:
        raise ProtocolError("properties end early")
    return properties
