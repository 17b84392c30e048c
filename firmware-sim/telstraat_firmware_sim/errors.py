"""Errors of the simulators.

SimulatorError
├── SceneError    a scene's name or setting that the street does not know
├── DemandError   a town, measure or period of a simulated fleet that makes no sense
├── FleetError    a fleet that cannot be written or sent
├── TownFileError a made-up town's map that cannot be written
└── TruthError    a file of truth that cannot be continued
"""

from __future__ import annotations


class SimulatorError(Exception):
    """A simulated street or fleet cannot do what was asked."""


class SceneError(SimulatorError):
    """A scene or one of its settings is not known or makes no sense."""


class TruthError(SimulatorError):
    """A file of truth cannot be read or does not belong to this street."""


class DemandError(SimulatorError):
    """A town, a measure or a period of a simulated fleet makes no sense."""


class FleetError(SimulatorError):
    """A fleet cannot be written to files or sent to a broker."""


class TownFileError(SimulatorError):
    """The map of a made-up town cannot be written to a file."""
