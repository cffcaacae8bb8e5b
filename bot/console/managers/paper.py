"""The month's report on paper: a PDF whose Chinese needs no font file (the reader's own STSong is used)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cache
from xml.sax.saxutils import escape

import sqlalchemy as sa
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as PaperTable

from bot.console.managers.measures.base import Section, Table
from storage.tables import facts

FONT = "STSong-Light"
ACCENT, QUIET, LINE = colors.HexColor("#0b6b5b"), colors.HexColor("#56666f"), colors.HexColor("#b9c4c9")


def hospital(db: sa.Connection) -> str:
    """What the hospital is called."""
    return str(db.execute(sa.select(facts.c.value).where(facts.c.key == "name")).scalar() or "")


@cache
def _styles() -> dict[str, ParagraphStyle]:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    plain = ParagraphStyle("plain", fontName=FONT, fontSize=9, leading=13, wordWrap="CJK")
    return {
        "plain": plain,
        "quiet": ParagraphStyle("quiet", plain, fontSize=7.5, leading=10, textColor=QUIET),
        "value": ParagraphStyle("value", plain, fontSize=12, leading=15),
        "title": ParagraphStyle("title", plain, fontSize=19, leading=26),
        "section": ParagraphStyle(
            "section", plain, fontSize=13, leading=18, textColor=ACCENT, spaceBefore=6 * mm, spaceAfter=2 * mm
        ),
    }


def pdf(title: str, made: str, sections: Sequence[Section], say: Callable[[str], str]) -> bytes:
    """The report. `say` puts our words into the reader's language."""
    styles, written = _styles(), io.BytesIO()
    page = SimpleDocTemplate(
        written,
        pagesize=A4,
        title=title,
        author="Xiaohu",
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
    )
    story: list[Flowable] = [
        Paragraph(escape(title), styles["title"]),
        Paragraph(escape(made), styles["quiet"]),
        Spacer(1, 3 * mm),
    ]
    for section in sections:
        story.append(
            KeepTogether([Paragraph(escape(say(section.name)), styles["section"]), _figures(section, say)])
        )
        for table in section.tables:
            story += [Spacer(1, 3 * mm), _table(table, say)]
    page.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return written.getvalue()


def _figures(section: Section, say: Callable[[str], str]) -> Flowable:
    styles = _styles()
    body = [
        [
            Paragraph(escape(say(one.name)), styles["plain"]),
            Paragraph(escape(say(one.value)), styles["value"]),
            [
                Paragraph(escape(say(one.interval)), styles["quiet"]),
                Paragraph(escape(say(one.definition)), styles["quiet"]),
            ],
        ]
        for one in section.figures
    ]
    return PaperTable(
        body,
        colWidths=[42 * mm, 30 * mm, 102 * mm],
        style=TableStyle(
            [("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
        ),
    )


def _table(table: Table, say: Callable[[str], str]) -> Flowable:
    styles = _styles()
    head = [Paragraph(escape(say(word)), styles["quiet"]) for word in table.head]
    body = [[Paragraph(escape(say(cell)), styles["plain"]) for cell in row] for row in table.body]
    return PaperTable(
        [head, *body] if body else [head],
        repeatRows=1,
        style=TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, LINE),
                ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        ),
    )


def _numbered(canvas: object, page: object) -> None:
    canvas.setFont(FONT, 8)  # type: ignore[attr-defined]
    canvas.setFillColor(QUIET)  # type: ignore[attr-defined]
    canvas.drawRightString(192 * mm, 9 * mm, str(page.page))  # type: ignore[attr-defined]
