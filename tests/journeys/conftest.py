"""People with browsers before a town's real server: a database of the town's, a worker, a mail server, and nothing elsewhere."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from tests.api.conftest import served
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.harness.databases import Databases
from tests.journeys.town import settle

from telstraat_api.settings import ApiSettings

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)
WALL = ViewportSize(width=1920, height=1080)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every journey as one that needs a browser."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)


class Town:
    """The town's server and whoever sits before it: every browser's complaints and requests to elsewhere are written down."""

    def __init__(self, home: str, letters: Letters, chromium: Browser, connection: psycopg.Connection) -> None:
        self.home = home
        self.letters = letters
        self.chromium = chromium
        self.connection = connection
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []
        self._read = 0

    def sit_down(self, size: ViewportSize | None = None, **more: Any) -> Page:
        """Return the home page in a browser of somebody's own."""
        page = self.browser(size, **more)
        page.goto("/")
        return page

    def browser(self, size: ViewportSize | None = None, **more: Any) -> Page:
        """Return an empty page of a browser of somebody's own."""
        context = self.chromium.new_context(
            base_url=self.home, viewport=size or DESK, locale="en-GB", timezone_id="Europe/Brussels", **more
        )
        self._contexts.append(context)
        context.on("page", self._watch)
        return context.new_page()

    def _watch(self, page: Page) -> None:
        page.on(
            "console",
            lambda entry: self.complaints.append(entry.text) if entry.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((self.home, "data:", "blob:")) else self.complaints.append(request.url)
            ),
        )
        page.on(
            "response",
            lambda response: (
                self.complaints.append(f"{response.status} {response.url}") if response.status >= 400 else None
            ),
        )

    def link_in_the_next_letter(self) -> str:
        """Return the link that the next letter holds."""
        self._read += 1
        link = re.search(r"https?://\S+", self.letters.wait(self._read).get_content())
        assert link
        return link[0]

    def sign_in(self, page: Page, email: str) -> None:
        """Sign in as people do: by the link in a letter."""
        page.get_by_role("link", name="Sign in").click()
        page.get_by_label("Your mail address").fill(email)
        page.get_by_role("button", name="Send me a link").click()
        page.get_by_text("Look into your mail").wait_for()
        page.goto(self.link_in_the_next_letter())
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="My page").first.wait_for()

    def leave(self) -> None:
        """Close every browser."""
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="session")
def settled(databases: Databases) -> str:
    """The name of a database with the town, which is copied for each journey."""
    dsn = databases.migrated()
    with psycopg.connect(dsn, autocommit=True) as connection:
        settle(connection, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
    return dsn.partition("?")[0].rpartition("/")[2]


COPIES = itertools.count(1)


@pytest.fixture
def town(databases: Databases, settled: str, chromium: Browser) -> Iterator[Town]:
    name = f"journey_{next(COPIES)}"
    databases.server.create_database(name, template=settled)
    port = free_port()
    with mail_server() as (mail_port, letters), psycopg.connect(databases.server.dsn(name), autocommit=True) as own:
        settings = ApiSettings(
            dsn=databases.server.dsn(name), pool_max=6, keep_s=0, watch_every_s=1, poll_every_s=0.2, jobs_at_once=1,
            public_url=f"http://127.0.0.1:{port}", mail_host="127.0.0.1", mail_port=mail_port, mail_tls="none",
            mail_from="counts@example.org",
        )  # fmt: skip
        with served(settings, port) as home:
            town = Town(home, letters, chromium, own)
            yield town
            town.leave()
    databases.server.drop_database(name)
    assert town.complaints == []
