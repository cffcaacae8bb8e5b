"""Who belongs to an audience, and what keeps somebody out of it: conditions over patients, run as one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from storage.queries.tickets import settled_since
from storage.rows import Rows
from storage.tables import (
    alerts,
    bindings,
    consents,
    contacts,
    departments,
    letters,
    patient_tags,
    patients,
    tickets,
    visits,
)

Condition: TypeAlias = sa.ColumnElement[bool]

HAPPENED: Final = ("done", "loss")  # the statuses of a visit that took place
A_YEAR: Final = timedelta(days=365)
REMEMBERED: Final = timedelta(days=400)  # a lost pregnancy, a death in the family
EMERGENCY_REMEMBERED: Final = timedelta(days=14)
COMPLAINT_REMEMBERED: Final = timedelta(days=30)
OPEN_COMPLAINT: Final = ("accepted", "closed")  # every other status is open
COUNTED: Final = ("queued", "held", "gathered", "sending", "sent", "delivered")

# Conditions


def tagged(names: Sequence[str], now: datetime) -> Condition:
    """Wears one of these tags now."""
    return patients.c.code.in_(
        sa.select(patient_tags.c.patient_code).where(
            patient_tags.c.tag.in_(list(names)),
            sa.or_(patient_tags.c.until.is_(None), patient_tags.c.until > now),
        )
    )


def born_between(after: date | None, until: date | None) -> Condition:
    """Born after one day, and not after another. Who has no birth date is not."""
    limits: list[Condition] = [patients.c.birth_date.is_not(None)]
    if after is not None:
        limits.append(patients.c.birth_date > after)
    if until is not None:
        limits.append(patients.c.birth_date <= until)
    return sa.and_(*limits)


def described(name: str, values: Sequence[str]) -> Condition:
    """The column (sex, region, source) holds one of these."""
    return patients.c[name].in_(list(values))


def vip_from(level: int) -> Condition:
    """Of this VIP level or above."""
    return sa.func.coalesce(patients.c.vip_level, 0) >= level


def visited(since: date, least: int, kinds: Sequence[str], department_codes: Sequence[str]) -> Condition:
    """Came at least so often since a day."""
    found = sa.select(visits.c.patient_code).where(visits.c.date >= since, visits.c.status.in_(HAPPENED))
    if kinds:
        found = found.where(visits.c.kind.in_(list(kinds)))
    if department_codes:
        found = found.where(visits.c.department_code.in_(list(department_codes)))
    if least > 1:
        found = found.group_by(visits.c.patient_code).having(sa.func.count() >= least)
    return patients.c.code.in_(found)


def value_rank_between(above: int, until: int, today: date) -> Condition:
    """Spends so much that the rank lies above one per cent of all patients and not above another (contract §5)."""
    standing = _standing(today)
    most, fewest = _per_cent(until, standing), _per_cent(above, standing)
    place = standing.c.m_rank
    return patients.c.code.in_(sa.select(standing.c.code).where(place > fewest, place <= most))


def scores_from(r: int, f: int, m: int, today: date) -> Condition:
    """Recency, frequency and money (5 is the best fifth of all patients) are at least these."""
    standing = _standing(today)
    count = standing.c.patients
    return patients.c.code.in_(
        sa.select(standing.c.code).where(
            sa.case((standing.c.last.is_(None), 1), else_=_fifth(standing.c.r_rank, count)) >= r,
            sa.case((standing.c.frequency == 0, 1), else_=_fifth(standing.c.f_rank, count)) >= f,
            sa.case((standing.c.amount == 0, 1), else_=_fifth(standing.c.m_rank, count)) >= m,
        )
    )


def is_bound(now: datetime) -> Condition:
    """Somebody speaks for the patient in WeChat or WeCom."""
    return patients.c.code.in_(sa.select(bindings.c.patient_code).where(_alive(now)))


def agreed(purpose: str) -> Condition:
    """The patient's latest word on a purpose is yes."""
    words = _last_words(purpose, consents.c.patient_code)
    return patients.c.code.in_(sa.select(words.c.who).where(words.c.granted))


