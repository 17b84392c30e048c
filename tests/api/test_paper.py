"""What is set on paper: few at once, each once, at hand for the next one who asks; whoever waits before a screen sees that it is being made."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.test_making_measures import text_of
from tests.api.test_measure_pages import HTML, computed, evaluated, noted, officer, streets

from telstraat_analytics.report.content import Content, Section
from telstraat_api.errors import BusyError, EvaluationError
from telstraat_api.evaluations.evaluator import WAITING_MAX, Evaluator
from telstraat_api.evaluations.typesetting import KEPT_S, Typesetter
from telstraat_api.settings import ApiSettings

__all__ = ["evaluated", "officer", "streets"]
DOT = {"svg": '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>'}
PNG = b"\x89PNG"


def typesetter(**changes: Any) -> Typesetter:
    return Typesetter(Evaluator(ApiSettings(dsn="postgresql:///none", **changes)))


def test_the_same_is_set_once_however_many_ask_and_is_there_at_once_afterwards() -> None:
    async def ask() -> None:
        setter = typesetter()
        tasks = {id(setter.begin("png", DOT)) for _ in range(5)}
        assert len(tasks) == 1
        first = await setter.body("png", DOT)
        assert first.startswith(PNG)
        assert setter.begin("png", DOT).done()
        assert await setter.body("png", DOT) is first

    asyncio.run(ask())


def test_what_was_set_is_forgotten_after_a_while() -> None:
    now = [0.0]

    async def ask() -> None:
        setter = Typesetter(Evaluator(ApiSettings(dsn="postgresql:///none")), lambda: now[0])
        await setter.body("png", DOT)
        now[0] = KEPT_S
        again = setter.begin("png", DOT)
        assert not again.done()
        assert (await again).startswith(PNG)
        assert len(setter.known) == 1

    asyncio.run(ask())


def test_more_than_may_be_set_at_once_wait_their_turn_and_too_many_come_again() -> None:
    async def ask() -> None:
        setter = typesetter(evaluations_max=1)
        waiting = [setter.begin("png", {"svg": DOT["svg"] + " " * n}) for n in range(WAITING_MAX + 3)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await setter.evaluator.run("prospects", {})
        refused = waiting[-2:]
        for task in refused:
            with pytest.raises(BusyError):
                await task
        assert (await waiting[0]).startswith(PNG)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(ask())


def test_what_the_typesetter_refuses_is_not_kept_and_may_be_tried_again() -> None:
    broken = Content("en", "x", (), (Section("a", "b", (), ({"title": "c", "spec": {"mark": 1}},), ""),), (), (), ())  # type: ignore[arg-type]

    async def ask() -> None:
        setter = typesetter()
        for _ in range(2):
            with pytest.raises(EvaluationError):
                await setter.body("pdf", broken)
        assert not setter.in_setting
        assert not setter.known

    asyncio.run(ask())


def test_a_report_is_said_to_be_in_the_making_and_then_is_there(module_client: httpx.Client, evaluated: str) -> None:
    page = module_client.get(evaluated, headers=HTML).text
    link = re.findall(r'href="([^"]+report\.pdf[^"]+)"', page)[0].replace("&amp;", "&")
    waiting = module_client.get(link, headers=HTML)
    assert waiting.status_code == 202
    assert "It is being set" in text_of(waiting)
    assert 'http-equiv="refresh"' in waiting.text
    paper = module_client.get(link, timeout=120)
    assert paper.content.startswith(b"%PDF")
    assert "inline" in paper.headers["Content-Disposition"]
    again = module_client.get(link, headers=HTML)
    assert again.status_code == 200
    assert again.content == paper.content


def test_nobody_gets_a_report_of_what_they_may_not_see(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: dict[str, str], streets: list[int]
) -> None:
    address = noted(module_client, officer, streets, action="publish")
    number = computed(streets, False, address, module_connection)
    for query in ("", f"?evaluation={number}"):
        assert module_client.get(f"{address}/report.pdf{query}", headers=HTML).status_code == 404


def test_the_owner_is_told_what_sharing_lacks_with_the_button_for_it(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: dict[str, str], streets: list[int]
) -> None:
    address = noted(module_client, officer, streets, action="draft")
    number = computed(streets, False, address, module_connection)
    page = module_client.get(address, headers=officer)
    assert 'href="#sharing"' in page.text
    assert "both have to be" in text_of(page)
    for path, data in (("publish", {"published": "yes"}), (f"evaluations/{number}", {"action": "publish"})):
        assert f'action="{address}/{path}"' in page.text
        assert module_client.post(f"{address}/{path}", headers=officer, data=data).status_code == 303
    after = module_client.get(address, headers=officer)
    assert f'href="{address}/share?evaluation={number}"' in after.text
    assert 'id="sharing"' not in after.text


def test_the_checks_of_the_list_are_as_many_as_the_verdict_counts(module_client: httpx.Client, evaluated: str) -> None:
    text = text_of(module_client.get(evaluated, headers=HTML))
    verdict = re.search(r"(\d+) checks: (\d+) passed", text) or re.search(r"Of (\d+) checks,? (\d+)", text)
    assert verdict, text[text.index("Doubts and checks") :][:300]
    assert re.search(rf"\b{verdict[2]} checks were passed", text)


def test_the_page_says_what_is_compared_and_why_the_time_after_ends(
    module_client: httpx.Client, evaluated: str
) -> None:
    text = text_of(module_client.get(evaluated, headers=HTML))
    assert "Not with last month or last year" in text
    assert "The time after it: 28 days" in text
    assert "so many days were chosen" in text


def test_the_plan_is_said_to_be_in_the_making_and_then_is_there(module_client: httpx.Client, evaluated: str) -> None:
    waiting = module_client.get(f"{evaluated}/plan", headers=HTML)
    assert waiting.status_code == 202
    assert "This is being computed from the counts" in text_of(waiting)
    plan = module_client.get(f"{evaluated}/plan", headers={"Accept": "*/*"}, timeout=60)
    assert plan.status_code == 200
    assert "data-paper" not in plan.text
    assert module_client.get(f"{evaluated}/plan", headers=HTML).status_code == 200
