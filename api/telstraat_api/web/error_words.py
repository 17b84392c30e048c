"""What a page says of an error, by its status: the details that programs get are English, a reader's language may be another."""

from __future__ import annotations

from typing import NamedTuple

from telstraat_contract.languages import gettext_noop


class ErrorWords(NamedTuple):
    """A title, and a sentence on what it means and what to do."""

    title: str
    sentence: str


OTHERS_FAULT = ErrorWords(
    gettext_noop("This cannot be used"),
    gettext_noop("Something in the address or in the form cannot be used. Go back, look at it, and try again."),
)
OUR_FAULT = ErrorWords(
    gettext_noop("Something went wrong here"),
    gettext_noop("This is a fault of the server, and stands in its log. Try again in a minute."),
)
WORDS_OF_STATUS = {
    400: OTHERS_FAULT,
    401: ErrorWords(
        gettext_noop("A key is needed"), gettext_noop("Sign in to see this: your session may have ended meanwhile.")
    ),
    403: ErrorWords(
        gettext_noop("This is not allowed"),
        gettext_noop("With your account you may not see or do this. The operators of this site can change that."),
    ),
    404: ErrorWords(
        gettext_noop("There is nothing here"),
        gettext_noop(
            "What you look for is not here, or is not yours: it may have been deleted, or the address is mistyped."
        ),
    ),
    405: ErrorWords(
        gettext_noop("Method Not Allowed"),
        gettext_noop("This address cannot be used so. Go back and use the page's buttons."),
    ),
    409: ErrorWords(
        gettext_noop("This exists already"),
        gettext_noop("It exists already, or has ended meanwhile. Load the page again and look how it is now."),
    ),
    412: ErrorWords(
        gettext_noop("This has changed"),
        gettext_noop("Somebody has changed it since you opened the page. Load it again, then make your change."),
    ),
    413: ErrorWords(gettext_noop("This is too large"), gettext_noop("What was sent is larger than this server takes.")),
    422: OTHERS_FAULT,
    429: ErrorWords(
        gettext_noop("Too many requests"), gettext_noop("That was asked too often. Wait a moment, then try again.")
    ),
    503: ErrorWords(
        gettext_noop("The server is busy"),
        gettext_noop("The server or its database has too much to do, or is away. Try again in a minute."),
    ),
}


def words_of_status(status: int) -> ErrorWords:
    """Return what to say of a status of HTTP."""
    return WORDS_OF_STATUS.get(status, OUR_FAULT if status >= 500 else OTHERS_FAULT)
