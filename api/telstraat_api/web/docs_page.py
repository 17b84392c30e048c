"""What the API answers, as a page to try it out, from the same document that programs read."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from telstraat_api.web.pages import Pages, page_reader

router = APIRouter(include_in_schema=False)
WITHOUT_END = ("/live", "/stream", "/events/stream")
"""Such answers go on for ever, and a page that waits for them would, too."""


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """Show every operation of the API, from the same document that programs read."""
    pages: Pages = request.app.state.pages
    await page_reader(request)
    return pages.render(request, "docs.html", operations=operations(request.app.openapi()))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of an OpenAPI document, each with its parameters, samples of them and an example of its answer."""
    listed = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"].get("200", {}).get("content", {})
            media_type, body = next(iter(content.items()), ("", dict[str, Any]()))
            example = body.get("example")
            text = example if isinstance(example, str) or example is None else pretty(example)
            parameters = [filled(parameter) for parameter in operation.get("parameters", [])]
            own = {"parameters": parameters} if parameters else {}
            listed.append(
                {
                    **operation, **own, "method": method.upper(), "path": path, "type": media_type, "example": text,
                    "body": sample_body(document, operation), "is_tried": not path.endswith(WITHOUT_END),
                }
            )  # fmt: skip
    return listed


def filled(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter with a sample for its field and what may be chosen."""
    schema = parameter.get("schema", {})
    examples = schema.get("examples") or parameter.get("examples") or []
    sample = examples[0] if isinstance(examples, list) and examples and parameter.get("required") else ""
    return {"required": False, **parameter, "sample": sample, "choices": schema.get("enum", [])}


def sample_body(document: dict[str, Any], operation: dict[str, Any]) -> str | None:
    """Return JSON to begin a body from, with the fields that must be there; None for an operation without one."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return None
    media = next(iter(content.values()))
    if "example" in media:
        return pretty(media["example"])
    name = str(media.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, {})
    return pretty(dict.fromkeys(schema.get("required", [])))


def pretty(value: object) -> str:
    """Return JSON for reading."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
