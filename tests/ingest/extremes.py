"""The extremes of every field of every message, from the contract's own types: what is just allowed, and what is just not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec.inspect as contract
from hypothesis import strategies as st

from telstraat_contract.messages import Message
from telstraat_contract.quarters import quarter_start

Json = Any
TIMES = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:45:00Z", "9999-12-31T23:45:00Z",
    "9999-12-31T23:45:00-12:00",
)  # fmt: skip
TEXTS = ("", "\0", "\0" * 200, "\U0010ffff" * 200, "\ud800", "\udfff\ud800", "'\"\\{}[]()%s;--", "\ufffe\u202e")
FLOATS = (0.0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, 0.1)
FAR = 10**30


def limits_of(kind: contract.Type) -> tuple[int, int]:
    """Return the lowest and the highest whole number that a field takes."""
    assert isinstance(kind, contract.IntType)
    assert kind.ge is not None, f"{kind} has no lower limit"
    assert kind.le is not None, f"{kind} has no upper limit"
    return kind.ge, kind.le


def values(kind: contract.Type) -> st.SearchStrategy[Json]:
    """Draw extremes of a field's type, as JSON would carry them."""
    match kind:
        case contract.IntType():
            low, high = limits_of(kind)
            return st.sampled_from((low, low, high, high, high - 1, low - 1, high + 1, FAR, -FAR))
        case contract.FloatType():
            return st.sampled_from(FLOATS)
        case contract.StrType():
            return st.sampled_from(TEXTS)
        case contract.BoolType():
            return st.booleans()
        case contract.NoneType():
            return st.none()
        case contract.LiteralType():
            return st.sampled_from(kind.values)
        case contract.DateTimeType():
            now = quarter_start(datetime.now(UTC)).isoformat()
            return st.sampled_from((now, now, now, *TIMES))
        case contract.UnionType():
            return st.one_of([values(value) for value in kind.types])
        case contract.TupleType():
            return st.tuples(*[values(value) for value in kind.item_types]).map(list)
        case contract.VarTupleType():
            return arrays(kind)
        case contract.StructType():
            return structs(kind)
    raise NotImplementedError(f"{kind}: say what its extremes are")


def arrays(kind: contract.VarTupleType) -> st.SearchStrategy[Json]:
    """Draw the shortest and the longest array, of one item or of several."""
    most = kind.max_length or 0
    assert most, f"{kind} has no upper limit"
    lengths = st.sampled_from(sorted({kind.min_length or 0, 1, most}))
    return lengths.flatmap(
        lambda length: st.one_of(
            values(kind.item_type).map(lambda item: [item] * length),
            st.lists(values(kind.item_type), min_size=length, max_size=length),
        )
    )


def structs(kind: contract.StructType) -> st.SearchStrategy[Json]:
    """Draw an object, or an array, with an extreme in every field."""
    fields = {field.encode_name: values(field.type) for field in kind.fields}
    if kind.array_like:
        return st.tuples(*fields.values()).map(list)
    return st.fixed_dictionaries(fields)


def messages(message: type[Message], sensor: str) -> st.SearchStrategy[Json]:
    """Draw messages of a kind under a sensor's name, with an extreme in every field, or in a few of an ordinary one."""
    kind = contract.type_info(message)
    assert isinstance(kind, contract.StructType)
    known: dict[str, Json] = {"v": 1, "sensor": sensor}
    fields = {field.name: values(field.type) for field in kind.fields if field.name not in known}
    needed = {name: fields[name] for name in fields if any(f.name == name and f.required for f in kind.fields)}
    others = {name: fields[name] for name in fields if name not in needed}
    return st.fixed_dictionaries(needed, optional=others).map(lambda drawn: known | drawn)
