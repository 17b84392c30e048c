"""Secrets are files: how a password is read from one, and who else may read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from telstraat_contract.errors import SettingsError

GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO
SECRET_LENGTH_MAX = 1024
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what a unit's `LoadCredential=` names: readable by the service alone, whatever the mode's group bits
(the mask of its access list) say."""


def read_secret(file: Path, *, what: str = "password", must_be_private: bool = True) -> str:
    """Return the one line that a file holds; raise `SettingsError` where that cannot be, or others could read it.

    Parameters
    ----------
    file : Path
        The file.
    what : str
        What it holds, for the error message.
    must_be_private : bool
        Whether only its owner, this user or root, may read it. A server's files may be shared with a group.
    """
    try:
        status = file.stat()
        if must_be_private:
            _check_owner(file, status)
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: the {what} cannot be read: {error}") from error
    secret = text.strip("\r\n")
    if not secret or len(secret) > SECRET_LENGTH_MAX:
        raise SettingsError(f"{file}: holds no {what} of 1 to {SECRET_LENGTH_MAX} characters on one line")
    return secret


def _check_owner(file: Path, status: os.stat_result) -> None:
    others = stat.S_IRWXO if _is_credential(file) else GROUP_AND_OTHERS
    if status.st_mode & others:
        raise SettingsError(
            f"{file}: mode {stat.S_IMODE(status.st_mode):04o}: others on this machine could read the password; "
            f"run: chmod 600 {file}"
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise SettingsError(f"{file}: belongs to user {status.st_uid}, not to user {os.geteuid()} who runs this")


def _is_credential(file: Path) -> bool:
    folder = os.environ.get(CREDENTIALS)
    return bool(folder) and file.resolve().parent == Path(str(folder)).resolve()
