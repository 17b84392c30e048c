"""The way to the operator's mail server, for every letter that this site writes."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.utils import localtime
from typing import Any
from urllib.parse import urlsplit

from telstraat_api.settings import ApiSettings

TIMEOUT_S = 20


def send(settings: ApiSettings, message: EmailMessage) -> None:
    """Hand a letter to the mail server; raises `OSError` or `smtplib.SMTPException` when it does not take it."""
    context = ssl.create_default_context()
    with opened(settings, context) as server:
        if settings.mail_tls == "starttls":
            server.starttls(context=context)
        if settings.mail_user:
            known = settings.mail_password_file
            server.login(settings.mail_user, known.read_text(encoding="utf-8").strip() if known else "")
        server.send_message(message)


def new_letter(settings: ApiSettings, to: str, subject: str, lines: Iterable[str]) -> EmailMessage:
    """Return a letter that a program has written, in lines; its subject is a line whatever stands in it."""
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, to
    message["Subject"] = " ".join(subject.split())  # a new line in a name ends neither the head nor the letter
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n")
    return message


def kept_letter(
    settings: ApiSettings, name: str, letter: Mapping[str, Any], subject: str, lines: Iterable[str], stop: str
) -> EmailMessage:
    """Return a letter that is kept in the database until it is sent, with the link by which its reader stops such letters.

    Its `name` stays the same at every try: should it go out a second time, mail programs know it for the same.
    """
    message = new_letter(settings, letter["email"], subject, lines)
    message["Date"] = localtime(letter["made_at"])
    message["Message-ID"] = f"<{name}@{urlsplit(settings.public_url).hostname or 'telstraat'}>"
    message["List-Unsubscribe"] = f"<{stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def opened(settings: ApiSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    """Return a connection to the mail server."""
    if settings.mail_tls == "tls":
        return smtplib.SMTP_SSL(settings.mail_host, settings.mail_port, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(settings.mail_host, settings.mail_port, timeout=TIMEOUT_S)
