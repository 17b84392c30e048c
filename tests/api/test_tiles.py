"""Tiles from a PMTiles file: pictures are served from our own host, anything else is refused before the service starts."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import psycopg
import pytest
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from tests.api.conftest import served
from tests.api.streets import add_segment

from telstraat_api.app import create_app
from telstraat_api.settings import ApiSettings, read_settings
from telstraat_contract.errors import SettingsError

PICTURE = b"\x89PNG\r\n\x1a\n a picture"
PLACES = [(0, 0, 0), (1, 1, 0), (14, 8410, 5470)]


def tile_file(path: Path, kind: TileType = TileType.PNG, many: int = 0) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        places = sorted({zxy_to_tileid(*place) for place in PLACES} | {100_000 + 2 * at for at in range(many)})
        for number in places:
            writer.write_tile(number, PICTURE + str(number).encode())
        writer.finalize(
            {
                "tile_type": kind, "tile_compression": Compression.NONE, "min_zoom": 0, "max_zoom": 14,
                "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 1, "max_lat_e7": 1,
                "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0,
            },
            {"attribution": "nobody"},
        )  # fmt: skip
    return path


@pytest.mark.parametrize("many", [0, 30_000])
def test_a_picture_is_served_and_kept_by_browsers(many: int, database: str, tmp_path: Path) -> None:
    path = tile_file(tmp_path / "town.pmtiles", many=many)  # with many, its directory has leaves
    with psycopg.connect(database) as connection:
        add_segment(connection)  # a town without streets has no map
    with (
        served(ApiSettings(dsn=database, pmtiles=path)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        for place in PLACES:
            answer = client.get("/tiles/{}/{}/{}".format(*place))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert answer.content == PICTURE + str(zxy_to_tileid(*place)).encode()
        again = client.get("/tiles/0/0/0", headers={"If-None-Match": client.get("/tiles/0/0/0").headers["etag"]})
        assert again.status_code == 304
        assert 'data-tiles="/tiles/{z}/{x}/{y}?to=14"' in client.get("/").text


@pytest.mark.parametrize("place", ["1/0/0", "1/2/0", "15/1/1", "99/1/1", "-1/0/0", "a/0/0", "14/8410/99999999999"])
def test_a_tile_that_is_not_there_is_a_404_or_a_422(place: str, database: str, tmp_path: Path) -> None:
    path = tile_file(tmp_path / "town.pmtiles")
    with served(ApiSettings(dsn=database, pmtiles=path)) as address:
        assert httpx.get(f"{address}/tiles/{place}", timeout=60).status_code in {404, 422}


def test_a_file_that_is_cut_short_while_it_is_served_ends_no_service(database: str, tmp_path: Path) -> None:
    path = tile_file(tmp_path / "town.pmtiles")
    with served(ApiSettings(dsn=database, pmtiles=path)) as address:
        os.truncate(path, 100)
        assert httpx.get(f"{address}/tiles/0/0/0", timeout=60).status_code == 404
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200


def test_without_a_file_there_are_no_tiles(client: httpx.Client) -> None:
    assert client.get("/tiles/0/0/0").status_code == 404


def test_what_the_maps_cannot_show_stops_the_start_in_words(tmp_path: Path) -> None:
    vector = tile_file(tmp_path / "vector.pmtiles", TileType.MVT)
    with pytest.raises(SettingsError, match="holds MVT tiles; the maps show pictures"):
        create_app(ApiSettings(pmtiles=vector))
    for name, content in (("empty", b""), ("text", b"hello" * 100), ("old", b"PM\x02" + 200 * b"\0")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SettingsError, match="is no PMTiles file of version 3"):
            create_app(ApiSettings(pmtiles=tmp_path / name))
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        create_app(ApiSettings(pmtiles=tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="both set"):
        read_settings(environment={"TELSTRAAT_API_TILES": "/t/{z}/{x}/{y}.png", "TELSTRAAT_API_PMTILES": str(vector)})
