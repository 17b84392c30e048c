"""Rows of JSON: answers of Telraam's API, snapshots, Telstraat's own periods and columns, or a plain list of rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telstraat_store.errors import CountsFileError

NO_ROWS = ("segment_id", "date", "uptime")  # an answer without rows is one all the same
Rows = list[tuple[int, list[object]]]


def json_rows(path: Path, text: str) -> tuple[tuple[str, ...], Rows]:
    """Return the columns and rows of JSON; rows are numbered from 1.

    Raises
    ------
    CountsFileError
        The text is no JSON, or holds no list of rows.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CountsFileError(f"{path}: is not JSON: {error}") from error
    objects = [_flat(row) for row in _objects(path, content)]
    columns = tuple(dict.fromkeys(name for row in objects for name in row)) or NO_ROWS
    return columns, [(number, [row.get(name) for name in columns]) for number, row in enumerate(objects, start=1)]


def _objects(path: Path, content: Any) -> Sequence[Any]:
    if isinstance(content, list):
        return content
    if isinstance(content, dict):
        shared = {name: content[name] for name in ("bucket",) if isinstance(content.get(name), str)}
        for name in ("report", "rows", "periods"):
            if isinstance(content.get(name), list):
                return [shared | row if isinstance(row, dict) else row for row in content[name]]
        if isinstance(content.get("columns"), dict):
            return _from_columns(path, content["columns"], shared)
        if isinstance(content.get("features"), list):
            properties = [row.get("properties") if isinstance(row, dict) else row for row in content["features"]]
            return [{} if row is None else row for row in properties]
    raise CountsFileError(
        f"{path}: JSON has no list 'report' (Telraam), 'periods' or 'columns' (Telstraat), and is no list of rows itself"
    )


def _from_columns(path: Path, columns: Mapping[str, Any], shared: Mapping[str, Any]) -> list[dict[str, Any]]:
    lengths = {len(values) if isinstance(values, list) else -1 for values in columns.values()}
    if len(lengths) > 1 or -1 in lengths:
        raise CountsFileError(f"{path}: 'columns' are not lists of one length")
    return [dict(shared) | dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _flat(row: Any) -> dict[str, Any]:
    """Return a row with its counts beside its other values: Telstraat nests them by class and direction."""
    if not isinstance(row, dict):
        return {"row": row}
    if "corrected" not in row or not isinstance(row["corrected"], dict | None):
        return row
    out = {name: value for name, value in row.items() if name not in {"corrected", "raw", "confidence", "speed"}}
    for kind, ways in (row["corrected"] or {}).items():
        if isinstance(ways, dict):
            out |= {f"{kind}_{way}": value for way, value in ways.items()}
    speed = row.get("speed")
    if isinstance(speed, dict):
        out |= {"car_speed": speed.get("cars"), "v85_kmh": speed.get("v85_kmh")}
    return out
