"""May this letter go now, and which way: decided at sending time, by live facts alone. No database, no network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from bot.channels.limits import (
    CLIENT_ID_REMEMBERED,
    CUSTOMER_SERVICE_TEXT,
    KF_TEXT,
    MASS_A_MONTH,
    QUOTA_ZONE,
    WECOM_MEMBER_PER_HOUR,
    WECOM_MEMBER_PER_MINUTE,
    WECOM_TEXT,
)
from bot.domain.letter import LetterState, Purpose
from bot.outbox.case import AUTOMATIC, Case, Receiver
from bot.outbox.split import split
from bot.outbox.template_values import fill

UNKNOWN: Final = "unknown_outcome"
REPEATABLE: Final = frozenset({"template", "kf"})  # the platform recognises a repetition by our own number
REPEAT_WITHIN: Final = CLIENT_ID_REMEMBERED - timedelta(minutes=1)

QUIET_FROM, QUIET_UNTIL = time(21), time(8)
SPREAD: Final = timedelta(minutes=20)  # what the night held back does not go out all at eight sharp
LOOK_AGAIN: Final = timedelta(minutes=30)  # while a nurse speaks, or a red flag is open
WAIT_AT_MOST: Final = timedelta(days=3)  # for letters that do not say how long they are useful
FOR_EVER_AWAKE: Final = frozenset({Purpose.ALARM, Purpose.TRANSACTION})

# The ways a letter of each purpose may go, the best first. Marketing never goes as a template or a
# customer-service message (MKT-05); a greeting is none, but no service notice either.
WAYS: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.ALARM: ("customer_service", "kf", "template", "wecom", "sms"),
    Purpose.TRANSACTION: ("customer_service", "kf", "template", "wecom", "sms"),
    Purpose.CARE: ("customer_service", "kf", "template", "wecom", "sms"),
    Purpose.SURVEY: ("customer_service", "kf", "template", "wecom"),
    Purpose.GREETING: ("customer_service", "kf", "wecom", "mass"),
    Purpose.MARKETING: ("mass",),
}
# What goes to many is no notice of anything that the patient did: no template, and no text message in its stead.
WAYS_OF_BROADCASTS: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.CARE: ("customer_service", "kf", "wecom"),
    Purpose.GREETING: WAYS[Purpose.GREETING],
    Purpose.MARKETING: WAYS[Purpose.MARKETING],
}
MARKETING_A_DAY, MARKETING_A_MONTH = 1, 2  # MKT-05
TEMPLATES: Final = {
    Purpose.ALARM: "transaction",
    Purpose.TRANSACTION: "transaction",
    Purpose.CARE: "care",
    Purpose.SURVEY: "care",
}
CHATS: Final = frozenset({"customer_service", "kf", "wecom"})  # ways that show a whole text
OFFICIAL_ACCOUNT_ONLY: Final = frozenset({"customer_service", "template", "mass"})


@dataclass(frozen=True, slots=True)
class PlatformTemplate:
    """One template of an official account: its ID, and which of our facts stands in which key."""

    id: str
    title: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """How a letter goes."""

    channel: str  # customer_service, template, kf, wecom, sms, mass
    account: str  # of ours: wechat/default, wecom/default, sms
    to: str  # openid, userid or phone
    texts: tuple[str, ...]  # the messages that are left, in order
    contact_id: int | None = None  # whose conversation it appears in
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    kind: str = ""  # of a text message: code, notice, alarm, voice
    first: int = 0  # the number of the first of the messages, when others went before


@dataclass(frozen=True, slots=True)
class Go:
    """It goes this way, now."""

    way: Way


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """It never goes. `task`: a nurse must take care of it."""

    state: LetterState
    reason: str
    task: bool = False


Decision: TypeAlias = Go | Wait | End


@dataclass(frozen=True, slots=True)
class Office:
    """What the postman knows beside the letter."""

    zone: ZoneInfo
    channels: Collection[str]  # the ways that are set up: customer_service:wechat/default, wecom:…, sms
    templates: Mapping[str, Mapping[str, PlatformTemplate]]  # by account, by purpose
    notice: Callable[[str, str], str]  # the text message for a kind of letter, in a language
    facts: Mapping[str, str] = field(default_factory=dict)  # of the hospital
    closed: Mapping[str, datetime] = field(default_factory=dict)  # ways closed to us, until when


def decide(case: Case, office: Office, now: datetime) -> Decision:
    """May it go, and how."""
    if case.letter.reason == UNKNOWN:
        return _repeat(case, office, now)
    return _stopped(case, office, now) or _route(case, office, now)


def client_id(key: str) -> str:
    """The letter's key as a number of ours that every platform accepts: 32 hexadecimal digits."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def spread(key: str, over: timedelta) -> timedelta:
    """A delay that is always the same for the same letter."""
    return over * (int(client_id(key)[:8], 16) / 0xFFFFFFFF)


