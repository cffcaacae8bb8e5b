"""Writing a broadcast: whom for, the words, and how it goes out; counted, checked and previewed while one writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
import sqlalchemy as sa
from aiohttp import web

from bot.channels.limits import CUSTOMER_SERVICE_TEXT, KF_TEXT, WECOM_TEXT
from bot.console import labels
from bot.console.broadcasts import audience, calendar
from bot.console.broadcasts.audience import Fields
from bot.console.broadcasts.pages import in_chinese, page
from bot.console.pages import ZONE, moved, shown
from bot.console.people import READINGS, STAFF, Staff
from bot.console.services import RECEPTION
from bot.domain.language import Language
from bot.domain.letter import Purpose
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.flows.broadcasts import desk, lint, variables
from bot.hospital import segments
from bot.hospital.identity import phone_index
from bot.outbox.routes import QUIET_FROM, QUIET_UNTIL, WAYS_OF_BROADCASTS
from bot.outbox.wording import Wording
from bot.web.api import WAKE
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import audit, broadcast_desk, console_scope, hospital, staff
from storage.rows import Row

LIMITS: Final = {
    "customer_service": CUSTOMER_SERVICE_TEXT,
    "kf": KF_TEXT,
    "wecom": WECOM_TEXT,
    "mass": lint.LONGEST,
}
LONGEST_TEXT: Final = 3_000  # characters of the field
FASTEST: Final = 100_000  # letters a minute
TRIAL: Final = "【测试】"
FRESH: Final = timedelta(minutes=5)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the form."""

    purpose: Purpose
    segment: segments.Segment
    text: str
    hold_out: int
    pace: int
    scheduled_at: datetime | None
    licence: str
    licence_until: date | None
    problem: str = ""  # what could not be read

    @property
    def values(self) -> dict[str, Any]:
        """As the broadcast's columns."""
        return {
            "purpose": self.purpose.value,
            "segment": segments.dump(self.segment),
            "text": self.text,
            "hold_out": self.hold_out,
            "pace": self.pace,
            "scheduled_at": self.scheduled_at,
            "licence": self.licence,
            "licence_until": self.licence_until,
        }


async def _form(request: web.Request) -> tuple[Written, Fields]:
    posted = await request.post()
    form = audience.fields_of(posted)
    text = str(posted.get("text", "")).replace("\r\n", "\n").strip()[:LONGEST_TEXT]

    def one(name: str) -> str:
        return next(iter(form.get(name, ())), "")

    def number(name: str, most: int) -> int:
        said = one(name)
        return min(int(said), most) if said.isascii() and said.isdigit() else 0

    problem = ""
    scheduled, until = None, None
    try:
        if one("when") == "later" and one("scheduled_at"):
            scheduled = datetime.fromisoformat(one("scheduled_at")).replace(tzinfo=request.app[ZONE])
        if one("licence_until"):
            until = date.fromisoformat(one("licence_until"))
    except ValueError:
        problem = "时间看不懂。"
    if one("when") == "later" and scheduled is None:
        problem = "请选择开始时间，或改为手动开始。"
    elif scheduled is not None and scheduled <= request.app[CLOCK].now():
        problem = "开始时间已经过去。"
    written = Written(
        audience.purpose_of(form),
        audience.read_segment(form),
        text,
        number("hold_out", desk.HOLD_OUT_AT_MOST),
        number("pace", FASTEST),
        scheduled,
        one("licence"),
        until,
        problem,
    )
    return written, form


# The page


@routes.get("/console/broadcasts/new")
async def blank(request: web.Request) -> web.Response:
    """A new one; the address may say whom for, or which one to copy."""
    copied = request.query.get("copy", "")
    if copied.isascii() and copied.isdigit():
        row = await request.app[DATABASE].read(lambda db: broadcast_desk.one(db, int(copied)))
        if row is not None:
            return await _page(request, _of_row(row, request.app[ZONE]) | {"when": ["now"]})
    fields = dict(audience.fields_of(request.query))
    return await _page(request, {"purpose": ["marketing"], "when": ["now"], **fields})


