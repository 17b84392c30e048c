"""Where frames come from: a Pi camera, a video file, a stream."""

from __future__ import annotations
