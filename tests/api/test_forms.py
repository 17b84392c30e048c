"""Forms of our own pages: what cannot be used is said beside its field, and nobody is sent to another site."""

from __future__ import annotations

from datetime import date

import pytest

from telstraat_api.web.forms import MISSING, NO_DAY, NO_NUMBER, TOO_LONG, PageForm, digits_in, local_path


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "", "my", "/a\r\nb", "/" + "x" * 3000]
)  # fmt: skip
def test_nobody_is_sent_to_another_site(path: str) -> None:
    assert local_path(path) == "/my"


def test_a_path_of_this_site_keeps_its_state() -> None:
    assert local_path("/street/3?day=2026-03-01&by=hour") == "/street/3?day=2026-03-01&by=hour"


def test_what_cannot_be_used_is_said_beside_its_field() -> None:
    form = PageForm({"name": ["  "], "long": ["x" * 11], "n": ["12.5"], "day": ["2026-02-30"], "many": ["a", "b"]})
    assert form.text("name") == ""
    form.text("long", longest=10)
    assert form.whole("n", 0, 100) is None
    assert form.day("day") is None
    assert form.errors == {"name": MISSING, "long": TOO_LONG, "n": NO_NUMBER, "day": NO_DAY}
    assert form.values("many") == ["a", "b"]


def test_what_can_be_used_is_read() -> None:
    form = PageForm({"name": [" Kerk\x00straat "], "n": ["-3"], "day": ["2026-02-28"]})
    assert (form.text("name"), form.whole("n", -5, 5), form.day("day")) == ("Kerkstraat", -3, date(2026, 2, 28))
    assert (form.text("other", needed=False), form.whole("other", 0, 1, needed=False)) == ("", None)
    assert not form.errors


@pytest.mark.parametrize(
    "text", ["9" * 5000, "-" + "9" * 5000, "²", "٣", "9223372036854775808", "1_000", "--1", "1e3", ""]
)
def test_what_is_no_number_of_ours_is_none_and_never_an_error_of_the_program(text: str) -> None:
    assert digits_in(text) is None
    form = PageForm({"n": [text]})
    assert form.whole("n", -(2**63), 2**63 - 1, needed=False) is None
    assert bool(form.errors) is bool(text)


def test_the_largest_number_of_ours_is_one_and_so_is_one_below_0() -> None:
    assert digits_in("9223372036854775807") == 2**63 - 1
    assert PageForm({"n": ["-1"]}).whole("n", -5, 5) == -1
