"""Errors of the analysis.

AnalysisError
├── FrameError        the counts handed in are not a frame of counts
│   ├── NoCountsError    there are none of the streets with the measure
│   └── NotAddedUpError  some of them are still being added up to hours
├── MeasureError      a measure file or object that contradicts itself
├── QuestionError     something is asked that these counts cannot answer
│   └── NotCountedError  what is asked about was not counted in a street
└── ReportError       a report cannot be written
"""

from __future__ import annotations


class AnalysisError(Exception):
    """An analysis cannot be done; `why` is the same for all errors of a kind, for programs to read. Empty: none that they know."""

    why = ""


class FrameError(AnalysisError):
    """The counts handed in are not a frame of counts; the text names column, row and value."""


class NoCountsError(FrameError):
    """There are no counts of the streets with the measure around its day."""

    why = "no-counts"


class NotAddedUpError(FrameError):
    """Reports still wait to be added up to hours: an answer would lack them."""

    why = "not-added-up"


class MeasureError(AnalysisError):
    """A measure contradicts itself or its file cannot be read; the text names file, key and value."""


class QuestionError(AnalysisError):
    """Something is asked that the counts cannot answer."""


class NotCountedError(QuestionError):
    """What is asked about was not counted in a street."""

    why = "not-counted"


class ReportError(AnalysisError):
    """A report cannot be written."""
