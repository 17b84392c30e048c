"""What a problem document holds: RFC 9457, as programs read it."""

from __future__ import annotations

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem document as in RFC 9457."""

    type: str = Field(examples=["/problems/not-found"])
    title: str = Field(examples=["There is nothing here"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no segment 9999"])
    instance: str = Field(examples=["/api/v1/segments/9999"])
