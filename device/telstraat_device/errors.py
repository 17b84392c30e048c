"""Errors of the device.

DeviceError
├── SourceError          frames do not come
│   ├── NoFileError      the file is not there or cannot be read
│   ├── NotVideoError    the file is there, but is no video that can be decoded
│   └── CameraError      a camera or a stream that does not answer, or stops
├── CountingLineError    a counting line that cannot be counted on
│   └── NoLineLeftError  the server's line was all there was, and it cannot be counted on
├── FrameFormatError     a frame that is not what the counter was set up for
├── KernelError          machine code that was asked for and is not there
├── StorageError         a state folder that cannot be this sensor's
├── DamagedError         a stored file that is not as it was written
└── SetupError           what the set-up page tells the person in front of it
    ├── NotOwnerError    the code is not the owner's, or there is no session
    ├── TriesError       too many codes were tried
    ├── AimOverError     the aiming picture has ended
    ├── NetworkError     the network cannot be joined
    ├── TownAwayError    the town's server does not answer
    └── TownRefusedError the town's server answers no
"""

from __future__ import annotations


class DeviceError(Exception):
    """Something on the device went wrong: what, where, which value and what to do."""


class SourceError(DeviceError):
    """Frames do not come."""


class NoFileError(SourceError):
    """The video file is not there or cannot be read."""


class NotVideoError(SourceError):
    """The file is there, but no video can be decoded from it."""


class CameraError(SourceError):
    """A camera or a stream does not answer, or stopped."""


class CountingLineError(DeviceError):
    """A counting line lies outside the picture or has no length."""


class NoLineLeftError(CountingLineError):
    """The server's line was all there was, and it cannot be counted on: another is waited for."""


class FrameFormatError(DeviceError):
    """A frame has another size or type than the counter was set up for."""


class KernelError(DeviceError):
    """The machine code that was asked for is not there, or cannot be made."""


class StorageError(DeviceError):
    """The state folder cannot be used by this sensor."""


class DamagedError(DeviceError):
    """A file of the state folder is not as it was written: what can be read of it has to be salvaged."""


class SetupError(DeviceError):
    """Something that the set-up page tells the person in front of it, in their language.

    `text` is a text of the catalogues, `values` what is filled into it.
    """

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text.format(**values) if values else text)
        self.text = text
        self.values = values


class NotOwnerError(SetupError):
    """The code is not the owner's, or this phone has not given it."""


class TriesError(SetupError):
    """Too many codes were tried."""


class AimOverError(SetupError):
    """The aiming picture has ended, or was never begun by this phone."""


class NetworkError(SetupError):
    """A network cannot be joined."""


class TownAwayError(SetupError):
    """The town's server does not answer."""


class TownRefusedError(SetupError):
    """The town's server refuses what was asked of it."""
