"""A report on paper and screen: HTML, PDF and JSON from the same content."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst
from jinja2 import Environment

from telstraat_analytics.errors import ReportError
from telstraat_analytics.report.charts import svg
from telstraat_analytics.report.content import Content, Picture

TEMPLATES = files("telstraat_analytics.report") / "templates"


def html(content: Content) -> str:
    """Return a report as one HTML page that needs nothing from the net.

    Parameters
    ----------
    content
        What stands in it.

    Returns
    -------
    str
        With charts as SVG inside.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((TEMPLATES / "report.html").read_text(encoding="utf-8"))
    return template.render(content=content, svg=svg)


def pdf(content: Content) -> bytes:
    """Return a report as PDF.

    Parameters
    ----------
    content
        What stands in it.

    Returns
    -------
    bytes
        A4, with the same charts.

    Raises
    ------
    ReportError
        The typesetter refuses.
    """
    with tempfile.TemporaryDirectory(prefix="telstraat-report-") as folder:
        root = Path(folder)
        plain = asdict(content)
        pictures = [*content.pictures, *(picture for section in content.sections for picture in section.pictures)]
        written = {id(picture): _written(picture, root, number) for number, picture in enumerate(pictures)}
        plain["pictures"] = [written[id(picture)] for picture in content.pictures]
        for section, own in zip(plain["sections"], content.sections, strict=True):
            section["pictures"] = [written[id(picture)] for picture in own.pictures]
        (root / "content.json").write_text(json.dumps(plain), encoding="utf-8")
        (root / "report.typ").write_text((TEMPLATES / "report.typ").read_text(encoding="utf-8"), encoding="utf-8")
        try:
            return bytes(typst.compile(str(root / "report.typ"), root=str(root)))
        except typst.TypstError as error:
            raise ReportError(f"the report {content.title!r} cannot be set: {error}") from error


def _written(picture: Picture, root: Path, number: int) -> dict[str, str]:
    name = f"picture-{number}.svg"
    (root / name).write_text(svg(picture.spec), encoding="utf-8")
    return {"title": picture.title, "file": name}


def as_json(content: Mapping[str, Any]) -> str:
    """Return plain values as JSON text, keys sorted, so that the same answer is the same text; what is no number is null."""
    plain = finite(content)
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, default=str, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """Return plain values with null for infinite and missing numbers, which JSON does not know and databases refuse."""
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
