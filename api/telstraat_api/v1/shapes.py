"""What answers look like in OpenAPI, with an example each. Bulk rows never pass through these: they only describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, create_model

from telstraat_api.http.problem import MEDIA_TYPE, Problem
from telstraat_contract.languages import LANGUAGES
from telstraat_contract.road_users import COUNTED
from telstraat_store.counts.states import State

if TYPE_CHECKING:
    LanguageCode = str
else:
    LanguageCode = Literal[LANGUAGES]
    """The code of a language that there is a catalogue of."""


class Line(BaseModel):
    """A GeoJSON line in WGS84, from A to B."""

    type: Literal["LineString"]
    coordinates: list[list[float]]


class SegmentProperties(BaseModel):
    """What is known of a street segment."""

    segment_id: int
    name: str
    timezone: str
    speed_limit_kmh: int | None
    sensors: int = Field(description="Sensors that stand there now.")
    online: int = Field(description="Of which connected.")
    first_report: str | None = Field(description="Start of its first quarter, UTC.")
    last_report: str | None = Field(description="Start of its newest quarter, UTC.")
    links: dict[str, str]


class SegmentFeature(BaseModel):
    """A street segment as a GeoJSON feature."""

    type: Literal["Feature"]
    id: int
    geometry: Line
    properties: SegmentProperties


class SegmentCollection(BaseModel):
    """Street segments as GeoJSON, by id; `next` leads to the rest."""

    type: Literal["FeatureCollection"]
    features: list[SegmentFeature]
    next: str | None


class Sensor(BaseModel):
    """A device. Where exactly it hangs is nobody's business: only its street segment is told."""

    sensor_id: int
    name: str | None = Field(description="For its owner and for operators; null for everybody else.")
    segment_id: int | None
    since: str | None = Field(description="Since when it stands at the segment, UTC.")
    online: bool
    heard_at: str | None
    retired: bool
    links: dict[str, str]


class SensorList(BaseModel):
    """Sensors by number; `next` leads to the rest."""

    sensors: list[Sensor]
    next: str | None


class Directed(BaseModel):
    """Per direction: `lft` from A to B, `rgt` from B to A."""

    lft: float | None = Field(description="Null where the class was not counted or is withheld: see `not_shown`.")
    rgt: float | None


if TYPE_CHECKING:
    Kinds = Any  # one attribute for every class of the contract's list
else:
    Kinds = create_model(
        "Kinds",
        __doc__="Counts per class; motorcycles are among the bikes.",
        __module__=__name__,
        **dict.fromkeys(COUNTED, (Directed, ...)),
    )


class PeriodShape(BaseModel):
    """One period of one street."""

    segment_id: int
    start: str = Field(description="In the street's own time zone.")
    end: str
    quarters: int = Field(description="Quarters of an hour with data.")
    observed_s: int = Field(description="Seconds observed by the sensor that saw most.")
    uptime: float = Field(description="Share of the period observed, 0 to 1.")
    sensors: int
    sensor_s: int = Field(description="Seconds observed, all sensors added: what `raw` belongs to.")
    flags: list[str]
    source: int | None = Field(description="Where imported counts come from; null for the street's own.")
    state: State = Field(description="`counted` as soon as one class is: a 0 is a count, of somebody who watched.")
    not_shown: dict[str, State] = Field(
        description="The classes without a number: not counted (`missing`) or `withheld`."
    )
    raw: Kinds | None = Field(description="As counted, all sensors added; null for imported counts.")
    corrected: Kinds | None = Field(description="As if observed all the time; null when nothing was observed.")
    confidence: dict[str, float | None] | None = Field(
        None, description="Mean confidence of the classes, percent; of quarters only."
    )
    light: str | None = Field(None, description="Of quarters only: day, dusk, night or unknown.")
    speed: dict[str, Any] | None = Field(None, description="With `speed=true`: cars per 5 km/h and V85.")


class GapShape(BaseModel):
    """A stretch of the window without any period, and what stands there."""

    segment_id: int
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    state: State = Field(description="Nobody watched (`missing`), `withheld` from whoever asks, or `not_yet` there.")


