"""Handing one letter to the mail server, and what that has brought: sent, refused for good, certainly not sent, or nobody knows."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from telstraat_api.mail import send
from telstraat_api.settings import ApiSettings

log = logging.getLogger("telstraat.api")
PERMANENT = 500
"""SMTP's answers from here on mean: do not try again."""


@dataclass(frozen=True)
class Handed:
    """What became of a letter; `is_away` when the server takes none at all now."""

    how: Literal["sent", "refused", "not sent", "unknown"]
    reason: str = ""
    is_away: bool = False


async def hand_over_once(settings: ApiSettings, message: EmailMessage) -> Handed:
    """Hand a letter over, once."""
    try:
        await asyncio.to_thread(send, settings, message)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        if code >= PERMANENT:
            return Handed("refused", f"{code} {words.decode(errors='replace')}"[:500])
        return Handed("not sent")
    except (smtplib.SMTPResponseException, ConnectionRefusedError, smtplib.SMTPNotSupportedError) as error:
        # The server has said that it takes nothing, or is not there: certainly not sent.
        log.error("the mail server does not take letters: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter
        return Handed("not sent", is_away=True)
    except (OSError, smtplib.SMTPException) as error:
        log.error("nobody knows whether a letter went: %s", type(error).__name__)  # noqa: TRY400 - nothing of the letter
        return Handed("unknown", is_away=True)
    return Handed("sent")