# What may stop it


def _stopped(case: Case, office: Office, now: datetime) -> Decision | None:
    letter, purpose = case.letter, case.purpose
    if letter.useful_until is not None and now > letter.useful_until:
        return End(LetterState.EXPIRED, "too_late")
    if case.receiver is None or purpose is Purpose.ALARM:
        return None
    today = now.astimezone(office.zone).date()
    if _died(case, today) and (purpose in AUTOMATIC or letter.plan):
        return End(LetterState.SUPPRESSED, "deceased")
    if not case.allowed:
        return End(LetterState.SUPPRESSED, "no_consent")
    if purpose in AUTOMATIC and (held := _held(case, now)):
        return held
    if purpose is Purpose.MARKETING and (reason := _enough(case, now, office.zone)):
        return End(LetterState.SUPPRESSED, reason)
    if purpose not in FOR_EVER_AWAKE and (morning := night_ends(now, office.zone)):
        return _wait(case, now, morning + spread(letter.key, SPREAD), "quiet_hours")
    return None


def _died(case: Case, today: date) -> bool:
    return case.deceased_on is not None and case.deceased_on <= today


def _held(case: Case, now: datetime) -> Decision | None:
    """What the automation keeps to itself while people are at it."""
    if case.purpose is Purpose.CARE:
        if case.open_alert:
            return _wait(case, now, now + LOOK_AGAIN, "open_alert")
    elif case.after_emergency:
        return End(LetterState.SUPPRESSED, "open_alert" if case.open_alert else "after_emergency")
    elif case.complaining:
        return End(LetterState.SUPPRESSED, "open_complaint")
    if case.after_complaint:
        return End(LetterState.SUPPRESSED, "after_complaint")
    if case.owner != "bot":
        if case.purpose in (Purpose.GREETING, Purpose.MARKETING):
            return End(LetterState.SUPPRESSED, "nurse_speaks")
        return _wait(case, now, now + LOOK_AGAIN, "nurse_speaks")
    return None


def _enough(case: Case, now: datetime, zone: ZoneInfo) -> str:
    """Whether this user had all the marketing that a day, or a month of the calendar, may bring."""
    today = now.astimezone(zone).date()
    days = [one.at.astimezone(zone).date() for one in case.promoted if one.marketing]
    if days.count(today) >= MARKETING_A_DAY:
        return "cap_day"
    if sum((day.year, day.month) == (today.year, today.month) for day in days) >= MARKETING_A_MONTH:
        return "cap_month"
    return ""


def _wait(case: Case, now: datetime, until: datetime, reason: str) -> Decision:
    useful_until = case.letter.useful_until
    if useful_until is None and case.purpose in AUTOMATIC and reason != "quiet_hours":
        useful_until = case.letter.created_at + WAIT_AT_MOST
    if useful_until is not None and until > useful_until:
        return End(LetterState.EXPIRED, reason)
    return Wait(until, reason)


