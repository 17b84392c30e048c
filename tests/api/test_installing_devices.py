"""What a town hands to its devices: the script, first-boot files and releases, nothing that lies beside them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.api.conftest import served

from telstraat_api.errors import ReleaseError
from telstraat_api.install.device_files import ADDRESS
from telstraat_api.install.releases import latest_of, lay_ready
from telstraat_api.settings import ApiSettings
from telstraat_cli.main import main

SCRIPTS = sorted((Path(__file__).parents[2] / "api/telstraat_api/install").glob("*.sh"))
INSTALL = next(script for script in SCRIPTS if script.name == "install.sh")
WHEEL = "telstraat-0.1.0-py3-none-any.whl"
LIBRARIES = (
    "msgspec-0.22.0-cp311-cp311-manylinux_2_17_aarch64.whl",
    "msgspec-0.22.0-cp313-cp313-manylinux_2_17_x86_64.whl",
    "numpy-2.4.6-cp313-cp313-manylinux_2_27_aarch64.whl",
    "opencv_python_headless-5.0.0.93-cp37-abi3-manylinux_2_28_aarch64.whl",
)


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    wheel, *libraries = files(tmp_path / "wheels", WHEEL, *LIBRARIES)
    lay_ready(tmp_path / "releases", wheel, libraries)
    (tmp_path / "releases/0.1.0/private.txt").write_text("not for devices")
    return tmp_path / "releases"


@pytest.fixture
def town(settings: ApiSettings, releases: Path) -> Iterator[httpx.Client]:
    with (
        served(msgspec.structs.replace(settings, device_releases=releases)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def test_a_release_is_handed_out_with_the_hash_of_every_file(town: httpx.Client) -> None:
    assert town.get("/device/releases/latest").text == "0.1.0\n"
    page = town.get("/device/releases/0.1.0/wheels").text
    pins = town.get("/device/releases/0.1.0/requirements.txt").text
    assert "numpy" not in page + pins, "numpy is the system's, which picamera2 was compiled with"
    for name in (WHEEL, *LIBRARIES[:2]):
        body = town.get(f"/device/releases/0.1.0/{name}").content
        assert f'href="{name}"' in page
        assert f"--hash=sha256:{hashlib.sha256(body).hexdigest()}" in pins
    assert "opencv" not in pins
    assert "opencv_python_headless==5.0.0.93 --hash" in town.get("/device/releases/0.1.0/video.txt").text


def test_nothing_but_a_release_is_handed_out(town: httpx.Client) -> None:
    for path in (
        "0.1.0/private.txt",
        "0.1.0/..%2flatest",
        "..%2f..%2fetc/requirements.txt",
        "9.9/wheels",
        "%2e%2e/wheels",
    ):
        assert town.get(f"/device/releases/{path}").status_code == 404, path


def test_the_script_names_this_town_and_is_read_by_a_shell(town: httpx.Client) -> None:
    for name in ("install.sh", "first-boot.sh", "cloud-init/user-data"):
        text = town.get(f"/device/{name}").text
        assert str(town.base_url).rstrip("/") in text
        assert "@TOWN@" not in text
        if name.endswith(".sh"):
            assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0
    assert town.get("/device/cloud-init/passwd").status_code == 404


def test_a_host_that_somebody_made_up_does_not_get_into_the_script(town: httpx.Client) -> None:
    for host in ("town.example'; rm -rf /; '", "a$(reboot)", "a`reboot`"):
        answer = town.get("/device/install.sh", headers={"Host": host})
        assert answer.status_code == 400 or str(town.base_url).rstrip("/") in answer.text, "refused, or its own address"
        assert "reboot" not in answer.text
        assert "rm -rf /;" not in answer.text
    for address in ("https://a'b", "https://a$(b)", "javascript:x", "https://a b", 'https://a"b'):
        assert ADDRESS.fullmatch(address) is None


def test_without_a_release_it_is_told_what_an_operator_does(client: httpx.Client) -> None:
    for path in ("install.sh", "releases/latest", "cloud-init/user-data"):
        answer = client.get(f"/device/{path}")
        assert answer.status_code == 404
        assert "telstraat release" in answer.json()["detail"]


def test_what_devices_were_given_once_does_not_change(releases: Path, tmp_path: Path) -> None:
    before = (releases / "0.1.0/requirements.txt").read_text()
    with pytest.raises(ReleaseError, match="raise the version"):
        lay_ready(releases, tmp_path / "wheels" / WHEEL, [])
    assert (releases / "0.1.0/requirements.txt").read_text() == before


def test_two_versions_of_one_library_are_no_release(tmp_path: Path) -> None:
    wheel, *libraries = files(tmp_path / "w", WHEEL, "rich-15.0.0-py3-none-any.whl", "rich-14.0.0-py3-none-any.whl")
    with pytest.raises(ReleaseError, match="one version of each"):
        lay_ready(tmp_path / "releases", wheel, libraries)
    assert latest_of(tmp_path / "releases") is None


def test_an_operator_lays_a_release_ready_from_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel, *_ = files(tmp_path / "w", WHEEL, *LIBRARIES)
    words = ["release", str(tmp_path / "releases"), str(wheel), "--libraries", str(tmp_path / "w")]
    assert main(words) == 2
    assert "is not a wheel" in capsys.readouterr().err
    for machine in ("x86_64", "aarch64"):
        with zipfile.ZipFile(wheel, "a" if zipfile.is_zipfile(wheel) else "w") as archive:
            archive.writestr(f"telstraat_device/native/compiled/core-{machine}-1.so", b"")
        assert main(words) == (0 if machine == "aarch64" else 2)
    assert "no counting core for aarch64" in capsys.readouterr().err
    assert latest_of(tmp_path / "releases") == "0.1.0"
    assert main(words) == 2
    assert "raise the version" in capsys.readouterr().err


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_shell_and_its_checker_find_nothing_in_the_scripts(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)]).returncode == 0
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed (apt-get install shellcheck)")
    done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_script_cut_anywhere_does_nothing(tmp_path: Path) -> None:
    """Every command of it runs from its last line; a cut one would otherwise begin an installation or end one halfway."""
    text = INSTALL.read_text()
    log = tmp_path / "log"
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("id", "mkdir", "apt-get", "rm", "flock", "mv", "ln", "curl", "systemctl", "dpkg"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} >>"{log}"\nexit 1\n')
        (tools / name).chmod(0o755)
    end = text.rindex("main")
    for cut in (*range(200, end, 997), end):
        subprocess.run(["/bin/sh"], input=text[:cut], text=True, env={"PATH": str(tools)}, capture_output=True)
        assert not log.exists(), f"cut after {cut} characters it ran {log.read_text()}"
    subprocess.run(["/bin/sh"], input=text, text=True, env={"PATH": str(tools)}, capture_output=True)
    assert log.read_text().startswith("id\n"), "whole, it would run"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sensor", "a;reboot"], "may hold a-z"),
        (["--frobnicate"], "there is no option --frobnicate"),
    ],
)
def test_a_wrong_word_is_told_before_anything_happens(words: list[str], sentence: str) -> None:
    done = subprocess.run(["sh", str(INSTALL), *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_a_32_bit_system_is_told_so_in_a_sentence(tmp_path: Path) -> None:
    text = INSTALL.read_text()
    (tmp_path / "dpkg").write_text("#!/bin/sh\necho armhf\n")
    (tmp_path / "dpkg").chmod(0o755)
    (tmp_path / "apt-get").symlink_to("dpkg")
    checks = text[: text.rindex("main")] + "check_machine\n"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh"], input=checks, capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert "32-bit system (armhf): write the 64-bit Raspberry Pi OS" in done.stderr


def test_nothing_is_removed_where_nobody_can_be_asked_what_shall_stay(tmp_path: Path) -> None:
    for name in ("rm", "userdel", "groupdel", "systemctl", "xargs"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} >>"{tmp_path / "log"}"\n')
        (tmp_path / name).chmod(0o755)
    text = INSTALL.read_text()
    words = f"OPT={tmp_path}/opt STATE={tmp_path}/state CONF={tmp_path}/conf UNITS={tmp_path}/units RULES=x PORTAL=x has_systemd=no\n"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for data, code in (("ask", 1), ("keep", 0)):
        asked_for = text[: text.rindex("main")] + f"{words}data={data}\nuninstall\n"
        # A session of its own has no terminal, as when a town's script runs it.
        done = subprocess.run(["sh"], input=asked_for, capture_output=True, text=True, env=env, start_new_session=True)
        assert done.returncode == code, done.stderr
        assert (tmp_path / "log").exists() is (data == "keep")
    assert "userdel" not in (tmp_path / "log").read_text()
