"""What set-up decides and writes, in whatever order the world interrupts it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import msgspec
import pytest
from tests.device.setup.sensors import NAME, SensorAtHome, TestClock, posted

from telstraat_contract.claims import plain_code
from telstraat_device.errors import SetupError, TownAwayError
from telstraat_device.setup.button import HOLD_S, LongPress
from telstraat_device.setup.finishing import write_device_settings
from telstraat_device.setup.progress import AimedView, SetupProgress, SetupProgressFile
from telstraat_device.setup.settings import read_setup_settings
from telstraat_device.setup.site import checked_view
from telstraat_device.setup.town import GivenAccess, TownServer
from telstraat_device.setup.written_files import write_secret, write_whole

VIEW = json.dumps({"rotation": 90, "line": [0.5, 0.1, 0.5, 0.9], "masks": [[[0, 0], [0.2, 0], [0.2, 0.2]]]})
ACCESS = {"sensor": NAME, "password": "secret", "broker": {"host": "localhost", "port": 2883, "tls": False, "ca": None}}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def sensor(tmp_path: Path) -> SensorAtHome:
    return SensorAtHome(tmp_path, town={"address": NOBODY})


def test_after_a_reboot_it_goes_on_with_the_screen_that_was_open(sensor: SensorAtHome, tmp_path: Path) -> None:
    owner = sensor.owners_phone()
    assert owner.get("/").headers["location"] == "/network"
    posted(owner, "/network")
    posted(owner, "/aim", view=VIEW)
    later = SensorAtHome(tmp_path, town={"address": NOBODY})
    assert later.site.code == sensor.site.code
    phone = later.owners_phone()
    assert phone.get("/").headers["location"] == "/street"
    assert later.site.progress.view.rotation == 90
    assert "&#34;rotation&#34;: 90" in phone.get("/aim").text


def test_a_progress_that_cannot_be_read_begins_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "setup.json"
    for damaged in (b"", b"{", b"\xff\x00", b'{"view": 7}', b'{"passed": ["nonsense"]}'):
        file.write_bytes(damaged)
        assert SetupProgressFile(file).progress == SetupProgress()


def test_without_the_internet_street_and_account_wait_and_the_rest_goes_on(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    assert "comes once the sensor is on the internet" in owner.get("/street").text
    posted(owner, "/street", name="Lindenstraat", to_a="the station", to_b="the church", arrow="a")
    assert sensor.site.progress.street.flip
    answer = posted(owner, "/account", sensor=NAME, code=sensor.site.code)
    assert "The code waits" in answer.text
    assert sensor.site.waits_for_town
    posted(owner, "/aim", view=VIEW)
    assert posted(owner, "/test/open").status_code == 204
    assert "still to be exchanged" in posted(owner, "/finish").text
    sensor.site.desk.end()
    assert not (sensor.folder / "device.toml").exists()


def test_the_same_secret_goes_with_a_code_until_its_answer_has_come(sensor: SensorAtHome, tmp_path: Path) -> None:
    secrets_sent = set()
    for _ in range(3):
        again = SensorAtHome(tmp_path, town={"address": NOBODY})  # as after a power cut
        with pytest.raises(TownAwayError):
            again.site.enrol(NAME, again.site.code)
        secrets_sent.add(json.loads((tmp_path / "enrol-wish.json").read_text())["secret"])
    assert len(secrets_sent) == 1
    assert stat.S_IMODE((tmp_path / "enrol-wish.json").stat().st_mode) == 0o600
    with pytest.raises(TownAwayError):
        sensor.site.enrol(NAME, "another code")
    assert json.loads((tmp_path / "enrol-wish.json").read_text())["secret"] not in secrets_sent


def test_settings_are_written_whole_or_not_at_all(
    sensor: SensorAtHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = msgspec.convert(ACCESS, GivenAccess)
    write_secret(tmp_path / "password", "secret")
    progress = SetupProgress(view=msgspec.json.decode(VIEW, type=AimedView))
    write_device_settings(sensor.settings, progress, access)
    before = (tmp_path / "device.toml").read_text()
    assert "rotation = 90" in before
    hold = os.fsync

    def cut(descriptor: int) -> None:
        hold(descriptor)
        raise OSError("the power is cut")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="power"):
        write_whole(tmp_path / "device.toml", "half")
    assert (tmp_path / "device.toml").read_text() == before
    monkeypatch.undo()
    write_whole(tmp_path / "device.toml", "whole")
    assert (tmp_path / "device.toml").read_text() == "whole"
    assert not (tmp_path / ".device.toml.new").exists()


def test_aiming_again_counts_with_the_new_line_when_the_service_starts(sensor: SensorAtHome, tmp_path: Path) -> None:
    write_secret(tmp_path / "password", "secret")
    write_secret(tmp_path / "enrolment.json", json.dumps(ACCESS))
    owner = sensor.owners_phone()
    posted(owner, "/aim", view=VIEW)
    sensor.site.file.keep(sensor.site.progress.after("account", enrolled=True))
    posted(owner, "/finish")
    assert sensor.service.calls == ["start"]
    posted(owner, "/aim/open")
    posted(owner, "/aim", view=VIEW.replace("0.5, 0.1, 0.5, 0.9", "0.3, 0.1, 0.3, 0.9"))
    assert "line = [0.3, 0.9, 0.3, 0.1]" in (tmp_path / "device.toml").read_text()
    assert sensor.service.calls == ["start", "stop", "start"]
    posted(owner, "/street", name="Lindenstraat", to_a="a", to_b="b", arrow="a")
    assert "flip = true" in (tmp_path / "device.toml").read_text()
    assert sensor.service.calls == ["start", "stop", "start", "stop", "start"]


def test_a_secret_is_never_readable_by_others_not_for_a_moment(tmp_path: Path) -> None:
    os.umask(before := os.umask(0))
    try:
        os.umask(0)
        write_secret(tmp_path / "password", "secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600
    (tmp_path / ".other.new").symlink_to(tmp_path / "password")
    write_secret(tmp_path / "other", "mine")  # a link that somebody has left is not followed
    assert (tmp_path / "password").read_text() == "secret\n"


def test_two_sensors_never_make_the_same_code(tmp_path: Path) -> None:
    codes = {SensorAtHome(tmp_path / str(number)).site.code for number in range(20)}
    assert len(codes) == 20
    assert all(len(plain_code(code)) == 12 for code in codes)


@pytest.mark.parametrize(
    "line",
    [None, (0.5, 0.5, 0.5, 0.5), (0.1, 0.1, 0.1, 0.12), (0, 0, 1.2, 1), (-0.1, 0, 1, 1), (float("nan"), 0, 1, 1)],
)
def test_a_line_that_cannot_be_counted_on_is_refused_with_a_sentence(
    line: tuple[float, float, float, float] | None,
) -> None:
    with pytest.raises(SetupError, match="line"):
        checked_view(AimedView(line=line))


@pytest.mark.parametrize(
    "drawn", [(0.5, 0.1, 0.5, 0.9), (0.5, 0.9, 0.5, 0.1), (0.2, 0.9, 0.8, 0.1), (0.8, 0.1, 0.2, 0.9)]
)
def test_the_arrow_across_the_line_points_to_the_right_however_it_was_drawn(
    drawn: tuple[float, float, float, float],
) -> None:
    line = checked_view(AimedView(line=drawn)).line
    assert line is not None
    x1, y1, x2, y2 = line
    assert y1 > y2, "who looks along it has the left of the picture on the left-hand side"
    assert {(x1, y1), (x2, y2)} == {drawn[:2], drawn[2:]}


@pytest.mark.parametrize("view", ["", "{}", "[]", '{"line": [0, 0, 1]}', '{"rotation": 45, "line": [0,0,1,1]}', '{"line": [0,0,1,1], "masks": [[[0,0],[1,1]]]}', '{"line": [0,0,1,1], "masks": [[[0,0],[1,1],[2,2]]]}'])  # fmt: skip
def test_a_view_that_no_page_sends_is_refused_with_a_sentence(sensor: SensorAtHome, view: str) -> None:
    answer = posted(sensor.owners_phone(), "/aim", view=view)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert sensor.site.progress.view.line is None


def test_a_town_without_https_is_refused_before_a_code_goes_there(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    for address in ("http://count.example.org", "ftp://x", "javascript:alert(1)", "https://", "https:///path"):
        assert "https://count.example.org" in posted(owner, "/street", town=address).text
        assert sensor.site.town_address == NOBODY
    posted(owner, "/street", town="count.example.org/")
    assert sensor.site.town_address == "https://count.example.org"


def test_a_redirect_of_the_town_is_not_followed_with_a_code(sensor: SensorAtHome) -> None:
    """The status page of the sensor itself answers with a redirect: a stranger's server that answers with one gets no further."""
    from tests.device.setup.sensors import served_site

    with served_site(sensor.site) as home, pytest.raises(SetupError):
        TownServer(home).enrol({"sensor": NAME, "code": "x", "secret": "y"})