def night_ends(now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the night that it is now ends; None by day."""
    local = now.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    day = local.date() + timedelta(days=local.time() >= QUIET_FROM)
    return datetime.combine(day, QUIET_UNTIL, zone)


# Which way


def _route(case: Case, office: Office, now: datetime) -> Decision:
    closed: list[datetime] = []
    for way in _ways(case, office, now):
        until = office.closed.get(f"{way.channel}:{way.account}")
        if until is None:
            return Go(way)
        closed.append(until)
    if closed:
        waiting = _wait(case, now, min(closed) + spread(case.letter.key, timedelta(seconds=10)), "quota")
        if isinstance(waiting, Wait):
            return waiting
    if (free_at := _member_is_free(case, now)) and "wecom" not in case.tried:
        return _wait(case, now, free_at, "pace")
    if case.body.get("chat_only"):
        return End(LetterState.SUPPRESSED, "no_window")
    if case.of_broadcast:
        return End(LetterState.SUPPRESSED, "no_route")  # a thousand of them are no task for a nurse
    if case.purpose in (Purpose.GREETING, Purpose.MARKETING):
        return End(LetterState.SUPPRESSED, "no_lawful_route")
    return End(LetterState.FAILED, "no_route", task=_needs_a_person(case))


def _needs_a_person(case: Case) -> bool:
    return case.receiver is not None or case.purpose is Purpose.ALARM


def _repeat(case: Case, office: Office, now: datetime) -> Decision:
    """Nobody knows whether it arrived: by the same way, while the platform recognises the repetition, or never."""
    letter = case.letter
    if letter.channel in REPEATABLE and letter.sent_at and now - letter.sent_at < REPEAT_WITHIN:
        for way in _ways(case, office, now):
            if way.channel == letter.channel:
                return Go(way)
    return End(LetterState.FAILED, UNKNOWN, task=_needs_a_person(case))


def _ways(case: Case, office: Office, now: datetime) -> list[Way]:
    """Every way that is set up, allowed for the purpose, open now, and has not failed; the best first."""
    if case.receiver is None:
        return _ways_to_address(case, office, now)
    found = []
    for channel in (WAYS_OF_BROADCASTS if case.of_broadcast else WAYS)[case.purpose]:
        if case.body.get("chat_only") and channel not in CHATS:
            continue
        if channel in case.tried or (channel in OFFICIAL_ACCOUNT_ONLY and not case.followed):
            continue
        for receiver in (case.receiver, *case.elsewhere):
            if way := MAKERS[channel](case, receiver, office, now):
                found.append(way)
                break
    return found


def _customer_service(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    if not _set_up("customer_service", receiver.account, "wechat/", office):
        return None
    texts = _parts(case, CUSTOMER_SERVICE_TEXT)
    if not receiver.window.holds(len(texts), now):
        return None
    return Way("customer_service", receiver.account, receiver.openid, texts, receiver.contact_id)


def _kf(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    if not _set_up("kf", receiver.account, "kf/", office):
        return None
    texts = _parts(case, KF_TEXT)
    if not receiver.window.holds(len(texts), now):
        return None
    first = case.letter.parts_sent
    return Way("kf", receiver.account, receiver.openid, texts, receiver.contact_id, first=first)


def _template(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    if not _set_up("template", receiver.account, "wechat/", office):
        return None
    purpose = case.body.get("template") or TEMPLATES.get(case.purpose, "")
    template = office.templates.get(receiver.account, {}).get(purpose)
    if template is None:
        return None
    facts = _template_facts(case, template, office)
    values = fill(template.fields, facts, office.zone, now)
    shown = "\n".join(filter(None, [template.title, *values.values()]))
    return Way(
        "template",
        receiver.account,
        receiver.openid,
        (shown,),
        receiver.contact_id,
        template=template.id,
        values=values,
        url=str(facts.get("url") or ""),
    )


def _template_facts(case: Case, template: PlatformTemplate, office: Office) -> dict[str, object]:
    """The letter's own facts, and what stands in for those it does not have."""
    name = case.patient_name
    given = {key: value for key, value in case.body.get("facts", {}).items() if value not in (None, "")}
    return {
        "subject": template.title,
        "person": name[:1] + "*" * (len(name) - 1),
        "place": office.facts.get("name", ""),
        "phone": office.facts.get("phone", ""),
        "note": case.body["text"],
        "number": str(case.letter.id),
    } | given


def _wecom(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    if not _set_up("wecom", receiver.account, "wecom/", office):
        return None
    return Way("wecom", receiver.account, receiver.openid, _parts(case, WECOM_TEXT), receiver.contact_id)


def _sms(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    """A short notice that holds nothing of anyone's health."""
    if "sms" not in office.channels or not case.phone or receiver is not case.receiver:
        return None
    about = case.body.get("template") or TEMPLATES.get(case.purpose, "")
    text = office.notice(about, case.language)
    return Way("sms", "sms", case.phone, (text,), receiver.contact_id, kind="notice")


def _mass(case: Case, receiver: Receiver, office: Office, now: datetime) -> Way | None:
    """群发: one of the four that a user may get in a month of the platform's calendar."""
    if not _set_up("mass", receiver.account, "wechat/", office):
        return None
    month = now.astimezone(QUOTA_ZONE).strftime("%Y-%m")
    had = [
        one for one in case.promoted if one.mass and one.at.astimezone(QUOTA_ZONE).strftime("%Y-%m") == month
    ]
    if len(had) >= MASS_A_MONTH:
        return None
    return Way("mass", receiver.account, receiver.openid, (same_for_all(case.body),), receiver.contact_id)


def same_for_all(body: Mapping[str, Any]) -> str:
    """What a letter says when many share a call: nothing that is meant for one of them alone."""
    return str(body.get("same") or body["text"])


MAKERS: Final[Mapping[str, Callable[[Case, Receiver, Office, datetime], Way | None]]] = {
    "customer_service": _customer_service,
    "kf": _kf,
    "template": _template,
    "wecom": _wecom,
    "sms": _sms,
    "mass": _mass,
}


def _set_up(channel: str, account: str, prefix: str, office: Office) -> bool:
    """A carrier serves one account, or with `*` every account of its platform."""
    served = f"{channel}:{account}" in office.channels or f"{channel}:*" in office.channels
    return served and account.startswith(prefix)


def _parts(case: Case, limit: int) -> tuple[str, ...]:
    """What is left to send of the text, in messages the platform takes."""
    return tuple(split(case.body["text"], limit))[case.letter.parts_sent :]


# Letters to an address: staff and phones


def _ways_to_address(case: Case, office: Office, now: datetime) -> list[Way]:
    scheme, _, to = (case.letter.address or "").partition(":")
    text = case.body["text"]
    ways = []
    if scheme == "wecom":
        account = next((name for name in office.channels if name.startswith("wecom:")), "")
        if account and "wecom" not in case.tried and _member_is_free(case, now) is None:
            ways.append(Way("wecom", account.removeprefix("wecom:"), to, _parts(case, WECOM_TEXT)))
        if case.phone:
            ways.append(Way("sms", "sms", case.phone, (text,), kind="alarm"))
    elif scheme in ("sms", "voice", "code"):
        alarm = case.purpose is Purpose.ALARM
        kind = ("alarm" if alarm else "notice") if scheme == "sms" else scheme
        ways.append(Way("sms", "sms", to, (text,), kind=kind))
    return [way for way in ways if way.channel not in case.tried and _open_for(way, office)]


def _open_for(way: Way, office: Office) -> bool:
    return way.channel != "sms" or "sms" in office.channels


def _member_is_free(case: Case, now: datetime) -> datetime | None:
    """When a WeCom member may get the next message; None: now. Beyond the rate messages vanish without an error."""
    if not (case.letter.address or "").startswith("wecom:"):
        return None
    for most, span in (
        (WECOM_MEMBER_PER_MINUTE, timedelta(minutes=1)),
        (WECOM_MEMBER_PER_HOUR, timedelta(hours=1)),
    ):
        within = [at for at in case.sent_lately if at > now - span]
        if len(within) >= most:
            return within[-most] + span
    return None


def one_more_sent(case: Case, now: datetime) -> Case:
    """The case of the next letter to the same member, after one more was decided to go."""
    return replace(case, sent_lately=(*case.sent_lately, now))
