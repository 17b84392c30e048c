"""Answers what a device asks before it is one: the script that installs, first-boot files, and the files of a release."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from telstraat_api.errors import BadRequestError, NotFoundError
from telstraat_api.install.releases import VERSION, is_served, latest_of, wheels_of
from telstraat_api.settings import ApiSettings

router = APIRouter(prefix="/device", include_in_schema=False)
ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
"""What may stand between quotes of a shell and of YAML: a `Host` that somebody made up does not."""
ON_FIRST_BOOT = {"user-data": "user-data.yaml", "meta-data": "meta-data.yaml", "network-config": "network-config.yaml"}
NO_RELEASE = (
    "no release for devices lies ready on this server: its operator sets device_releases, "
    "and fills that folder with `telstraat release`"
)


@cache
def template(name: str) -> str:
    """Return a file that lies beside this module."""
    return files("telstraat_api.install").joinpath(name).read_text(encoding="utf-8")


def town_of(request: Request) -> str:
    """Return the address under which devices reach this server."""
    settings: ApiSettings = request.app.state.settings
    address = (settings.public_url or str(request.base_url)).rstrip("/")
    if ADDRESS.fullmatch(address) is None:
        raise BadRequestError("this server does not know its own address: its operator sets public_url")
    return address


def filled(request: Request, name: str, media_type: str) -> Response:
    """Return a template with the town's address in it."""
    releases_of(request)
    return Response(template(name).replace("@TOWN@", town_of(request)), media_type=media_type)


def releases_of(request: Request) -> tuple[Path, str]:
    """Return the folder of releases and its latest; 404 that says what to do when there is none."""
    settings: ApiSettings = request.app.state.settings
    version = latest_of(settings.device_releases) if settings.device_releases else None
    if settings.device_releases is None or version is None:
        raise NotFoundError(NO_RELEASE)
    return settings.device_releases, version


@router.get("/install.sh")
def install_script(request: Request) -> Response:
    """Give the script that installs a device of this town."""
    return filled(request, "install.sh", "text/x-shellscript; charset=utf-8")


@router.get("/first-boot.sh")
def first_boot(request: Request) -> Response:
    """Give the script that an image runs at its first boot, where it has no cloud-init (Raspberry Pi OS 12)."""
    return filled(request, "first-boot.sh", "text/x-shellscript; charset=utf-8")


@router.get("/cloud-init/{name}")
def cloud_init(request: Request, name: str) -> Response:
    """Give a file of cloud-init, as it stands on the boot partition (Raspberry Pi OS 13)."""
    if name not in ON_FIRST_BOOT:
        raise NotFoundError(f"there is no such file; there are {', '.join(ON_FIRST_BOOT)}")
    return filled(request, ON_FIRST_BOOT[name], "text/yaml; charset=utf-8")


@router.get("/releases/latest")
def latest(request: Request) -> Response:
    """Say which version new devices get."""
    return Response(f"{releases_of(request)[1]}\n", media_type="text/plain")


@router.get("/releases/{version}/wheels")
def wheels(request: Request, version: str) -> HTMLResponse:
    """List a release's wheels in the form in which pip looks for links."""
    names = wheels_of(releases_of(request)[0], version)
    if not names:
        raise NotFoundError("there is no such version here")
    return HTMLResponse("<!doctype html><title>wheels</title>\n" + "".join(f'<a href="{n}">{n}</a>\n' for n in names))


@router.get("/releases/{version}/{name}")
def release_file(request: Request, version: str, name: str) -> FileResponse:
    """Give a file of a release."""
    file = releases_of(request)[0] / version / name
    if VERSION.fullmatch(version) is None or not is_served(name) or not file.is_file():
        raise NotFoundError("there is no such file of a release here")
    return FileResponse(file)
