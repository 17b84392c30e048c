"""What devices get: their credentials for a code, the settings that they shall run."""

from __future__ import annotations
