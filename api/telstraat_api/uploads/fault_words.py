"""What is wrong with an uploaded file, in the reader's language: the sentences of the import, with the values that stand in them.

The import speaks English, to commands and logs, too. A page finds its sentence here by its words, and says it anew.
"""

from __future__ import annotations

import re

from telstraat_api.web.languages import PageLanguage
from telstraat_contract.languages import gettext_noop

FAULTS = (
    gettext_noop("its name is longer than {n} signs"),
    gettext_noop("its name is empty"),
    gettext_noop("its name holds a sign that no name has, such as a new line"),
    gettext_noop("its name is no text"),
    gettext_noop("its line has more than {n} points; leave out those that it can do without"),
    gettext_noop("its line has places that are not longitude and latitude"),
    gettext_noop("it has no line"),
    gettext_noop("cannot be read as GeoJSON: lists lie in lists without end"),
    gettext_noop("the file has no street called {names}"),
    gettext_noop("is empty, or white space only"),
    gettext_noop("is a PDF, whatever it is called; export CSV, JSON or .xlsx"),
    gettext_noop("is an old Excel file (.xls); save it as .xlsx or CSV"),
    gettext_noop("is no spreadsheet that can be read; save it as .xlsx or CSV"),
    gettext_noop("has more than {n} million cells, empty ones included; save the rows with counts as CSV"),
    gettext_noop("unpacks to {n} MB, of {most} MB that are read; save the rows with counts as CSV"),
    gettext_noop("unpacks to more than {most} MB; cut it into smaller files"),
    gettext_noop("has several sheets ({names}); save the one with the counts as a file of its own"),
    gettext_noop("is a broken .gz file; fetch it again"),
    gettext_noop("is a broken Parquet file; fetch it again"),
    gettext_noop("is a broken Arrow file; fetch it again"),
    gettext_noop("is not JSON: {why}"),
    gettext_noop("is JSON without counts; it has {names}"),
    gettext_noop("is no text: it holds zero bytes; export CSV, JSON or .xlsx"),
    gettext_noop("byte {n} is text in neither UTF-8, UTF-16 nor Windows-1252; save the file as UTF-8"),
    gettext_noop(
        "columns {names} are neither Telraam's API rows, nor its portal export, nor an export of Telstraat, nor a table with a start and counts; docs/import.md shows them"
    ),
    gettext_noop("has an uptime, and does not say whether the counts were divided by it; choose it below"),
    gettext_noop(
        "times such as {time} do not say how far from UTC they are: are they local or UTC? Choose it below, or write {example}"
    ),
    gettext_noop("names more than {n} streets; is the right column called segment_id or street?"),
    gettext_noop("segment {name} is not one of ours; choose its street below"),
    gettext_noop("another source has this period already: {name}"),
    gettext_noop("the same period stands in the file twice; line {n} has it: leave one of the two out"),
    gettext_noop("period is a whole day; days are made here from hours or quarters: import those"),
    gettext_noop(
        "counts are not given by direction; name the columns car_lft and car_rgt, for one direction one of them"
    ),
    gettext_noop("is not a number; write digits, or nothing where nothing was counted"),
    gettext_noop("is not between 0 and {most}; correct it, or leave it empty"),
    gettext_noop("is not between 0 and {most}; write the uptime, 0 to 1"),
    gettext_noop("is not a time; write it like {example}"),
    gettext_noop("is empty; write the start of the period"),
    gettext_noop("is before 2000 or in the future; correct the date"),
    gettext_noop("is not the start of a quarter or an hour; write the start of the period"),
    gettext_noop("this file has been imported or thrown away"),
    gettext_noop(
        "this took longer than {n} s, which is as long as a job may take here; cut the file into smaller ones"
    ),
    gettext_noop("this takes more memory than a job may have on this server (job_memory_mb); ask for less at once"),
    gettext_noop("uptime is read as percent"),
    gettext_noop("columns that are not read: {names}"),
    gettext_noop("is not UTF-8: read as Windows-1252"),
)
"""A sentence may stand behind a name and a value: `car_lft 'many' is not a number; ...`."""


def pattern_of(sentence: str) -> re.Pattern[str]:
    """Return what a sentence looks like with its values in it, and with what stands before it."""
    words = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(sentence))
    return re.compile(rf"(?P<before_it>|.*[ :]){words}", re.DOTALL)


PATTERNS = [(pattern_of(sentence), sentence) for sentence in sorted(FAULTS, key=len, reverse=True)]


def fault_in(text: str, _: PageLanguage) -> str:
    """Return what an import says, in a language; a sentence that is not known here stays as it is."""
    for pattern, sentence in PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            values = match.groupdict()
            return values.pop("before_it") + _(sentence, **values)
    return text
