"""A file is written whole, or it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from telstraat_store.errors import UnwritableFileError


@contextmanager
def write_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that only its owner can read, and that is there only once it is whole."""
    if not path.name:
        raise UnwritableFileError(f"{path}: is no name of a file; name the file to write")
    draft = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise UnwritableFileError(f"{path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
