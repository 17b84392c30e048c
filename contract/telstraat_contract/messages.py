"""The messages, frozen: what each says, its units and its limits.

Evolution: a new field has a default; a field never changes its type or meaning and its name is never used again; `v`
rises only when an old reader would be misled. Nothing here is binary: no field could carry a picture.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntFlag
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from telstraat_contract.errors import MessageError, UnknownVersionError
from telstraat_contract.quarters import QUARTER_S, is_quarter_start
from telstraat_contract.road_users import SPEED_BINS
from telstraat_contract.topics import Channel

MAX_RANGES = 200
MAX_PAYLOAD_BYTES = 16_384  # the longest receipt with MAX_RANGES is half of it; a report is 0.5 kB

Version = Annotated[int, Meta(ge=1, le=1)]
SensorName = Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", max_length=63)]
Epoch = Annotated[int, Meta(ge=1, le=2**53 - 1)]  # exact in every JSON reader
SEQ_MAX = 2**31 - 1
Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
Count = Annotated[int, Meta(ge=0, le=32_767)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Whole = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # exact in every JSON reader
UtcTime = Annotated[datetime, Meta(tz=True)]
Ranges = Annotated[tuple[tuple[Seq, Seq], ...], Meta(max_length=MAX_RANGES)]
Text = Annotated[str, Meta(max_length=200)]
Light = Literal["unknown", "day", "dusk", "night"]


class Flag(IntFlag):
    """What a reader of one quarter should know. Bits are never used again; unknown bits are kept."""

    CLOCK_CORRECTED = 1  # the clock was not trusted while counting; the period was shifted when it was set
    CLOCK_STEPPED = 2  # the clock jumped inside; crossings of a closed quarter were added here
    PARTIAL_START = 4  # counting began inside the quarter
    PARTIAL_END = 8  # counting ended inside the quarter (stop, end of a file)
    RESTARTED = 16  # the service restarted inside the quarter
    CAMERA_MOVED = 32  # the view is not the one that the line was drawn on
    CAMERA_COVERED = 64  # the view was blind for a part
    TOO_DARK = 128  # too dark to count for a part
    FRAMES_DROPPED = 256  # frames were late or missing
    LEARNING = 512  # scale and classes were still being learnt from the traffic
    NIGHT_COUNTED = 1024  # some were counted by their lights: larger uncertainty
    SIMULATED = 2048  # a street that does not exist
    SHARED_NAME = (
        4096  # set when reading, by no sensor: more was observed than a quarter has seconds, by two devices of one name
    )


class Directed(Struct, frozen=True, array_like=True):
    """Crossings per direction: `[lft, rgt]`; `lft` is from the segment's first point to its last."""

    lft: Count = 0
    rgt: Count = 0


NONE = Directed()


class Counts(Struct, frozen=True, forbid_unknown_fields=False):
    """Crossings as observed, never corrected. `motorcycle` is an "of which" of `bike`."""

    pedestrian: Directed = NONE
    bike: Directed = NONE
    motorcycle: Directed = NONE
    car: Directed = NONE
    heavy: Directed = NONE
    night: Directed = NONE

    def __post_init__(self) -> None:
        if self.motorcycle.lft > self.bike.lft or self.motorcycle.rgt > self.bike.rgt:
            raise ValueError(
                f"motorcycle {list(msgspec.structs.astuple(self.motorcycle))} is more than bike "
                f"{list(msgspec.structs.astuple(self.bike))}, of which it is a part"
            )


class Confidence(Struct, frozen=True):
    """Mean class confidence of what was counted, in percent; null where nothing was."""

    pedestrian: Percent | None = None
    bike: Percent | None = None
    car: Percent | None = None
    heavy: Percent | None = None


