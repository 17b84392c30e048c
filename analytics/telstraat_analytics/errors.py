"""Errors of the analysis.

AnalysisError
├── FrameError        the counts handed in are not a frame of counts
├── MeasureError      a measure file or object that contradicts itself
├── QuestionError     something is asked that these counts cannot answer
└── ReportError       a report cannot be written
"""

from __future__ import annotations


class AnalysisError(Exception):
    """An analysis cannot be done."""


class FrameError(AnalysisError):
    """The counts handed in are not a frame of counts; the text names column, row and value."""


class MeasureError(AnalysisError):
    """A measure contradicts itself or its file cannot be read; the text names file, key and value."""


class QuestionError(AnalysisError):
    """Something is asked that the counts cannot answer."""


class ReportError(AnalysisError):
    """A report cannot be written."""