def _standing(today: date) -> sa.Subquery:
    """Every patient's place in money, frequency and recency; the highest is 1, equal ones share the better place."""
    in_window = sa.and_(visits.c.date > today - A_YEAR)
    spent = (
        sa.select(
            visits.c.patient_code,
            sa.cast(sa.func.sum(sa.case((in_window, visits.c.amount_cents), else_=0)), sa.BigInteger).label(
                "amount"
            ),
            sa.func.sum(sa.case((in_window, 1), else_=0)).label("frequency"),
            sa.func.max(visits.c.date).label("last"),
        )
        .where(visits.c.status.in_(HAPPENED), visits.c.date <= today)
        .group_by(visits.c.patient_code)
        .subquery("spent")
    )
    amount = sa.func.coalesce(spent.c.amount, 0)
    frequency = sa.func.coalesce(spent.c.frequency, 0)
    return (
        sa.select(
            patients.c.code,
            amount.label("amount"),
            frequency.label("frequency"),
            spent.c.last,
            sa.func.rank().over(order_by=amount.desc()).label("m_rank"),
            sa.func.rank().over(order_by=frequency.desc()).label("f_rank"),
            sa.func.rank().over(order_by=spent.c.last.desc().nulls_last()).label("r_rank"),
            sa.func.count().over().label("patients"),
        )
        .select_from(patients.outerjoin(spent, spent.c.patient_code == patients.c.code))
        .subquery("standing")
    )


def _per_cent(share: int, standing: sa.Subquery) -> sa.ColumnElement[int]:
    """⌈share %⌉ of all patients, in whole numbers."""
    return (standing.c.patients * share + 99) // 100


