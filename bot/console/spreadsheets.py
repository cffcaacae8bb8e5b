"""Workbooks of several sheets, safe from formulas."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

from bot.console.tickets.pages import harmless

LONGEST_TITLE = 31  # of a sheet


def workbook_of(sheets: Mapping[str, tuple[Sequence[str], Sequence[Sequence[Any]]]]) -> bytes:
    """A sheet for each title: its head and its rows. Every text is a text, never a formula."""
    book = openpyxl.Workbook(write_only=True)
    for title, (head, table) in sheets.items():
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:LONGEST_TITLE])
        sheet.append(list(head))
        for row in table:
            sheet.append([harmless(cell) for cell in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
