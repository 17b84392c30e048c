"""Who may enter the broker and touch which topic: a password per sensor, Mosquitto's password file and its ACL.

The password file holds PBKDF2-SHA512 hashes (Mosquitto's `$7$`), never a password. The ACL is three patterns, whatever
the number of sensors: a sensor writes and reads under its own name, ingest reads what comes up and writes what goes down.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from psycopg import Connection

from telstraat_contract.errors import TopicError
from telstraat_contract.topics import DOWN, PREFIX, UP, parse_topic
from telstraat_store.places.passwords import hash_password, new_password
from telstraat_store.places.sensors import password_hashes

INGEST_USER = "telstraat_ingest"
"""Cannot be a sensor's: their names have no underscore."""

Action = Literal["read", "write"]


def may(user: str, action: Action, topic: str) -> bool:
    """Tell whether a user may read or write one topic: the rules of the ACL file, for a broker without such files."""
    if user == INGEST_USER and action == "read" and topic in {f"{PREFIX}/+/{channel}" for channel in UP}:
        return True
    try:
        sensor, channel = parse_topic(topic)
    except TopicError:
        return False
    if user == INGEST_USER:
        return channel in (UP if action == "read" else DOWN)
    return sensor == user and channel in (UP if action == "write" else DOWN)


def acl() -> str:
    """Return Mosquitto's ACL file."""
    lines = [f"user {INGEST_USER}"]
    lines += [f"topic read {PREFIX}/+/{channel}" for channel in UP]
    lines += [f"topic write {PREFIX}/+/{channel}" for channel in DOWN]
    lines.append("")
    lines += [f"pattern write {PREFIX}/%u/{channel}" for channel in UP]
    lines += [f"pattern read {PREFIX}/%u/{channel}" for channel in DOWN]
    return "\n".join(lines) + "\n"


def password_lines(connection: Connection, extra: Mapping[str, str] | None = None) -> str:
    """Return Mosquitto's password file: every sensor that is not retired, and `extra` users with their hashes."""
    rows = password_hashes(connection)
    lines = [f"{name}:{hashed}" for name, hashed in [*(extra or {}).items(), *rows]]
    return "".join(f"{line}\n" for line in lines)


def write_access(connection: Connection, folder: Path, account: str | None = None) -> None:
    """Write `passwords` and `acl` into a folder, and make ingest's own password in `ingest.password` if it is not there.

    Files are readable by their owner only and replaced whole, so that a broker that reloads never sees half of one.
    Where root writes, the folder and the broker's two files become those of `account`, the broker's, if there is one
    and the folder was root's; ingest's password stays root's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = folder / "ingest.password"
    if not own.exists():
        write_secret(own, new_password() + "\n")
    hashed = hash_password(own.read_text(encoding="utf-8").strip())
    _hand_over(folder, account)
    for name, text in (("passwords", password_lines(connection, {INGEST_USER: hashed})), ("acl", acl())):
        _hand_over(folder / name, account)  # one that an earlier version wrote as root
        write_secret(folder / name, text)


def _hand_over(path: Path, account: str | None) -> None:
    """Give what is root's to an account of this machine; only root can."""
    if account is None or os.geteuid() != 0 or not path.exists() or path.stat().st_uid != 0:
        return
    with contextlib.suppress(KeyError):  # another broker, or none here
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def read_passwords(path: Path) -> dict[str, str]:
    """Return the users of a password file with their hashes."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: hashed for name, _, hashed in (line.partition(":") for line in lines) if hashed}


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; the owner of the folder becomes its owner."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if os.geteuid() == 0:
            owner = path if path.exists() else path.parent
            stat = owner.stat()
            os.fchown(file.fileno(), stat.st_uid, stat.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
