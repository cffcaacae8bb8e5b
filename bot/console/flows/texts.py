"""Patients' texts in the hospital's own words: written here, checked, previewed, agreed to by a second person, rolled back."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jinja2
import sqlalchemy as sa
from aiohttp import web
from jinja2 import nodes

from bot.console.flows.text_notation import WORDS, Notation, in_words
from bot.console.pages import moved, shown
from bot.console.people import STAFF, Staff
from bot.console.services import RECEPTION
from bot.flows.greetings import BIRTHDAY, OCCASIONS
from bot.outbox import own_texts
from bot.outbox.wording import MESSAGES, Messages
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, hospital, texts
from storage.rows import Row

TOPICS: Final[Mapping[str, str]] = {
    "greeting": "节日与生日问候",
    "welcome": "关注与欢迎",
    "menu": "菜单",
    "information": "医院信息",
    "topic": "常见话题",
    "appointment": "预约挂号",
    "waiting_list": "候补",
    "binding": "绑定身份",
    "about": "为谁办理",
    "family": "家人",
    "report": "报告",
    "points": "积分",
    "membership": "会员",
    "complaint": "投诉与表扬",
    "consent": "同意与退订",
    "triage": "分诊建议",
    "person": "转人工",
    "media": "图片与语音",
    "plan": "随访",
    "red_flag": "紧急情况",
    "ladder": "警报升级",
    "broadcast": "群发的外框",
    "outbox": "短信与通知",
    "common": "通用",
}
# What somebody's safety, identity or secret hangs on: never by one person alone.
GRAVE: Final = frozenset(
    {
        "red_flag",
        "ladder",
        "plan",
        "person",
        "media",
        "triage",
        "report",
        "binding",
        "consent",
        "broadcast",
        "outbox",
    }
)
OPEN_TO_MARKETING: Final = frozenset({"greeting", "welcome", "membership", "points"})
LANGUAGES: Final = {"zh-Hans": "简体", "zh-Hant": "繁体", "en": "英文"}
MOMENTS: Final = {
    "zh-Hans": {"moment": "12月1日 周二 09:30", "day": "12月1日 周二"},
    "zh-Hant": {"moment": "12月1日 週二 09:30", "day": "12月1日 週二"},
    "en": {"moment": "Tue 1 Dec 09:30", "day": "Tue 1 Dec"},
}
_TITLES: Final[Mapping[str, str]] = {f"greeting/{one.template}": one.name for one in (*OCCASIONS, BIRTHDAY)}
LONGEST: Final = 4_000  # characters of the field

routes = web.RouteTableDef()
_shipped: Final = Messages(MESSAGES)


class Sample(str):
    """What stands for a fact that is not known yet; anything may be asked of it."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Sample:
        if name.startswith("_"):
            raise AttributeError(name)
        return Sample(f"«{WORDS.get(name, name)}»")

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True

    __le__, __ge__ = __lt__, __gt__


@dataclass(frozen=True, slots=True)
class Place:
    """One text in one language."""

    template: str
    language: str

    @property
    def topic(self) -> str:
        """The folder: greeting."""
        return self.template.partition("/")[0]

    @property
    def name(self) -> str:
        """As the loader calls it."""
        return f"{self.template}.{self.language}"

    @property
    def path(self) -> str:
        """Its page."""
        return f"/console/texts/{self.template}?language={self.language}"


def may_write(staff: Staff, topic: str) -> bool:
    """Marketing writes what wins people; the rest is the managers'."""
    return staff.role == "manager" or (staff.role == "marketing" and topic in OPEN_TO_MARKETING)


def needs_second(staff: Staff, topic: str) -> bool:
    """Whether somebody else must agree before it counts."""
    return topic in GRAVE or staff.role != "manager"


def preview(source: str, shipped: str, language: str, known: Mapping[str, str]) -> list[str]:
    """How it reads, with stand-ins for the facts: with everything said, and with as little as may be."""
    if not own_texts.only_ours(source, shipped):
        return []
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701  escaped where it is shown
    moments = MOMENTS[language]
    environment.filters |= {
        "moment": lambda _value: moments["moment"],
        "day": lambda _value: moments["day"],
        "clock": lambda _value: "10:30",
    }
    try:
        most, least = _stand_ins(environment.parse(source))
        template = environment.from_string(source)
        found = [
            template.render(hospital=known, language=language, **facts).strip() for facts in (most, least)
        ]
    except (jinja2.TemplateError, TypeError, ValueError):
        return []
    return list(dict.fromkeys(found))


