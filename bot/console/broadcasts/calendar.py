"""What will go out, day by day: broadcasts, greetings, contacts of plans; with the lunar layer, nights and collisions."""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from aiohttp import web

from bot.console import labels
from bot.console.broadcasts.pages import STATES, state_of
from bot.console.pages import ZONE, shown
from bot.domain.calendar import (
    SOLAR_TERMS,
    birthday_in,
    festival_dates,
    holidays,
    is_workday,
    solar_to_lunar,
)
from bot.domain.letter import Purpose
from bot.flows.greetings import FROM, OCCASIONS, mourning, occasions
from bot.hospital import segments
from bot.outbox.routes import QUIET_FROM, QUIET_UNTIL
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import outgoing
from storage.rows import Row

ONE_DAY: Final = timedelta(days=1)
FRESH: Final = timedelta(minutes=10)  # how long counted birthdays are good enough
MONTHS: Final = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
TENS: Final = ("初", "十", "廿", "三")
DIGITS: Final = "一二三四五六七八九十"
WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
PURPOSES: Final = ("care", "survey", "greeting", "marketing", "transaction")
A_MONTH_AT_MOST: Final = 2  # marketing messages to one person
NOTED: Final = frozenset(one.name for one in OCCASIONS) | {
    "除夕",
    "元旦",
    "清明",
    "七夕",
    "腊八",
    "劳动节",
    "医师节",
    "国家公祭日",
}
# Whom a festival greets: age, sex, tag; nobody named: everybody who is bound.
GREETED: Final[Mapping[str, Mapping[str, Any]]] = {
    "妇女节": {"from": 18, "sex": "F"},
    "重阳": {"from": 60},
    "儿童节": {"below": 14},
    "母亲节": {"tag": "妈妈"},
    "父亲节": {"tag": "爸爸"},
    "护士节": {"tag": "护士"},
    "教师节": {"tag": "教师"},
}

routes = web.RouteTableDef()


@dataclass(slots=True)
class Day:
    """One day of the calendar."""

    day: date
    lunar: str
    festivals: list[str]
    holiday: str  # off, made (up for another day) or nothing
    mourning: bool
    inside: bool  # of the month that is shown
    past: bool
    today: bool
    broadcasts: list[dict[str, Any]] = field(default_factory=list)
    greetings: list[tuple[str, int]] = field(default_factory=list)
    sizes: Counter[str] = field(default_factory=Counter)  # contacts and letters by purpose
    hours: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    clashes: list[str] = field(default_factory=list)
    heat: int = 0  # 0 to 4

    @property
    def total(self) -> int:
        """Everything that goes to single people."""
        return sum(self.sizes.values())


def lunar_text(day: date) -> str:
    """初八; the month on its first day: 十月, 闰六月. Empty where the lunar calendar is not known."""
    try:
        lunar = solar_to_lunar(day)
    except ValueError:
        return ""
    if lunar.day == 1:
        return f"{'闰' if lunar.leap else ''}{MONTHS[lunar.month - 1]}月"
    tens, rest = divmod(lunar.day - 1, 10)
    return {10: "初十", 20: "二十", 30: "三十"}.get(lunar.day) or TENS[tens] + DIGITS[rest]


def month_of(said: str, today: date) -> date:
    """The first day of the month that the address names, else of today's."""
    try:
        return date.fromisoformat(f"{said}-01")
    except ValueError:
        return today.replace(day=1)


def grid(first: date, today: date) -> list[Day]:
    """The weeks of a month, from Monday on."""
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [_day(day, first, today) for week in weeks for day in week]


def _day(day: date, first: date, today: date) -> Day:
    festivals = [
        name
        for name, at in festival_dates(day.year).items()
        if at == day and (name in NOTED or name in SOLAR_TERMS)
    ]
    off = any(one.start <= day < one.end for one in holidays(day.year))
    made_up = day.weekday() >= 5 and is_workday(day)
    return Day(
        day=day,
        lunar=lunar_text(day),
        festivals=festivals,
        holiday="off" if off else "made" if made_up else "",
        mourning=mourning(day),
        inside=day.month == first.month,
        past=day < today,
        today=day == today,
    )


