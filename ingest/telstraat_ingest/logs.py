"""Logs as JSON lines on stderr: one object a line, with the time, the level, the event and what belongs to it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def part_of(logger: str) -> str:
    """Return `ingest.write` for `telstraat_ingest.writing.write`: a filter of logs outlives a move between folders."""
    names = logger.removeprefix("telstraat_").split(".")
    return ".".join(dict.fromkeys((names[0], names[-1])))


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object. What is passed as `extra` becomes a key."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": part_of(record.name),
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def begin_logging(level: str = "INFO") -> None:
    """Send the logs of this process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
