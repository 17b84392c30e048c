"""Errors of the contract.

ContractError
├── MessageError             a payload that is not the message it should be
│   └── UnknownVersionError  a message of a version that this reader does not know
├── TopicError               a topic that is not one of ours
├── SensorNameError          a name that may not be a sensor's
├── LanguageError            a language without a catalogue
└── SettingsError            a setting that is unknown, missing, of the wrong kind, or dangerous
"""

from __future__ import annotations


class ContractError(Exception):
    """Something that the parts agree on is broken: a message, a topic, a name, a setting."""


class MessageError(ContractError):
    """A payload cannot be read; the text carries the path to the bad value."""


class UnknownVersionError(MessageError):
    """A message is of a version that this reader does not know: a newer reader may."""


class TopicError(ContractError):
    """A topic is outside of `telstraat/v1/{sensor}/{channel}`."""


class SensorNameError(ContractError):
    """A sensor's name may not stand in a topic, a file name and a user name."""


class LanguageError(ContractError):
    """There is no catalogue of a language; the text names those that there are."""


class SettingsError(ContractError):
    """A setting is unknown, missing, of the wrong kind, or dangerous: where, which value and with what consequence."""