def _fifth(rank: sa.ColumnElement[int], count: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return 5 - (rank - 1) * 5 // count


# Who falls out, and why


@dataclass(frozen=True, slots=True)
class Rules:
    """What keeps somebody from a message of a purpose."""

    purpose: str
    now: datetime
    today: date
    day_start: datetime  # of today, in the hospital
    month_start: datetime
    child_until: date  # born after it: only a guardian reads
    adult_until: date  # born after it: a minor
    sensitive: Sequence[str] = ()  # words in tags and departments that keep marketing away
    of_pregnancy: bool = False  # the message is about a pregnancy or a newborn child
    most_a_month: int = 2
    most_a_day: int = 1


def verdicts(members: Sequence[Condition], rules: Rules) -> sa.Subquery:
    """patient_code, contact_id of the reader, verdict (empty: gets it) for everybody who fulfils all conditions."""
    reader = _readers(members, rules)
    said_by_reader = _last_words(rules.purpose, consents.c.contact_id).alias("said_by_reader")
    said_of_patient = _last_words(rules.purpose, consents.c.patient_code).alias("said_of_patient")
    judged = (
        sa.select(
            patients.c.code.label("patient_code"),
            reader.c.contact_id,
            sa.case(
                *_reasons(rules, reader, said_by_reader.c.granted, said_of_patient.c.granted), else_=""
            ).label("verdict"),
        )
        .select_from(
            patients.outerjoin(reader, reader.c.patient_code == patients.c.code)
            .outerjoin(said_by_reader, said_by_reader.c.who == reader.c.contact_id)
            .outerjoin(said_of_patient, said_of_patient.c.who == patients.c.code)
        )
        .where(*members)
        .subquery("judged")
    )
    nth = sa.func.row_number().over(
        partition_by=(judged.c.contact_id, judged.c.verdict), order_by=judged.c.patient_code
    )
    numbered = sa.select(judged, nth.label("nth")).subquery("numbered")
    # Who speaks for several of them reads it once.
    verdict = sa.case(
        (sa.and_(numbered.c.verdict == "", numbered.c.nth > 1), "same_reader"), else_=numbered.c.verdict
    )
    return sa.select(numbered.c.patient_code, numbered.c.contact_id, verdict.label("verdict")).subquery(
        "verdicts"
    )


def _reasons(
    rules: Rules,
    reader: sa.Subquery,
    reader_said: sa.ColumnElement[bool],
    patient_said: sa.ColumnElement[bool],
) -> list[tuple[Condition, str]]:
    """In the order in which they count."""
    contact, code = reader.c.contact_id, patients.c.code
    marketing, care = rules.purpose == "marketing", rules.purpose == "care"
    found: list[tuple[Condition, str]] = [
        (sa.and_(patients.c.deceased_on.is_not(None), patients.c.deceased_on <= rules.today), "deceased")
    ]
    if not care or rules.of_pregnancy:
        found.append((sa.or_(code.in_(_lost(rules)), contact.in_(_losers(rules))), "pregnancy_loss"))
    if marketing:
        found += [
            (patients.c.birth_date > rules.adult_until, "minor"),
            (code.in_(_sensitive(rules.sensitive)), "sensitive"),
            (contact.in_(_bereaved(rules)), "bereaved"),
        ]
    found.append((contact.is_(None), "unbound"))
    found.append((sa.or_(reader_said.is_(False), patient_said.is_(False)), "opted_out"))
    if marketing:
        agrees = sa.or_(reader_said.is_(True), patient_said.is_(True), patients.c.marketing_consent)
        found.append((sa.not_(agrees), "no_consent"))
    found.append((contact.in_(_alarmed()), "open_alert"))
    if not care:
        found += [
            (contact.in_(_after_emergency(rules)), "after_emergency"),
            (sa.or_(contact.in_(_complaining()), code.in_(_complained())), "open_complaint"),
        ]
    if marketing:
        found += [
            (_complained_lately(rules, contact, code), "after_complaint"),
            (contact.in_(_had(rules.day_start, rules.most_a_day)), "cap_day"),
            (contact.in_(_had(rules.month_start, rules.most_a_month)), "cap_month"),
        ]
    return found


def _alive(now: datetime) -> Condition:
    return sa.and_(
        bindings.c.ended_at.is_(None), sa.or_(bindings.c.expires_at.is_(None), bindings.c.expires_at > now)
    )


def _readers(members: Sequence[Condition], rules: Rules) -> sa.Subquery:
    """Of each member the one user who reads: who follows, the patient first, WeChat first; a child's guardian."""
    best = sa.func.row_number().over(
        partition_by=bindings.c.patient_code,
        order_by=(
            sa.case((contacts.c.followed, 0), else_=1),
            sa.case((bindings.c.relation == "self", 0), else_=1),
            sa.case((contacts.c.account.like("wechat/%"), 0), else_=1),
            bindings.c.id,
        ),
    )
    child = sa.and_(patients.c.birth_date.is_not(None), patients.c.birth_date > rules.child_until)
    ranked = (
        sa.select(bindings.c.patient_code, bindings.c.contact_id, best.label("place"))
        .select_from(
            bindings.join(contacts, contacts.c.id == bindings.c.contact_id).join(
                patients, patients.c.code == bindings.c.patient_code
            )
        )
        # The members' conditions again: ranking the bindings of a million others would cost the most.
        .where(_alive(rules.now), sa.or_(~child, bindings.c.relation == "child"), *members)
        .subquery("ranked")
    )
    return sa.select(ranked.c.patient_code, ranked.c.contact_id).where(ranked.c.place == 1).subquery("reader")


def _last_words(purpose: str, who: sa.Column[Any]) -> sa.Subquery:
    """who, granted: the latest word of every user, or about every patient, on a purpose."""
    newest = sa.func.row_number().over(
        partition_by=who, order_by=(consents.c.at.desc(), consents.c.id.desc())
    )
    ranked = (
        sa.select(who.label("who"), consents.c.granted, newest.label("place"))
        .where(consents.c.purpose == purpose, who.is_not(None))
        .subquery()
    )
    return sa.select(ranked.c.who, ranked.c.granted).where(ranked.c.place == 1).subquery()


def _lost(rules: Rules) -> sa.Select[Any]:
    return sa.select(visits.c.patient_code).where(
        visits.c.status == "loss", visits.c.date >= rules.today - REMEMBERED
    )


def _losers(rules: Rules) -> sa.Select[Any]:
    """Users who speak for somebody who lost a pregnancy."""
    return sa.select(bindings.c.contact_id).where(
        bindings.c.ended_at.is_(None), bindings.c.patient_code.in_(_lost(rules))
    )


def _bereaved(rules: Rules) -> sa.Select[Any]:
    died = sa.select(patients.c.code).where(
        patients.c.deceased_on <= rules.today, patients.c.deceased_on >= rules.today - REMEMBERED
    )
    return sa.select(bindings.c.contact_id).where(
        bindings.c.ended_at.is_(None), bindings.c.patient_code.in_(died)
    )


def _sensitive(words: Sequence[str]) -> sa.Select[Any]:
    """Patients with a tag, or a visit to a department, of which one of the words is part."""
    by_tag = sa.select(patient_tags.c.patient_code).where(
        sa.or_(sa.false(), *(patient_tags.c.tag.contains(word, autoescape=True) for word in words))
    )
    wards = sa.select(departments.c.code).where(
        sa.or_(sa.false(), *(departments.c.name.contains(word, autoescape=True) for word in words))
    )
    by_visit = sa.select(visits.c.patient_code).where(visits.c.department_code.in_(wards))
    return sa.select(sa.union(by_tag, by_visit).subquery().c.patient_code)


def _alarmed() -> sa.Select[Any]:
    return sa.select(alerts.c.contact_id).where(
        alerts.c.level.in_(("E", "U")), alerts.c.status.in_(("open", "acknowledged", "asking"))
    )


def _after_emergency(rules: Rules) -> sa.Select[Any]:
    return sa.select(alerts.c.contact_id).where(
        alerts.c.level == "E", alerts.c.at > rules.now - EMERGENCY_REMEMBERED
    )


def _complaining() -> sa.Select[Any]:
    return sa.select(tickets.c.contact_id).where(
        tickets.c.kind == "complaint", tickets.c.status.not_in(OPEN_COMPLAINT)
    )


def _complained() -> sa.Select[Any]:
    return sa.select(tickets.c.patient_code).where(
        tickets.c.kind == "complaint",
        tickets.c.status.not_in(OPEN_COMPLAINT),
        tickets.c.patient_code.is_not(None),
    )


def _complained_lately(
    rules: Rules, contact: sa.ColumnElement[Any], code: sa.ColumnElement[Any]
) -> Condition:
    """Whose complaint was settled so lately that an advertisement would be an insult."""
    since = rules.now - COMPLAINT_REMEMBERED
    return sa.or_(
        contact.in_(settled_since(since, tickets.c.contact_id)),
        code.in_(settled_since(since, tickets.c.patient_code)),
    )


def _had(since: datetime, most: int) -> sa.Select[Any]:
    """Users who got, or will get, so many marketing messages since a moment."""
    return (
        sa.select(letters.c.contact_id)
        .where(
            letters.c.purpose == "marketing",
            letters.c.state.in_(COUNTED),
            letters.c.contact_id.is_not(None),
            sa.func.coalesce(letters.c.sent_at, letters.c.not_before, type_=letters.c.sent_at.type) >= since,
        )
        .group_by(letters.c.contact_id)
        .having(sa.func.count() >= most)
    )


# Asking


def count(connection: sa.Connection, members: Sequence[Condition]) -> int:
    """How many fulfil all conditions."""
    found: int = connection.execute(
        sa.select(sa.func.count()).select_from(patients).where(*members)
    ).scalar_one()
    return found


def waterfall(connection: sa.Connection, members: Sequence[Condition], rules: Rules) -> dict[str, int]:
    """How many get it (the empty reason), and how many fall out for which reason."""
    judged = verdicts(members, rules)
    rows = connection.execute(
        sa.select(judged.c.verdict, sa.func.count().label("size"))
        .group_by(judged.c.verdict)
        .order_by(judged.c.verdict)
    )
    return {row.verdict: row.size for row in rows}


def samples(connection: sa.Connection, members: Sequence[Condition], most: int) -> Rows:
    """A few of them: code, name, sex, birth_date."""
    return connection.execute(
        sa.select(patients.c.code, patients.c.name, patients.c.sex, patients.c.birth_date)
        .where(*members)
        .order_by(patients.c.code)
        .limit(most)
    ).all()