class Birthdays:
    """How many are greeted for their birthday on which day; counted now and then, because lunar ones take a while."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._counted: Mapping[int, Counter[date]] = {}

    def of(self, db: sa.Connection, years: Sequence[int], now: datetime) -> Mapping[date, int]:
        """By day, for these years."""
        if self._at is None or now - self._at > FRESH or any(year not in self._counted for year in years):
            born = outgoing.birthdays(db, now)
            self._counted = {year: _counted(born, year) for year in years}
            self._at = now
        return {day: size for year in years for day, size in self._counted[year].items()}


def _counted(born: Sequence[tuple[date, bool, int]], year: int) -> Counter[date]:
    found: Counter[date] = Counter()
    for birth, lunar, size in born:
        try:
            for day in {birthday_in(birth, lunar, one) for one in ((year - 1, year) if lunar else (year,))}:
                if day.year == year:
                    found[day] += size
        except ValueError:  # beyond the years whose lunar calendar is known
            continue
    return found


BIRTHDAYS = web.AppKey("calendar_birthdays", Birthdays)


def fill(db: sa.Connection, days: Sequence[Day], now: datetime, zone: ZoneInfo, birthdays: Birthdays) -> None:
    """Put in everything that goes out on these days."""
    since = datetime.combine(days[0].day, time(), zone)
    until = datetime.combine(days[-1].day + ONE_DAY, time(), zone)
    by_day = {one.day: one for one in days}
    counted = [
        *outgoing.contacts_of_plans(db, since, until),
        *outgoing.letters_waiting(db, since, until),
    ]
    for hour, purpose, size in counted:
        local = hour.astimezone(zone)
        if (day := by_day.get(local.date())) is not None:
            day.sizes[purpose] += size
            day.hours[local.hour][purpose] += size
    for row in outgoing.broadcasts_between(db, since, until):
        by_day[row.at.astimezone(zone).date()].broadcasts.append(_broadcast(row, zone))
    _greet(db, [one for one in days if not one.past], now, birthdays)
    _clash(days)
    most = max((one.total for one in days), default=0)
    for one in days:
        one.heat = 0 if not one.total else 1 + min(3, 4 * (one.total - 1) // max(1, most))


def _broadcast(row: Row, zone: ZoneInfo) -> dict[str, Any]:
    state = state_of(row)
    return {
        "id": row.id,
        "at": row.at.astimezone(zone),
        "purpose": row.purpose,
        "label": labels.PURPOSES[row.purpose],
        "state": STATES[state],
        "text": row.text[:24],
        "audience": segments.describe(segments.load(row.segment)),
    }


def _greet(db: sa.Connection, days: Sequence[Day], now: datetime, birthdays: Birthdays) -> None:
    years = sorted({one.day.year for one in days})
    born = birthdays.of(db, years, now) if days else {}
    for one in days:
        for occasion in occasions(one.day):
            one.greetings.append((occasion.name, _greeted(db, occasion.name, one.day, now)))
        if size := born.get(one.day, 0):
            one.greetings.append(("生日", size))
        for _, size in one.greetings:
            one.sizes["greeting"] += size
            one.hours[FROM.hour]["greeting"] += size


def _greeted(db: sa.Connection, festival: str, day: date, now: datetime) -> int:
    whom = GREETED.get(festival, {})
    return outgoing.bound_people(
        db,
        now,
        born_until=_years_before(day, whom["from"]) if "from" in whom else None,
        born_after=_years_before(day, whom["below"]) if "below" in whom else None,
        sex=whom.get("sex", ""),
        tag=whom.get("tag", ""),
    )


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _clash(days: Sequence[Day]) -> None:
    for one in days:
        kinds = [each["purpose"] for each in one.broadcasts]
        if kinds.count("marketing") > 1:
            one.clashes.append("同一天多条营销：每人每天最多1条，后发的会被拦下")
        if one.mourning and ("marketing" in kinds or "greeting" in kinds):
            one.clashes.append("哀悼日不宜营销和祝贺")
        if kinds and any(name != "生日" for name, _ in one.greetings):
            one.clashes.append("与节日问候同一天")
        if any(_at_night(each["at"].time()) for each in one.broadcasts):
            one.clashes.append("定在夜间，会等到早上8点")
    month = [each for one in days if one.inside for each in one.broadcasts if each["purpose"] == "marketing"]
    if len(month) > A_MONTH_AT_MOST:
        last = next(one for one in days if month[A_MONTH_AT_MOST] in one.broadcasts)
        last.clashes.append("本月第3条营销：每人每月最多2条")


def _at_night(at: time) -> bool:
    return at >= QUIET_FROM or at < QUIET_UNTIL


def clashes(db: sa.Connection, begins: datetime, purpose: Purpose, zone: ZoneInfo, but: int = 0) -> list[str]:
    """What speaks against beginning a broadcast then."""
    local = begins.astimezone(zone)
    day = _day(local.date(), local.date(), local.date())
    since = datetime.combine(day.day, time(), zone)
    found = []
    for row in outgoing.broadcasts_between(db, since, since + ONE_DAY):
        if row.id != but:
            found.append(f"当天已有{labels.PURPOSES[row.purpose]}群发{row.id}号")
    if names := [one.name for one in occasions(day.day)]:
        found.append(f"当天10:00自动发{'、'.join(names)}问候")
    if day.mourning and purpose is not Purpose.CARE:
        found.append(f"当天是{'、'.join(day.festivals)}，不宜营销和祝贺")
    if _at_night(local.time()):
        found.append("在夜间（21:00–8:00），会等到早上8点")
    return found


def _strip(day: Day) -> Iterator[dict[str, Any]]:
    """The day's hours, with what goes out in each."""
    most = max((sum(counter.values()) for counter in day.hours.values()), default=0)
    for hour in range(24):
        counter = day.hours.get(hour, Counter())
        size, y, parts = sum(counter.values()), 60.0, []
        for purpose in PURPOSES:
            if counter[purpose]:
                height = max(2.0, 56 * counter[purpose] / most)
                y -= height
                parts.append({"purpose": purpose, "y": round(y, 1), "height": round(height, 1)})
        yield {"hour": hour, "x": hour * 30, "size": size, "parts": parts, "quiet": _at_night(time(hour))}


@routes.get("/console/calendar")
async def month(request: web.Request) -> web.Response:
    """A month, and one day of it hour by hour."""
    now, zone = request.app[CLOCK].now(), request.app[ZONE]
    today = now.astimezone(zone).date()
    try:
        chosen = date.fromisoformat(request.query.get("day", ""))
    except ValueError:
        chosen = None
    said = request.query.get("month", "") or (f"{chosen:%Y-%m}" if chosen else "")
    first = month_of(said, today)
    days = grid(first, today)
    birthdays = request.app[BIRTHDAYS]
    await request.app[DATABASE].read(lambda db: fill(db, days, now, zone, birthdays))
    chosen = chosen or (today if (today.year, today.month) == (first.year, first.month) else first)
    shown_day = next((one for one in days if one.day == chosen), days[0])
    return shown(
        request,
        "calendar.html",
        days=days,
        first=first,
        before=first - ONE_DAY,
        after=(first + timedelta(days=31)).replace(day=1),
        chosen=shown_day,
        strip=list(_strip(shown_day)),
        purposes={one: labels.PURPOSES[one] for one in PURPOSES},
        weekdays=WEEKDAYS,
        holidays={"off": "休", "made": "班"},
    )
