"""`/.well-known/security.txt`: where a weakness is reported (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response

from telstraat_api.settings import ApiSettings

router = APIRouter(include_in_schema=False)
VALID = timedelta(days=180)
"""The RFC asks for less than a year; counted from the day on which it is read, so it is never past."""


@router.api_route("/.well-known/security.txt", methods=["GET", "HEAD"])
async def security_txt(request: Request) -> Response:
    """Say where to report a weakness, and until when that holds."""
    settings: ApiSettings = request.app.state.settings
    expires = (datetime.now(UTC) + VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    site = settings.public_url or str(request.base_url).rstrip("/")
    mail = f"mailto:{settings.mail_from}" if settings.mail_from else ""
    lines = [
        f"Contact: {settings.security_contact or mail or f'{site}/'}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en, nl, fr",
    ]
    if settings.public_url:
        lines.append(f"Canonical: {settings.public_url}/.well-known/security.txt")
    return Response("\n".join(lines) + "\n", media_type="text/plain; charset=utf-8")