class ReportsShape(BaseModel):
    """Counts of one or more streets over time."""

    segments: list[int]
    timezone: str
    bucket: str
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    licence: str
    periods: list[PeriodShape]
    gaps: list[GapShape] = Field(description="What is not among the periods, by street and time.")
    links: dict[str, str]


def _directed(lft: float, rgt: float) -> dict[str, float]:
    return {"lft": lft, "rgt": rgt}


SEGMENT: dict[str, Any] = {
    "type": "Feature",
    "id": 1001,
    "geometry": {"type": "LineString", "coordinates": [[4.7005, 50.8779], [4.7032, 50.8786]]},
    "properties": {
        "segment_id": 1001,
        "name": "Lindenstraat",
        "timezone": "Europe/Brussels",
        "speed_limit_kmh": 30,
        "sensors": 1,
        "online": 1,
        "first_report": "2026-03-01T06:00:00Z",
        "last_report": "2026-03-02T07:45:00Z",
        "links": {
            "self": "/api/v1/segments/1001",
            "reports": "/api/v1/segments/1001/reports",
            "live": "/api/v1/segments/1001/live",
            "page": "/street/1001",
        },
    },
}
SENSOR: dict[str, Any] = {
    "sensor_id": 1,
    "name": None,
    "segment_id": 1001,
    "since": "2026-03-01T05:50:00Z",
    "online": True,
    "heard_at": "2026-03-02T07:59:58Z",
    "retired": False,
    "links": {"segment": "/api/v1/segments/1001"},
}
PERIOD: dict[str, Any] = {
    "segment_id": 1001,
    "start": "2026-03-02T08:00:00+01:00",
    "end": "2026-03-02T09:00:00+01:00",
    "quarters": 4,
    "observed_s": 3240,
    "uptime": 0.9,
    "sensors": 1,
    "sensor_s": 3240,
    "flags": ["restarted"],
    "source": None,
    "state": "counted",
    "not_shown": {},
    "raw": dict.fromkeys(COUNTED, _directed(0, 0))
    | {
        "pedestrian": _directed(9, 11),
        "bike": _directed(27, 14),
        "motorcycle": _directed(1, 0),
        "car": _directed(52, 47),
        "heavy": _directed(4, 3),
    },
    "corrected": dict.fromkeys(COUNTED, _directed(0.0, 0.0))
    | {
        "pedestrian": _directed(10.0, 12.2222),
        "bike": _directed(30.0, 15.5556),
        "motorcycle": _directed(1.1111, 0.0),
        "car": _directed(57.7778, 52.2222),
        "heavy": _directed(4.4444, 3.3333),
    },
}
REPORTS: dict[str, Any] = {
    "segments": [1001],
    "timezone": "Europe/Brussels",
    "bucket": "hour",
    "from": "2026-03-02T07:00:00Z",
    "to": "2026-03-02T08:00:00Z",
    "licence": "CC0-1.0",
    "periods": [PERIOD],
    "gaps": [],
    "links": {"segment": "/api/v1/segments/1001"},
}


def described(model: type[BaseModel], example: Any, *failures: int, media_type: str | None = None) -> dict[Any, Any]:
    """Return what OpenAPI shall say about the answers of an operation."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {media_type or "application/json": {"schema": schema, "example": example}}
    answers: dict[Any, Any] = {200: {"description": model.__doc__ or "", "content": content}}
    answers[200]["model"] = model
    for status in failures:
        answers[status] = {
            "model": Problem,
            "description": "A problem document.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return answers


def described_stream() -> dict[Any, Any]:
    """Return what OpenAPI shall say about the live stream."""
    example = 'event: live\ndata: {"sensor_id": 1, "observed_s": 312, "counts": {"car": {"lft": 8, "rgt": 5}}}\n\n'
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": example}}
    return {
        200: {"description": "Events `live`, `report` and `closing`.", "content": content},
        **{
            status: answer
            for status, answer in described(Problem, {}, 401, 403, 404, 422, 503).items()
            if status != 200
        },
    }
