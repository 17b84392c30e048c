"""A device that forgets leaves nothing of its owner, its town and its counts, and a kill in between is made good."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.device.toys import LINE, NOON_S, ToyCore, ToyStreet
from tests.device.wires import device_settings

from telstraat_cli.main import main
from telstraat_device import forgetting
from telstraat_device.errors import StorageError
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.service import DeviceService
from telstraat_device.settings import Settings, read_settings

CANARY = "canary-owner"


def lived_in(folder: Path) -> tuple[Settings, Path]:
    """Return the settings of a device that has counted, and their file."""
    password = folder / "password"
    password.write_text(CANARY)
    password.chmod(0o600)
    (folder / "api-token").write_text(CANARY)
    file = folder / "device.toml"
    file.write_text(
        f'[sensor]\nname = "{CANARY}"\npassword_file = "{password}"\n[storage]\nfolder = "{folder / "state"}"\n'
        '[broker]\nhost = "127.0.0.1"\nport = 1\n[send]\nflush_s = 0\n'
    )
    settings = read_settings(file, {})
    clock = AnchoredClock(datetime.fromtimestamp(NOON_S, UTC))
    DeviceService(settings, clock, line=LINE, make_counter=ToyCore).run(lambda: ToyStreet(frames=1000))
    (folder / "state" / "setup").mkdir()
    (folder / "state" / "setup" / "progress.json").write_text(CANARY)
    return settings, file


def left_in(folder: Path) -> list[str]:
    """Return the files in which the canary still sings."""
    return [path.name for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_nothing_of_the_owner_is_left(tmp_path: Path) -> None:
    _, file = lived_in(tmp_path)
    assert left_in(tmp_path)
    assert main(["device", "--forget", "--settings", str(file)]) == 0
    assert left_in(tmp_path) == []
    assert [path.name for path in tmp_path.rglob("*")] == ["state"], "the folder is the system's"


def test_what_a_link_points_to_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    settings, file = lived_in(tmp_path / "mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "photo").write_text("not ours")
    (tmp_path / "mine" / "state" / "link").symlink_to(tmp_path / "elsewhere")
    forgetting.forget(settings, file)
    assert (tmp_path / "elsewhere" / "photo").read_text() == "not ours"
    assert left_in(tmp_path) == []


def test_a_kill_in_between_leaves_the_settings_so_that_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, file = lived_in(tmp_path)
    unlink = Path.unlink

    def stubborn(path: Path, missing_ok: bool = False) -> None:
        if path.name == "password":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", stubborn)
    with pytest.raises(StorageError, match="password: Permission denied"):
        forgetting.forget(settings, file)
    assert file.exists()
    monkeypatch.undo()
    assert main(["device", "--forget", "--settings", str(file)]) == 0
    assert left_in(tmp_path) == []


def test_a_device_that_has_nothing_forgets_nothing(tmp_path: Path) -> None:
    settings = device_settings(tmp_path, "elm-1", 1)
    assert forgetting.forget(settings, None) == 1, "the password that the test gave it"
