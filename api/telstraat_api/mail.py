"""The way to the operator's mail server, for every letter that this site writes."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

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


def one_line(text: str) -> str:
    """Return a subject as a head of a letter takes it: a name in it that has a new line neither ends the head nor the letter."""
    return " ".join(text.split())


def opened(settings: ApiSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    """Return a connection to the mail server."""
    if settings.mail_tls == "tls":
        return smtplib.SMTP_SSL(settings.mail_host, settings.mail_port, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(settings.mail_host, settings.mail_port, timeout=TIMEOUT_S)
