"""What answers about measures, evaluations, events, workshops and instances look like; the typed client reads the same."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class MeasureShape(BaseModel):
    """A measure."""

    measure_id: int
    name: str
    kind: str
    description: str
    first_day: str
    treated: list[int]
    controls: list[int]
    boundary: list[int]
    timezone: str
    before_days: int
    after_days: int
    transition_days: int
    phases: list[dict[str, Any]]
    excluded: list[dict[str, Any]]
    other_measures: list[dict[str, Any]]
    chosen_for: str
    closed_to: list[str]
    speed_limit_kmh: int
    published: bool
    mine: bool
    created_by: str | None = Field(description="For professionals, operators and whoever made it.")
    created_at: str
    changed_at: str
    links: dict[str, str]


class MeasureList(BaseModel):
    """Measures by number; `next` leads to the rest."""

    measures: list[MeasureShape]
    next: str | None


class EvaluationShape(BaseModel):
    """An evaluation with everything that was found, doubts included."""

    evaluation_id: int
    measure_id: int
    questions: list[dict[str, Any]]
    answered: bool = Field(description="At least one question has an answer; otherwise the reasons are in `result`.")
    sentence: dict[str, list[str]] = Field(description="Per language, one sentence per question.")
    inputs_sha256: list[str]
    inputs: dict[str, Any] | None = Field(
        None,
        description="Hashes of all that it was computed from, `sha256` over them: the same again is not computed again.",
    )
    result: dict[str, Any] | None = Field(None, description="As `telstraat evaluate --json` prints it; not in lists.")
    note: str
    published: bool
    mine: bool
    created_by: str | None = Field(description="For professionals, operators and whoever made it.")
    created_at: str
    links: dict[str, str]


class EvaluationList(BaseModel):
    """Evaluations by number; `next` leads to the rest."""

    evaluations: list[EvaluationShape]
    next: str | None


class InputsShape(BaseModel):
    """Whether an evaluation would be computed from other things now, and from which."""

    evaluation_id: int
    changed: list[str] | None = Field(
        description="Of `counts`, `measure`, `code`; empty when nothing has changed, null where it was computed before that was noted."
    )
    sentence: dict[str, str] = Field(description="The same in words, per language.")
    links: dict[str, str]


class FirstAnswer(BaseModel):
    """What is known of one street before the whole evaluation is there: the very numbers that will stand in it."""

    question: dict[str, Any]
    segment: str
    street: str
    role: str
    effect: dict[str, Any] | None
    refused: list[str]
    controls: list[str]


JobState = Literal["waiting", "running", "done", "failed", "cancelled", "expired"]


class JobShape(BaseModel):
    """What was deferred to a worker: how far it is, and what came of it."""

    job_id: int
    kind: str
    state: JobState
    progress: float = Field(description="Share that is done, 0 to 1.")
    doing: dict[str, str] = Field(description="What is being computed, in words, per language.")
    ahead: int | None = Field(description="Jobs that wait before it, while it waits.")
    first: dict[str, Any] | None = Field(
        description="What is known already; of an evaluation `answers`, a street and a question each, as `FirstAnswer`."
    )
    result: dict[str, Any] | None = Field(
        description="When it is done; of an evaluation `evaluation_id`, `known` (the same inputs had been evaluated before) and `links`."
    )
    error: str = Field(description="Why there is no result, in words.")
    measure_id: int | None
    tries: int = Field(description="Times that it was begun.")
    mine: bool
    created_by: str | None = Field(description="For operators and for whoever wants it.")
    created_at: str
    begun_at: str | None
    ended_at: str | None
    expires_at: str = Field(description="Not begun by then, it is not begun any more.")
    links: dict[str, str]


class JobList(BaseModel):
    """Jobs, the latest first; `next` leads to earlier ones."""

    jobs: list[JobShape]
    next: str | None


class EventShape(BaseModel):
    """Something that happened in a street."""

    event_id: int
    segment_id: int
    kind: str
    title: str
    from_at: str
    until_at: str
    excludes: bool
    published: bool
    mine: bool
    created_by: str | None = Field(description="For operators and for whoever marked it.")
    created_at: str
    changed_at: str
    links: dict[str, str]


class EventList(BaseModel):
    """Events by number; `next` leads to the rest."""

    events: list[EventShape]
    next: str | None


class NoteShape(BaseModel):
    """Something that was said. Who wrote it down is not told."""

    note_id: int
    kind: str = Field(
        description="`note`, `question`, `answer`, `agreement`; of a room also `observation`, `cause`, `proposal`."
    )
    body: str
    pin: dict[str, Any] | None = Field(
        None, description="A street (`segment_id`), a time (`from`, `until`), a place (`lat`, `lon`); what was chosen."
    )
    expected: dict[str, Any] | None = Field(
        None, description="What the writer expects: `what` changes by how many percent (`change`, negative for fewer)."
    )
    group_id: int | None = Field(None, description="The group that it was put into.")
    votes: int = Field(0, description="Votes for it, those for its group not among them.")
    created_at: str


class NoteGroupShape(BaseModel):
    """Notes that were put together."""

    group_id: int
    title: str
    votes: int


class RoomShape(BaseModel):
    """The room of a workshop: whether it is open, and how many were there. Nobody is named."""

    phase: str
    is_open: bool
    opened_at: str
    ends_at: str
    closed_at: str | None
    people: int
    voters: int


class WorkshopShape(BaseModel):
    """A workshop with its notes."""

    workshop_id: int
    title: str
    question: str
    place: str
    held_at: str | None
    segments: list[int]
    first_day: str | None
    last_day: str | None
    measure_id: int | None
    published: bool
    mine: bool
    created_by: str | None = Field(description="For professionals, operators and whoever made it.")
    notes: list[NoteShape] | None = Field(None, description="Oldest first, hidden ones left out; not in lists.")
    groups: list[NoteGroupShape] | None = Field(None, description="Groups of notes; not in lists.")
    room: RoomShape | None = Field(None, description="Its room, where it has one; not in lists.")
    created_at: str
    changed_at: str
    links: dict[str, str]


class WorkshopList(BaseModel):
    """Workshops by number; `next` leads to the rest."""

    workshops: list[WorkshopShape]
    next: str | None


class InstanceShape(BaseModel):
    """A sensor as installed: device, segment, side and time. Its name, side and note are for its owner and operators."""

    instance_id: int
    sensor_id: int
    sensor: str | None
    segment_id: int
    side: str | None
    note: str | None
    from_at: str
    until_at: str | None
    links: dict[str, str]


class InstanceList(BaseModel):
    """Instances by number; `next` leads to the rest."""

    instances: list[InstanceShape]
    next: str | None