@routes.get("/console/broadcasts/{id:\\d+}/edit")
async def again(request: web.Request) -> web.Response:
    """One that is not running yet."""
    number = int(request.match_info["id"])

    def read(db: sa.Connection) -> tuple[Row | None, int]:
        return broadcast_desk.one(db, number), broadcast_desk.newest_version(db, number)

    row, seen = await request.app[DATABASE].read(read)
    if row is None:
        raise web.HTTPNotFound
    if row.state not in ("draft", "approved"):
        return moved(f"/console/broadcasts/{number}")
    return await _page(request, _of_row(row, request.app[ZONE]) | {"seen": [str(seen)]}, row=row)


def _of_row(row: Row, zone: ZoneInfo) -> dict[str, list[str]]:
    """The form's fields, as the row has them."""
    at = row.scheduled_at
    return {
        **audience.written(segments.load(row.segment)),
        "purpose": [row.purpose],
        "text": [row.text],
        "hold_out": [str(row.hold_out)] if row.hold_out else [],
        "pace": [str(row.pace)] if row.pace else [],
        "when": ["later" if at else "now"],
        "scheduled_at": [f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"] if at else [],
        "licence": [row.licence],
        "licence_until": [row.licence_until.isoformat()] if row.licence_until else [],
    }


class PatientWords:
    """The tags, regions and sources there are, for the form to offer; counting them anew takes a while."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._words: Mapping[str, list[str]] = {}

    def of(self, db: sa.Connection, now: datetime) -> Mapping[str, list[str]]:
        """As they were a little while ago."""
        if self._at is None or now - self._at > FRESH:
            self._words, self._at = broadcast_desk.words_of_patients(db), now
        return self._words


PATIENT_WORDS = web.AppKey("patient_words", PatientWords)


async def _page(
    request: web.Request, fields: Fields, problem: str = "", row: Row | None = None
) -> web.Response:
    now, known = request.app[CLOCK].now(), request.app[PATIENT_WORDS]

    def read(db: sa.Connection) -> dict[str, Any]:
        return {
            "words": known.of(db, now),
            "departments": [(one.code, one.name) for one in hospital.all_departments(db)],
        }

    found = await request.app[DATABASE].read(read)
    return shown(
        request,
        "broadcast_form.html",
        fields=fields,
        row=row,
        problem=problem,
        purposes={one.value: labels.PURPOSES[one] for one in desk.PURPOSES},
        kinds=segments.KINDS,
        tiers=audience.TIERS,
        agreements=segments.AGREEMENTS,
        outcomes=segments.OUTCOMES,
        variables=tuple(variables.VARIABLES),
        lost=row is not None and not audience.whole(segments.load(row.segment)),
        status=422 if problem else 200,
        **found,
    )


@routes.post("/console/broadcasts/new")
async def create(request: web.Request) -> web.Response:
    """Keep it as a draft; perhaps hand it in at once."""
    written, form = await _form(request)
    name, now, zone = request[STAFF].name, request.app[CLOCK].now(), request.app[ZONE]
    hand_in = bool(form.get("submit"))

    def write(db: sa.Connection) -> int:
        values = written.values | {"segment": written.segment, "purpose": written.purpose}
        number = desk.create(db, desk.Draft(by=name, **values), now, zone)
        if hand_in:
            desk.submit(db, number, name, now)
        return number

    if written.problem:
        return await _page(request, {**form, "text": [written.text]}, written.problem)
    try:
        number = await request.app[DATABASE].write(write)
    except desk.BroadcastRefused as refusal:
        return await _page(request, {**form, "text": [written.text]}, in_chinese(refusal, "draft"))
    return moved(f"/console/broadcasts/{number}")


@routes.post("/console/broadcasts/{id:\\d+}/edit")
async def change(request: web.Request) -> web.Response:
    """It goes back to be approved, unless nothing changed."""
    number, (written, form) = int(request.match_info["id"]), await _form(request)
    name, now, zone = request[STAFF].name, request.app[CLOCK].now(), request.app[ZONE]
    said = next(iter(form.get("seen", ())), "")
    seen = int(said) if said.isascii() and said.isdigit() else None
    row = await request.app[DATABASE].read(lambda db: broadcast_desk.one(db, number))
    if row is None:
        raise web.HTTPNotFound

    def write(db: sa.Connection) -> None:
        desk.edit(db, number, name, now, zone, seen=seen, **written.values)
        if form.get("submit"):
            desk.submit(db, number, name, now)

    fields = {**form, "text": [written.text]}
    if written.problem:
        return await _page(request, fields, written.problem, row)
    try:
        await request.app[DATABASE].write(write)
    except desk.ChangedMeanwhile:
        problem = (
            "您编辑的时候，别人也改了这条群发。您写的还在下面；请在另一个窗口看看新内容，再决定是否覆盖。"
        )
        newest = await request.app[DATABASE].read(lambda db: broadcast_desk.newest_version(db, number))
        return await _page(request, {**fields, "seen": [str(newest)]}, problem, row)
    except desk.BroadcastRefused as refusal:
        return await _page(request, fields, in_chinese(refusal, str(row.state)), row)
    return moved(f"/console/broadcasts/{number}")


# While one writes


@routes.post("/console/broadcasts/audience")
async def counted(request: web.Request) -> web.Response:
    """How many it would reach, who falls out and why, five of them masked, and how long it takes."""
    written, _ = await _form(request)
    now, zone = request.app[CLOCK].now(), request.app[ZONE]

    def read(db: sa.Connection) -> dict[str, Any]:
        refusal = ""
        try:
            desk.check_audience(db, written.segment, written.purpose)
        except desk.BroadcastRefused as refused:
            refusal = str(refused)
        preview = segments.preview(db, written.segment, written.purpose, now, zone)
        begins = written.scheduled_at or now
        return {
            "refusal": refusal,
            "preview": preview,
            "clashes": calendar.clashes(db, begins, written.purpose, zone),
        }

    found = await request.app[DATABASE].read(read)
    reached = found["preview"].reached
    held = reached * written.hold_out // 100
    return shown(
        request,
        "broadcast_audience.html",
        words=segments.describe(written.segment),
        fallen=audience.waterfall(found["preview"]),
        held=held,
        goes=reached - held,
        ends=_ends(written, reached - held, now, zone),
        address=audience.address(written.segment),
        **found,
    )


def _ends(written: Written, size: int, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the last letter would go at that pace, nights left out; None: at once."""
    if not written.pace or size <= written.pace:
        return None
    at, left = (written.scheduled_at or now).astimezone(zone), timedelta(minutes=size / written.pace)
    while True:
        if at.time() >= QUIET_FROM or at.time() < QUIET_UNTIL:
            day = at.date() + timedelta(days=at.time() >= QUIET_FROM)
            at = datetime.combine(day, QUIET_UNTIL, zone)
        night = datetime.combine(at.date(), QUIET_FROM, zone)
        if at + left <= night:
            return at + left
        left -= night - at
        at = night


@routes.post("/console/broadcasts/words")
async def checked(request: web.Request) -> web.Response:
    """What must not be said, how long it is on every way, and how it reads, perhaps for one person."""
    written, form = await _form(request)
    now, zone, me = request.app[CLOCK].now(), request.app[ZONE], request[STAFF]
    code = next(iter(form.get("as", ())), "")
    wording = request.app[RECEPTION].wording
    today = now.astimezone(zone).date()

    fresh = bool(code) and request.app[READINGS].fresh(me.name, f"preview:{code}", now)

    def look(db: sa.Connection) -> dict[str, Any]:
        person = _person(db, code, me, written, now, zone) if code else None
        if person is not None and fresh:
            audit.append(db, me.name, "read", f"patient:{code}", "broadcast preview", now)
        return {"person": person, "texts": _texts(db, wording, written, person, today)}

    database = request.app[DATABASE]
    found = await (database.write(look) if fresh else database.read(look))
    longest = max((len(text.encode()) for text in found["texts"].values()), default=0)
    return shown(
        request,
        "broadcast_words.html",
        faults=lint.faults(
            written.text,
            written.purpose,
            licence=written.licence,
            licence_until=written.licence_until,
            today=today,
        )
        if written.text
        else [],
        ways=[(labels.ROUTES[way], longest, LIMITS[way]) for way in WAYS_OF_BROADCASTS[written.purpose]],
        shared=written.purpose is Purpose.GREETING and variables.has_any(written.text),
        asked=code,
        **found,
    )


@dataclass(frozen=True, slots=True)
class Person:
    """One possible reader."""

    who: variables.Addressed
    masked: str
    language: str
    member: bool
    verdict: str  # why nothing would come; empty: it would


def _person(
    db: sa.Connection, code: str, me: Staff, written: Written, now: datetime, zone: ZoneInfo
) -> Person | None:
    """Somebody of whom one may know, masked."""
    row = console_scope.patient(db, code, me.departments)
    if row is None:
        return None
    member, verdict = broadcast_desk.verdict_of(
        db,
        segments.compiled(written.segment, now, zone),
        segments.rules(written.segment, written.purpose, now, zone),
        code,
    )
    reader = broadcast_desk.relation_of(db, code)
    patient = Patient(row.code, row.name, row.sex, row.birth_date)
    # Below the level at which the full name is written: who writes advertisements need not know it.
    who = variables.Addressed(patient, reader.relation if reader else "other", 0)
    return Person(
        who, patient.masked_name, row.language, member, audience.words_of(verdict) if verdict else ""
    )


def _texts(
    db: sa.Connection, wording: Wording, written: Written, person: Person | None, today: date
) -> dict[str, str]:
    """The words as they would arrive, by language where these differ."""
    if not written.text:
        return {}
    return {
        name: rendered(
            db, wording, written.purpose, written.text, language, person.who if person else None, today
        )
        for name, language in _languages(written.purpose, person)
    }


def _languages(purpose: Purpose, person: Person | None) -> list[tuple[str, Language]]:
    names = {Language.SIMPLIFIED: "简体", Language.TRADITIONAL: "繁体", Language.ENGLISH: "英文"}
    if person is not None:
        language = Language(person.language or Language.SIMPLIFIED)
        return [(names[language], language)]
    if purpose is Purpose.MARKETING:  # the words around it differ
        return [(names[one], one) for one in (Language.SIMPLIFIED, Language.ENGLISH)]
    return [(names[Language.SIMPLIFIED], Language.SIMPLIFIED)]


def rendered(
    db: sa.Connection,
    wording: Wording,
    purpose: Purpose,
    text: str,
    language: Language,
    who: variables.Addressed | None,
    today: date,
) -> str:
    """The words as somebody would read them; for nobody in particular with the fallbacks."""
    words = (
        variables.for_one(text, who, today)
        if who and not variables.faults(text)
        else variables.same_for_all(text)
    )
    if purpose is not Purpose.MARKETING:
        return words
    wording.hospital = dict.fromkeys(("name", "phone"), "") | hospital.all_facts(db)
    try:
        return wording.text(say("broadcast/marketing", text=words), language)
    except jinja2.TemplateError:
        return words


@routes.post("/console/broadcasts/{id:\\d+}/try")
async def try_out(request: web.Request) -> web.Response:
    """To one's own WeChat, before anybody else reads it."""
    number, me, now = int(request.match_info["id"]), request[STAFF], request.app[CLOCK].now()
    wording, today = request.app[RECEPTION].wording, now.astimezone(request.app[ZONE]).date()

    def write(db: sa.Connection) -> str:
        row, user = broadcast_desk.one(db, number), staff.user(db, me.name)
        if row is None or user is None:
            raise LookupError(number)
        contact = broadcast_desk.own_contact(
            db, user.wecom_userid, phone_index(user.phone) if user.phone else ""
        )
        if contact is None:
            return "没有找到您自己的微信：请用登记在账号里的手机号在公众号里发“绑定”，绑定本人。"
        text = rendered(db, wording, Purpose(row.purpose), row.text, Language.SIMPLIFIED, None, today)
        desk.try_out(db, number, contact.id, me.name, TRIAL + text, now)
        return ""

    try:
        problem = await request.app[DATABASE].write(write)
    except LookupError as error:
        raise web.HTTPNotFound from error
    request.app[WAKE].set()
    return await page(request, problem) if problem else moved(f"/console/broadcasts/{number}#trial")
