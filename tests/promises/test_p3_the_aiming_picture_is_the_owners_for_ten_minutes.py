"""P3: the aiming picture exists only in memory, only on the local network, only for the owner, and for ten minutes at most."""

from __future__ import annotations

import gc
import json
import time
import weakref
from pathlib import Path

import pytest
from tests.device.setup.sensors import PHONE, SensorAtHome, StreetCamera, picture_of, posted

from telstraat_device.setup.looking.picture import PictureEncoder

JPEG = b"\xff\xd8\xff"
VIEW = json.dumps({"rotation": 0, "line": [0.5, 0.1, 0.5, 0.9], "masks": []})


@pytest.fixture
def sensor(tmp_path: Path) -> SensorAtHome:
    return SensorAtHome(tmp_path)


def encoders() -> list[PictureEncoder]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, PictureEncoder)]


def test_who_has_not_given_the_code_gets_403(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    assert picture_of(owner).status_code == 200
    stranger = sensor.phone("192.168.1.66")
    assert stranger.get("/aim/picture", headers={"accept": "image/jpeg"}).status_code == 403
    assert not stranger.get("/aim/picture").content.startswith(JPEG)
    sensor.site.desk.end()


def test_a_second_phone_with_the_code_does_not_see_what_the_first_has_opened(sensor: SensorAtHome) -> None:
    first, second = sensor.owners_phone(), sensor.owners_phone("192.168.1.21")
    posted(first, "/aim/open")
    assert picture_of(first).content.startswith(JPEG)
    assert second.get("/aim/picture").status_code == 403
    posted(second, "/aim/open")  # who opens it anew has it alone
    assert picture_of(second).content.startswith(JPEG)
    assert first.get("/aim/picture").status_code == 403
    sensor.site.desk.end()


@pytest.mark.parametrize("address", ["8.8.8.8", "100.64.0.9", "2001:db8::1", "::ffff:8.8.8.8"])
def test_nobody_outside_the_local_network_gets_an_answer(sensor: SensorAtHome, address: str) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    outside = sensor.phone(address)
    outside.cookies.update(owner.cookies)  # even with the owner's own session
    assert outside.get("/aim/picture").status_code == 403
    assert outside.get("/").status_code == 403
    sensor.site.desk.end()


def test_no_browser_or_proxy_may_keep_it(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    assert picture_of(owner).headers["cache-control"] == "no-store"
    sensor.site.desk.end()


def test_after_ten_minutes_it_is_gone_and_so_is_what_made_it(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    assert picture_of(owner).status_code == 200
    (encoder,) = encoders()
    gone = weakref.ref(encoder)
    del encoder
    sensor.clock.now_s += 599
    assert owner.get("/aim/picture").status_code == 200
    sensor.clock.now_s += 1
    assert owner.get("/aim/picture").status_code == 410
    gc.collect()
    assert gone() is None
    assert encoders() == []
    assert StreetCamera.open == 0, "the camera is free"


def test_it_ends_by_itself_when_nobody_asks_any_more(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    picture_of(owner)
    sensor.clock.now_s += 600
    sensor.site.step()
    assert not sensor.site.desk.is_open
    assert encoders() == []
    assert StreetCamera.open == 0


def test_there_is_none_before_somebody_has_opened_it_nor_after_the_line_is_drawn(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    assert owner.get("/aim/picture").status_code == 410
    posted(owner, "/aim/open")
    picture_of(owner)
    assert posted(owner, "/aim", view=VIEW).status_code == 303
    assert owner.get("/aim/picture").status_code == 410
    assert encoders() == []


def test_a_test_counts_without_a_picture(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim", view=VIEW)
    assert posted(owner, "/test/open").status_code == 204
    assert owner.get("/aim/picture").status_code == 410
    assert encoders() == []
    end_s = time.monotonic() + 30
    while not owner.get("/test/crossings").json()["total"]:
        assert time.monotonic() < end_s, "somebody crosses the line"
        time.sleep(0.05)
    sensor.site.desk.end()


def test_once_it_counts_the_picture_needs_the_owner_to_open_it_again_and_the_counting_goes_on_afterwards(
    sensor: SensorAtHome,
) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim", view=VIEW)
    sensor.site.file.keep(sensor.site.progress.after("test", finished=True))
    assert owner.get("/aim/picture").status_code == 410
    assert sensor.service.calls == []
    posted(owner, "/aim/open")
    assert picture_of(owner).status_code == 200
    sensor.clock.now_s += 600
    assert owner.get("/aim/picture").status_code == 410
    assert sensor.service.calls == ["stop", "start"]


def test_nothing_of_it_is_left_on_the_disk(sensor: SensorAtHome) -> None:
    owner = sensor.owners_phone()
    posted(owner, "/aim/open")
    assert picture_of(owner).status_code == 200
    posted(owner, "/aim", view=VIEW)
    assert sorted(path.name for path in sensor.folder.rglob("*")) == ["code", "setup.json"]
    assert sum(path.stat().st_size for path in sensor.folder.iterdir()) < 500
    assert PHONE not in (sensor.folder / "setup.json").read_text()