class Message(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What every message carries."""

    channel: ClassVar[Channel]

    v: Version = 1


class Report(Message, frozen=True, kw_only=True):
    """One closed quarter. It never changes: the same `(sensor, epoch, period_start)` is the same report."""

    channel = Channel.REPORT

    sensor: SensorName
    epoch: Epoch
    seq: Seq
    period_start: UtcTime
    observed_s: Annotated[int, Meta(ge=0, le=QUARTER_S)]
    counts: Counts = Counts()
    car_speed: Annotated[tuple[Count, ...], Meta(min_length=SPEED_BINS, max_length=SPEED_BINS)] | None = None
    confidence: Confidence = Confidence()
    light: Light = "unknown"
    flags: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0

    def __post_init__(self) -> None:
        if not is_quarter_start(self.period_start):
            raise ValueError(f"period_start {self.period_start.isoformat()} is not the start of a quarter of an hour")


class Health(Message, frozen=True, kw_only=True):
    """How the sensor is. `lost` is repeated until a receipt's `through` has passed it."""

    channel = Channel.HEALTH

    sensor: SensorName
    at: UtcTime
    epoch: Epoch
    last_seq: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = 0
    lost: Ranges = ()
    waiting: Whole = 0  # reports without a receipt
    version: Text = ""
    config: Whole = 0  # version of the settings it runs
    refused: Whole = 0  # version of the last settings that it did not take; 0: none
    refused_why: Text = ""
    clock_trusted: bool = True
    fps: Annotated[float, Meta(ge=0)] | None = None
    dropped_frames: Whole = 0
    temperature_c: float | None = None
    disk_free_mb: Whole | None = None
    restarts: Whole = 0
    alarms: Annotated[tuple[Text, ...], Meta(max_length=32)] = ()


class Status(Message, frozen=True, kw_only=True):
    """`online` on connect, `offline` by last will; retained. `epoch` and `last_seq` let ingest see a missing tail."""

    channel = Channel.STATUS

    sensor: SensorName
    state: Literal["online", "offline"]
    epoch: Epoch | None = None
    last_seq: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = 0


class Live(Message, frozen=True, kw_only=True):
    """The open quarter so far, QoS 0, while somebody looks; never stored, never counted."""

    channel = Channel.LIVE

    sensor: SensorName
    at: UtcTime
    period_start: UtcTime
    observed_s: Annotated[int, Meta(ge=0, le=QUARTER_S)]
    counts: Counts = Counts()
    light: Light = "unknown"


class Receipt(Message, frozen=True, kw_only=True):
    """What is committed: every `seq <= seen` that is not in `want`; everything `<= through` without exception."""

    channel = Channel.RECEIPT

    epoch: Epoch
    through: Annotated[int, Meta(ge=0, le=SEQ_MAX)]
    seen: Annotated[int, Meta(ge=0, le=SEQ_MAX)] = 0
    want: Ranges = ()
    refused: Ranges = ()  # newly in quarantine: committed as such, not to be sent again


class Config(Message, frozen=True, kw_only=True):
    """Desired settings, retained. A setting that is null stays as it is on the device."""

    channel = Channel.CONFIG

    version: Whole
    line: tuple[float, float, float, float] | None = None  # shares of width and height, p1 then p2
    flip: bool | None = None  # true: image direction left_to_right counts as rgt
    speed_limit_kmh: Annotated[int, Meta(ge=5, le=150)] | None = None


class Watch(Message, frozen=True, kw_only=True):
    """Somebody looks at the street: send `live` for so many seconds."""

    channel = Channel.WATCH

    seconds: Annotated[int, Meta(ge=1, le=300)] = 30


MESSAGES: tuple[type[Message], ...] = (Report, Health, Status, Live, Receipt, Config, Watch)
_encoder = msgspec.json.Encoder()
_decoders: dict[Channel, msgspec.json.Decoder[Any]] = {
    message.channel: msgspec.json.Decoder(message) for message in MESSAGES
}


class _AnyObject(Struct):
    pass


class _Versioned(Struct):
    v: Version = 1


_any_object = msgspec.json.Decoder(_AnyObject)
_versioned = msgspec.json.Decoder(_Versioned)


def encode(message: Message) -> bytes:
    """Return the JSON that goes on the wire."""
    return _encoder.encode(message)


def decode(channel: Channel, payload: bytes) -> Any:
    """Return the message of `channel` in `payload`, or raise `MessageError` with the path to the bad value.

    A message of a version that is not known raises its subclass `UnknownVersionError`, whatever else is wrong with it.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(f"{channel}: {len(payload)} bytes, more than {MAX_PAYLOAD_BYTES}")
    try:
        return _decoders[channel].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        # Overflow: a time that is in the calendar with its offset, and not in UTC.
        kind = UnknownVersionError if _has_unknown_version(payload) else MessageError
        raise kind(f"{channel}: {error}") from error


def _has_unknown_version(payload: bytes) -> bool:
    """Return whether a payload that could not be read is an object whose `v` is none of ours, be it cut off after that."""
    try:
        _any_object.decode(payload)
    except msgspec.ValidationError:
        return False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # what stands before the damage may tell all the same
    try:
        _versioned.decode(payload)
    except msgspec.ValidationError:
        return True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return False