def test_a_button_held_for_ten_seconds_wipes_once_and_a_short_press_never() -> None:
    class Button:
        is_pressed = False

    button, clock, wiped = Button(), TestClock(), list[float]()
    press = LongPress(button, lambda: wiped.append(clock.now_s), clock)

    def hold(for_s: float) -> None:
        for _ in range(round(for_s / 0.1)):
            clock.now_s += 0.1
            press.step()

    for _ in range(5):
        button.is_pressed = True
        hold(HOLD_S - 0.5)
        button.is_pressed = False
        hold(0.1)
    assert wiped == []
    button.is_pressed = True
    hold(3 * HOLD_S)
    assert len(wiped) == 1
    button.is_pressed = False
    hold(1)
    button.is_pressed = True
    hold(HOLD_S + 0.3)
    assert len(wiped) == 2


def test_a_device_that_forgets_is_as_out_of_the_box(sensor: SensorAtHome, tmp_path: Path) -> None:
    write_secret(tmp_path / "password", "canary")
    write_secret(tmp_path / "enrolment.json", json.dumps({**ACCESS, "password": "canary", "api": {"token": "canary"}}))
    write_secret(tmp_path / "api-token", "canary")
    (tmp_path / "state" / "deeper").mkdir(parents=True)
    (tmp_path / "state" / "outbox.sqlite").write_text("canary")
    owner = sensor.owners_phone()
    posted(owner, "/aim", view=VIEW)
    posted(owner, "/street", name="canary", to_a="canary", to_b="b")
    sensor.site.forget()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["code", "state"]
    assert sensor.service.calls[-1] == "stop"
    assert owner.get("/aim").headers["location"] == "/"
    assert sensor.site.progress == SetupProgress()


def test_settings_have_defaults_for_everything_and_refuse_a_plain_address(tmp_path: Path) -> None:
    assert read_setup_settings().page.port == 80
    file = tmp_path / "setup.toml"
    file.write_text('[town]\naddress = "http://count.example.org"\n')
    with pytest.raises(Exception, match="without https"):
        read_setup_settings(file)
