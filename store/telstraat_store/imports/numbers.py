"""How a file writes its numbers: the mark before decimals and the one between thousands, proven by the file or asked for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Decimal = Literal["point", "comma"]
SPACES = " \u00a0\u202f'’"
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?|[+-]?\.\d+", re.ASCII)
_SPACED = re.compile(rf"[+-]?\d{{1,3}}(?:[{SPACES}]\d{{3}})+(?:[.,]\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*", re.ASCII)
_BOTH = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d+|[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d+", re.ASCII)
_ONE_MARK = re.compile(r"[+-]?\d*([.,])\d+(?:[eE][+-]?\d+)?", re.ASCII)


def whole_number(text: str) -> int | None:
    """Return a whole number written in the digits 0 to 9, or nothing: other digits, and more than a bigint has, are none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


class NumberTextError(Exception):
    """A text that is no number, or one that may be two; says what to write instead."""


@dataclass
class Numbers:
    """The marks that were seen in a file, and how they are read then.

    `decimal` and `spaced` may be given; else `look` collects what proves them, and `read` refuses what is not proven.
    """

    decimal: Decimal | None = None
    point_is_decimal: str = ""  # the text that proves it
    comma_is_decimal: str = ""
    comma_is_open: str = ""  # may be a decimal comma, or a mark between thousands
    point_is_open: str = ""
    is_spaced: bool = False

    def look(self, text: str) -> None:
        """Collect what a cell proves about the marks."""
        if "." not in text and "," not in text:
            self.is_spaced |= bool(_SPACED.fullmatch(text))
            return
        if _BOTH.fullmatch(text) or _SPACED.fullmatch(text):
            last = max(text.rfind("."), text.rfind(","))
            self._prove(text[last] if last >= 0 else "", text)
            self.is_spaced |= bool(_SPACED.fullmatch(text))
        elif match := _GROUPED.fullmatch(text):
            mark = match[1]
            if text.count(mark) > 1:
                self._prove("," if mark == "." else ".", text)  # between thousands: decimals have the other one
            elif mark == ",":
                self.comma_is_open = self.comma_is_open or text
            else:
                self.point_is_open = self.point_is_open or text
        elif match := _ONE_MARK.fullmatch(text):
            self._prove(match[1], text)

    def _prove(self, mark: str, text: str) -> None:
        if mark == ".":
            self.point_is_decimal = self.point_is_decimal or text
        elif mark == ",":
            self.comma_is_decimal = self.comma_is_decimal or text

    @property
    def proven(self) -> Decimal | None:
        """Return the mark before decimals, or nothing where the file does not prove one."""
        if self.decimal or bool(self.point_is_decimal) == bool(self.comma_is_decimal):
            return self.decimal
        return "point" if self.point_is_decimal else "comma"

    def read(self, text: str) -> float:
        """Return the number that a text writes.

        Raises
        ------
        NumberTextError
            The text is no number, or the file does not prove which mark is which.
        """
        if text.isdigit() and text.isascii() and len(text) < 16:
            return float(text)
        bare = text.strip()
        if _SPACED.fullmatch(bare):
            if self.comma_is_open and not self.proven:
                raise NumberTextError("mixes marks between thousands in this file; write the digits without any")
            bare = re.sub(rf"[{SPACES}]", "", bare)
        elif "," in bare or _GROUPED.fullmatch(bare):
            bare = self._without_thousands(bare)
        value = float(bare.replace(",", ".")) if _PLAIN.fullmatch(bare.replace(",", ".")) else math.nan
        if not math.isfinite(value):
            raise NumberTextError("is not a number; write digits, or nothing where nothing was counted")
        return value

    def _without_thousands(self, text: str) -> str:
        decimal = self.proven
        if decimal is None and self.point_is_decimal and self.comma_is_decimal:
            raise NumberTextError(
                f"may mean two numbers: this file has {self.point_is_decimal!r} and {self.comma_is_decimal!r}; write one kind of"
                " decimals, or say --decimal point or --decimal comma"
            )
        if decimal is None and _GROUPED.fullmatch(text):
            raise NumberTextError(
                "may mean thousands or a fraction, and nothing in the file tells; write the digits without marks, or say "
                "--decimal point or --decimal comma"
            )
        thousands = "." if decimal == "comma" else ","
        head, mark, tail = text.rpartition("," if decimal == "comma" else ".")
        whole = head if mark else tail
        if thousands in (tail if mark else "") or (thousands in whole and not _GROUPED.fullmatch(whole)):
            raise NumberTextError("is not a number; write digits, or nothing where nothing was counted")
        return text.replace(thousands, "")
