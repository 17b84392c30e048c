"""A fuzzer led by the branches that were taken, over what ingest makes of bytes from the network; by hand, for as long as you like.

    pip install atheris
    python -m bench.ingest.fuzz [CORPUS_FOLDER] [-max_total_time=300] [...]

The first byte chooses the version of MQTT and how the rest is cut. A run ends with the first input for which anything but the
documented error is raised, for which packets depend on the cuts, for which more is held than came, or for which a message is
neither taken nor set aside. The arguments are libFuzzer's.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(
    include=["telstraat_ingest.receiving.mqtt", "telstraat_ingest.writing.decode", "telstraat_contract"]
):
    from telstraat_contract.topics import UP
    from telstraat_ingest.receiving import mqtt
    from telstraat_ingest.writing.batch import Dates, read_batch
    from telstraat_ingest.writing.decode import Decoder
    from telstraat_ingest.writing.quarantine import arrival

SEEDS = [
    b"\x00\x20\x03\x00\x00\x00\x90\x07\x00\x01\x00\x01\x01\x01\x00",
    b"\x01\x20\x02\x00\x00\x90\x06\x00\x01\x01\x01\x01\x00\xd0\x00",
    b"\x02\x20\x13\x01\x00\x10\x1f\x00\x02ok\x26\x00\x01a\x00\x01b\x13\x00\x0a",
    b'\x06\x32\x21\x00\x15telstraat/v1/a/report\x00\x07\x00{"v":2}',
    b'\x03\x30\x1e\x00\x15telstraat/v1/a/health{"v":1}',
    b"\x04\xe0\x01\x8e",
    b"\x08\x30\xff\xff\x7f\x00\x03a/b",
]
"""Connections as they begin, messages, a farewell, and the head of a packet that is far too long."""


def read_all(version: mqtt.Version, chunks: list[bytes]) -> tuple[list[object], bool]:
    """Return what was read of a connection, and whether it ended with the documented error."""
    reader, messages, body_bytes = mqtt.PacketReader(), list[object](), 0
    try:
        for chunk in chunks:
            for packet in reader.feed(chunk):
                body_bytes += len(packet.body)
                if packet.kind == mqtt.Kind.PUBLISH:
                    messages.append(mqtt.take_publish(version, packet))
                elif packet.kind == mqtt.Kind.CONNACK:
                    messages.append(mqtt.take_connack(version, packet))
                elif packet.kind == mqtt.Kind.SUBACK:
                    messages.append(mqtt.take_suback(version, packet))
                else:
                    messages.append(packet)
    except mqtt.ProtocolError:
        return messages, True
    if body_bytes > sum(map(len, chunks)):
        raise AssertionError("more is held than came")
    return messages, False


def try_input(data: bytes) -> None:
    """Read an input whole and in pieces, and decode every message in it and the input itself."""
    if not data:
        return
    version = mqtt.Version.V311 if data[0] & 1 else mqtt.Version.V5
    step, stream = (data[0] >> 1) + 1, data[1:]
    whole = read_all(version, [stream])
    if whole != read_all(version, [stream[at : at + step] for at in range(0, len(stream), step)]):
        raise AssertionError("the packets depend on how they are cut")
    messages = [message for message in whole[0] if isinstance(message, mqtt.Published)]
    arrivals = [
        arrival(1, message.mid, message.qos, message.topic.decode("utf-8", "backslashreplace"), message.payload, 0.0)
        for message in messages
    ] + [arrival(1, 1, 1, f"telstraat/v1/a/{channel}", stream, 0.0) for channel in UP]
    batch = read_batch(arrivals, Decoder(), Dates())
    taken = len(batch.reports) + len(batch.health) + len(batch.status) + len(batch.live)
    if taken + len(batch.rejected) != len(arrivals):
        raise AssertionError("a message is neither taken nor set aside")


def main() -> None:
    """Fuzz until told to stop."""
    for seed in SEEDS:
        try_input(seed)
    atheris.Setup(sys.argv, try_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
