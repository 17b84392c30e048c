"""Errors of the device.

DeviceError
├── SourceError          frames do not come
│   ├── NoFileError      the file is not there or cannot be read
│   ├── NotVideoError    the file is there, but is no video that can be decoded
│   └── CameraError      a camera or a stream that does not answer, or stops
├── CountingLineError    a counting line that cannot be counted on
├── FrameFormatError     a frame that is not what the counter was set up for
├── KernelError          machine code that was asked for and is not there
├── StorageError         a state folder that cannot be this sensor's
└── DamagedError         a stored file that is not as it was written
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


class FrameFormatError(DeviceError):
    """A frame has another size or type than the counter was set up for."""


class KernelError(DeviceError):
    """The machine code that was asked for is not there, or cannot be made."""


class StorageError(DeviceError):
    """The state folder cannot be used by this sensor."""


class DamagedError(DeviceError):
    """A file of the state folder is not as it was written: what can be read of it has to be salvaged."""
