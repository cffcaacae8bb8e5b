"""Patients' texts: `templates/messages/<topic>/<message>.<language>.txt` and their facts → the exact words.

Simplified Chinese is written first, English beside it. A Traditional text is made from the Simplified one by
OpenCC unless somebody wrote a better one. Strict: a missing fact is an error, never a gap in a sentence.

A hospital may put its own words in the place of a text (`bot.outbox.own_texts`); the newest version that somebody
agreed to counts, in every process within a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import opencc
import sqlalchemy as sa
import structlog
from jinja2.runtime import Context

from bot.domain.language import Language
from bot.domain.words import Say
from bot.outbox import own_texts
from storage.queries import texts

log = structlog.get_logger()

MESSAGES = Path(__file__).parents[2] / "templates" / "messages"

WEEKDAYS = {
    Language.SIMPLIFIED: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    Language.TRADITIONAL: ("週一", "週二", "週三", "週四", "週五", "週六", "週日"),
    Language.ENGLISH: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


class Wording:
    """Renders what patients read.

    In a template: `{{ start|moment }}`, `{{ end|clock }}` and `{{ day|day }}` print a moment, its time or a date
    (or their ISO texts) in the patient's language and the hospital's zone; `hospital` holds the facts of
    hospital.csv.
    """

    def __init__(self, zone: ZoneInfo, folder: Path = MESSAGES) -> None:
        self.zone = zone
        self.hospital: Mapping[str, str] = {}
        self._edition = ""
        self.messages = Messages(folder)
        self._environment = jinja2.Environment(
            loader=self.messages,
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701  chat texts; pages have an environment of their own
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=True,  # asks the loader, which knows when another version counts
            cache_size=-1,
        )
        self._environment.filters["moment"] = jinja2.pass_context(partial(_moment, zone))
        self._environment.filters["day"] = jinja2.pass_context(partial(_day, zone))
        self._environment.filters["clock"] = partial(_clock, zone)

    def refresh(self, db: sa.Connection) -> bool:
        """Take in what the hospital wrote since; whether there was anything."""
        if (edition := texts.edition(db)) == self._edition:
            return False
        self._edition = edition
        own = {
            f"{row.template}.{row.language}": row.source for row in texts.live(db) if row.source is not None
        }
        self.messages.own = {name: source for name, source in own.items() if self._stands(name, source)}
        return True

    def _stands(self, name: str, source: str) -> bool:
        """What somebody agreed to once may fit a newer release no more: then the text that ships counts."""
        shipped = self.messages.shipped(name)
        if shipped is not None and not own_texts.faults(name, source, shipped):
            return True
        log.error("own_text_left_out", text=name)
        return False

    def text(self, words: Say, language: Language) -> str:
        """The exact words.

        Raises:
            jinja2.UndefinedError: a fact that the text needs is missing.
            jinja2.TemplateNotFound: there is no such text.
        """
        template = self._environment.get_template(f"{words.template}.{language}")
        return template.render(hospital=self.hospital, language=language, **words.facts).strip()


def moment_text(moment: datetime, language: Language, zone: ZoneInfo) -> str:
    """12月1日 周二 09:30; Tue 1 Dec 09:30."""
    local = moment.astimezone(zone)
    return f"{day_text(local.date(), language)} {local:%H:%M}"


def day_text(day: date, language: Language) -> str:
    """12月1日 周二; Tue 1 Dec."""
    weekday = WEEKDAYS[language][day.weekday()]
    if language == Language.ENGLISH:
        return f"{weekday} {day.day} {day:%b}"
    return f"{day.month}月{day.day}日 {weekday}"


def _moment(zone: ZoneInfo, context: Context, value: datetime | str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment_text(moment, context["language"], zone)


def _clock(zone: ZoneInfo, value: datetime | str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment.astimezone(zone):%H:%M}"


def _day(zone: ZoneInfo, context: Context, value: date | str) -> str:
    """A day as it is; the hospital's day of a moment."""
    given = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else value
    if isinstance(given, datetime):
        given = given.astimezone(zone).date()
    return day_text(date.fromisoformat(given) if isinstance(given, str) else given, context["language"])


class Messages(jinja2.BaseLoader):
    """Finds `topic/message.zh-Hant`: the hospital's own words, else ours; made from the Simplified text if need be."""

    def __init__(self, folder: Path = MESSAGES) -> None:
        self._folder = folder
        self.own: Mapping[str, str] = {}  # by name and language
        self._traditional: Callable[[str], str] = opencc.OpenCC("s2hk").convert

    def shipped(self, name: str) -> str | None:
        """Our text; None: there is none."""
        path = self._folder / f"{name}.txt"
        if path.exists():
            return path.read_text(encoding="utf-8")
        stem, _, language = name.rpartition(".")
        simplified = self._folder / f"{stem}.{Language.SIMPLIFIED}.txt"
        if language == Language.TRADITIONAL and simplified.exists():
            return self._traditional(simplified.read_text(encoding="utf-8"))
        return None

    def source(self, name: str) -> str | None:
        """The text that counts; None: there is none."""
        if (own := self.own.get(name)) is not None:
            return own
        stem, _, language = name.rpartition(".")
        simplified = self.own.get(f"{stem}.{Language.SIMPLIFIED}")
        if language == Language.TRADITIONAL and simplified is not None:
            return self._traditional(simplified)
        return self.shipped(name)

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """For Jinja2."""
        own = self.own
        source = self.source(template)
        if source is None:
            raise jinja2.TemplateNotFound(template)
        return source, str(self._folder / f"{template}.txt"), lambda: self.own is own
