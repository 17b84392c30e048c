"""What the API answers, as a page, from the same document that programs read."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from telstraat_api.web.pages import Pages, page_reader

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """Show every operation of the API, from the same document that programs read."""
    pages: Pages = request.app.state.pages
    await page_reader(request)
    return pages.render(request, "docs.html", operations=operations(request.app.openapi()), base=str(request.base_url))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of an OpenAPI document, each with its parameters and an example of its answer."""
    listed = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"].get("200", {}).get("content", {})
            media_type, body = next(iter(content.items()), ("", dict[str, Any]()))
            example = body.get("example")
            text = example if isinstance(example, str) or example is None else pretty(example)
            listed.append({**operation, "method": method.upper(), "path": path, "type": media_type, "example": text})
    return listed


def pretty(value: object) -> str:
    """Return JSON for reading."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
