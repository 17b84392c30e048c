"""What an arrival says: typed, named after the sensor in its topic, inside the dates; or why it cannot be taken."""

from __future__ import annotations

from typing import Any

import msgspec

from telstraat_contract import messages
from telstraat_contract.errors import MessageError, TopicError, UnknownVersionError
from telstraat_contract.topics import UP, Topic, parse_topic
from telstraat_ingest.writing.quarantine import Arrival, Reason, Rejected

_TOPICS_REMEMBERED = 100_000  # 10,000 sensors with four channels, twice


class ReportKey(msgspec.Struct, frozen=True):
    """The little of a report that suffices to say in the receipt that it was refused."""

    epoch: messages.Epoch
    seq: messages.Seq


_report_key = msgspec.json.Decoder(ReportKey)


class Decoder:
    """Reads arrivals; remembers topics, of which there are few."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}

    def read(self, arrival: Arrival) -> tuple[Topic, Any] | Rejected:
        """Return the topic and the message of an arrival, or why it cannot be taken."""
        topic = self._topics.get(arrival.topic)
        if topic is None:
            try:
                topic = parse_topic(arrival.topic)
            except TopicError as error:
                return Rejected(arrival, Reason.TOPIC, str(error))
            if topic.channel not in UP:
                return Rejected(arrival, Reason.TOPIC, f"topic {arrival.topic!r} is written by the server only")
            if len(self._topics) >= _TOPICS_REMEMBERED:
                self._topics.clear()
            self._topics[arrival.topic] = topic
        if arrival.payload_bytes > messages.MAX_PAYLOAD_BYTES:
            detail = f"{arrival.payload_bytes} bytes, more than {messages.MAX_PAYLOAD_BYTES}"
            return Rejected(arrival, Reason.TOO_LARGE, detail)
        try:
            message = messages.decode(topic.channel, arrival.payload)
        except UnknownVersionError as error:
            return Rejected(arrival, Reason.VERSION, str(error))
        except MessageError as error:
            return Rejected(arrival, Reason.MALFORMED, str(error))
        if message.sensor != topic.sensor:
            detail = f"the payload says {message.sensor!r}, the topic {topic.sensor!r}"
            return Rejected(arrival, Reason.FORGED_NAME, detail)
        return topic, message


def report_key_of(arrival: Arrival) -> ReportKey | None:
    """Return epoch and sequence number of a report that is wrong in other ways, if they can be read."""
    try:
        return _report_key.decode(arrival.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