def _stand_ins(tree: nodes.Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """Something for every fact; and the same with nothing for what the text asks about."""
    names = {node.name for node in tree.find_all(nodes.Name)} - {"hospital", "language", "loop"}
    several = [one.iter for one in tree.find_all(nodes.For)]
    several += [
        one.node for one in tree.find_all(nodes.Filter) if one.name == "join" and one.node is not None
    ]
    lists = {one.name for one in several if isinstance(one, nodes.Name)}
    tests = [one.test for one in (*tree.find_all(nodes.If),)] + [
        one.test for one in tree.find_all(nodes.CondExpr)
    ]
    asked = {
        name.name
        for test in tests
        for name in (test, *test.find_all(nodes.Name))
        if isinstance(name, nodes.Name)
    }
    most: dict[str, Any] = {name: Sample(f"«{WORDS.get(name, name)}»") for name in names}
    most |= {name: [Sample("«一»"), Sample("«二»")] for name in lists & names}
    return most, most | dict.fromkeys(asked & names, Sample(""))


def title_of(template: str) -> str:
    """What staff call it; the file's name, where nobody gave it another."""
    return _TITLES.get(template, template.partition("/")[2])


def _all_names() -> list[str]:
    return sorted(
        str(path.relative_to(MESSAGES)).removesuffix(".zh-Hans.txt")
        for path in MESSAGES.rglob("*.zh-Hans.txt")
    )


@routes.get("/console/texts")
async def listed(request: web.Request) -> web.Response:
    """Every text, by topic; found by its words or its name; what waits for a second person comes first."""
    words, topic = request.query.get("q", "").strip()[:60], request.query.get("topic", "")
    messages = request.app[RECEPTION].wording.messages

    def read(db: sa.Connection) -> tuple[Sequence[Row], set[str]]:
        return texts.waiting(db), {row.template for row in texts.live(db) if row.source is not None}

    waiting, changed = await request.app[DATABASE].read(read)
    rows = [
        {
            "template": name,
            "title": title_of(name),
            "topic": TOPICS.get(name.partition("/")[0], name),
            "text": text,
            "changed": name in changed,
        }
        for name in _all_names()
        if (not topic or name.startswith(f"{topic}/"))
        and (text := messages.source(f"{name}.zh-Hans") or "") is not None
        and (not words or words in name or words in text)
    ]
    shown_rows = rows if words or topic else [row for row in rows if row["changed"]]
    return shown(
        request,
        "texts.html",
        rows=shown_rows,
        waiting=[(row, Place(row.template, row.language), title_of(row.template)) for row in waiting],
        topics=TOPICS,
        topic=topic,
        words=words,
        languages=LANGUAGES,
        total=len(_all_names()),
    )


def _place(request: web.Request, language: str) -> Place:
    template = f"{request.match_info['topic']}/{request.match_info['name']}"
    if template not in _all_names() or language not in LANGUAGES:
        raise web.HTTPNotFound
    return Place(template, language)


@routes.get("/console/texts/{topic:\\w+}/{name:\\w+}")
async def text(request: web.Request) -> web.Response:
    """One text: as it is, as it was, as it would be."""
    return await _page(request, _place(request, request.query.get("language", "zh-Hans")))


async def _page(
    request: web.Request, place: Place, problem: str = "", source: str | None = None, note: str = ""
) -> web.Response:
    messages, staff = request.app[RECEPTION].wording.messages, request[STAFF]
    now = messages.source(place.name) or ""
    shipped = _shipped.shipped(place.name) or ""
    notation = Notation(shipped)

    def read(db: sa.Connection) -> dict[str, Any]:
        return {
            "versions": _versions(texts.versions(db, place.template, place.language), shipped, notation),
            **_checked(db, place, source if source is not None else now),
        }

    found = await request.app[DATABASE].read(read)
    return shown(
        request,
        "text.html",
        place=place,
        title=title_of(place.template),
        topic=TOPICS.get(place.topic, place.topic),
        languages=LANGUAGES,
        present=now,
        written=notation.show(source if source is not None else now),
        note=note,
        shipped=shipped,
        labels=notation.labels,
        writes=may_write(staff, place.topic),
        second=needs_second(staff, place.topic),
        grave=place.topic in GRAVE,
        problem=problem,
        status=422 if problem else 200,
        **found,
    )


def _checked(db: sa.Connection, place: Place, source: str) -> dict[str, Any]:
    known = dict.fromkeys(own_texts.HOSPITAL, "") | hospital.all_facts(db)
    shipped = _shipped.shipped(place.name) or ""
    return {
        "faults": [in_words(fault) for fault in own_texts.faults(place.name, source, shipped)],
        "previews": preview(source, shipped, place.language, known),
        "size": len(source.encode()),
    }


def _versions(rows: Sequence[Row], shipped: str, notation: Notation) -> list[dict[str, Any]]:
    """The newest first, each with what it changed in the one before it."""
    found, counts = [], True
    for place, row in enumerate(rows):
        older = next((one.source for one in rows[place + 1 :] if one.state == "live"), None)
        before, after = (
            older if older is not None else shipped,
            row.source if row.source is not None else shipped,
        )
        found.append(
            {
                "row": row,
                "counts": row.state == "live" and counts,
                "pieces": pieces(notation.show(before), notation.show(after)),
                "shipped": row.source is None,
            }
        )
        counts = counts and row.state != "live"
    return found


def pieces(old: str, new: str) -> list[tuple[str, str]]:
    """What was taken out and put in."""
    found: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", old[a:b]))
            continue
        found += [("out", old[a:b])] if b > a else []
        found += [("in", new[c:d])] if d > c else []
    return found


@routes.post("/console/texts/{topic:\\w+}/{name:\\w+}/preview")
async def look(request: web.Request) -> web.Response:
    """While one writes: what is wrong with it, and how it reads."""
    form = await request.post()
    place = _place(request, str(form.get("language", "zh-Hans")))
    source, unknown = _source(form, place)
    found = await request.app[DATABASE].read(lambda db: _checked(db, place, source))
    found["faults"] = [*_unknown(unknown), *found["faults"]]
    return shown(request, "text_preview.html", **found)


def _source(form: Mapping[str, Any], place: Place) -> tuple[str, list[str]]:
    """The template that was written, and labels that nobody knows."""
    written = str(form.get("source", "")).replace("\r\n", "\n").rstrip()[:LONGEST] + "\n"
    return Notation(_shipped.shipped(place.name) or "").read(written)


def _unknown(labels: Sequence[str]) -> list[str]:
    return [f"没有“{{{label}}}”这个变量" for label in labels]


@routes.post("/console/texts/{topic:\\w+}/{name:\\w+}")
async def save(request: web.Request) -> web.Response:
    """A new version; it counts at once, or when a second person agreed."""
    form, staff = await request.post(), request[STAFF]
    place = _place(request, str(form.get("language", "zh-Hans")))
    (source, unknown), note = _source(form, place), str(form.get("note", "")).strip()[:200]
    if not may_write(staff, place.topic):
        return await _page(request, place, "这类文字要由经理来改。", source, note)
    faults = [*_unknown(unknown), *own_texts.faults(place.name, source, _shipped.shipped(place.name) or "")]
    if faults:
        problem = "没有保存：" + "；".join(in_words(fault) for fault in faults[:3])
        return await _page(request, place, problem, source, note)
    present = request.app[RECEPTION].wording.messages.source(place.name) or ""
    if source.rstrip() == present.rstrip():
        return await _page(request, place, "和现在的一样，没有改动。", source, note)
    return await _write(request, place, source, note)


@routes.post("/console/texts/{topic:\\w+}/{name:\\w+}/restore")
async def restore(request: web.Request) -> web.Response:
    """An older version, or the one that ships (0), once more: as a new version."""
    form, staff = await request.post(), request[STAFF]
    place = _place(request, str(form.get("language", "zh-Hans")))
    said = str(form.get("version", "0"))
    number = int(said) if said.isascii() and said.isdigit() else 0
    if not may_write(staff, place.topic):
        return await _page(request, place, "这类文字要由经理来改。")
    row = await request.app[DATABASE].read(lambda db: texts.version(db, number)) if number else None
    if number and (row is None or (row.template, row.language) != (place.template, place.language)):
        raise web.HTTPNotFound
    return await _write(request, place, row.source if row is not None else None, "用回原来的版本")


async def _write(request: web.Request, place: Place, source: str | None, note: str) -> web.Response:
    staff, now = request[STAFF], request.app[CLOCK].now()

    def write(db: sa.Connection) -> None:
        number = texts.write(db, place.template, place.language, source, staff.name, note, now)
        audit.append(db, staff.name, "write text", place.name, str(number), now)
        if not needs_second(staff, place.topic):
            _publish(db, number, place, staff.name, now)

    await request.app[DATABASE].write(write)
    await _take_in(request)
    return moved(place.path)


def _publish(db: sa.Connection, number: int, place: Place, by: str, now: datetime) -> None:
    texts.decide(db, number, "live", by, now)
    audit.append(db, by, "publish text", place.name, str(number), now)


async def _take_in(request: web.Request) -> None:
    """This process at once; the others within a second or two."""
    reception = request.app[RECEPTION]
    if await request.app[DATABASE].read(reception.wording.refresh):
        reception.reworded()


@routes.post("/console/texts/versions/{version:\\d+}/approve")
async def approve(request: web.Request) -> web.Response:
    """A second person agrees: from now on patients read it."""
    return await _decide(request, "live")


@routes.post("/console/texts/versions/{version:\\d+}/refuse")
async def refuse(request: web.Request) -> web.Response:
    """It never counts."""
    return await _decide(request, "refused")


async def _decide(request: web.Request, state: str) -> web.Response:
    number, staff, now = int(request.match_info["version"]), request[STAFF], request.app[CLOCK].now()

    def write(db: sa.Connection) -> tuple[Place, str]:
        row = texts.version(db, number)
        if row is None:
            raise LookupError(number)
        place = Place(row.template, row.language)
        if row.state != "draft":
            return place, "已经有人决定过了。"
        if row.written_by == staff.name and state == "live":
            return place, "这是您写的，需要另一位经理批准。"
        if state == "live":
            _publish(db, number, place, staff.name, now)
        else:
            texts.decide(db, number, state, staff.name, now)
            audit.append(db, staff.name, "refuse text", place.name, str(number), now)
        return place, ""

    try:
        place, problem = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    await _take_in(request)
    return await _page(request, place, problem) if problem else moved(place.path)
