"""Segments: every condition against rows that do and do not fulfil it, and everybody who falls out with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from bot.domain.letter import Purpose
from bot.hospital import segments, tiers
from bot.hospital.segments import (
    Age,
    Agreed,
    Bound,
    Described,
    NotTagged,
    NotVisited,
    Preview,
    Rfm,
    Segment,
    Tagged,
    Tier,
    Vip,
    Visited,
)
from storage.queries import segments as rows
from storage.tables import alerts, consents, departments, letters, patient_tags, patients, tickets, visits
from tests.chat import ZONE, Chat
from tests.hospital_folder import bound, contact, open_hospital

TODAY = date(2026, 11, 18)
A_DAY = timedelta(days=1)


async def found(chat: Chat, *conditions: Any) -> list[str]:
    """The codes of the members."""
    members = segments.compiled(Segment(conditions), chat.clock.now(), ZONE)
    return [row.code for row in await chat.asks(lambda db: rows.samples(db, members, 100))]


async def tag(chat: Chat, code: str, name: str, until: datetime | None = None) -> None:
    await chat.inserts(patient_tags, patient_code=code, tag=name, until=until)


async def visit(chat: Chat, code: str, days_ago: int, cents: int = 0, **values: Any) -> None:
    number = await chat.asks(
        lambda db: db.execute(sa.select(sa.func.count()).select_from(visits)).scalar_one()
    )
    row = {
        "code": f"V{number}",
        "patient_code": code,
        "date": TODAY - days_ago * A_DAY,
        "amount_cents": cents,
    }
    await chat.inserts(visits, **row, **values)


async def test_tags(chat: Chat) -> None:
    await chat.does(open_hospital)
    await tag(chat, "P01", "会员")
    await tag(chat, "P03", "会员", until=chat.clock.now() - A_DAY)
    await tag(chat, "P05", "员工")

    assert await found(chat, Tagged(("会员", "员工"))) == ["P01", "P05"]
    assert await found(chat, Tagged(("会员",)), NotTagged(("员工",))) == ["P01"]
    assert "P01" not in await found(chat, NotTagged(("会员",)))


async def test_what_the_record_says(chat: Chat) -> None:
    await chat.does(open_hospital)
    await chat.does(
        lambda db: db.execute(
            patients.update()
            .where(patients.c.code == "P05")
            .values(vip_level=3, region="西湖", source="体检")
        )
    )

    assert await found(chat, Described("sex", ("F",)), Age(at_least=18, below=40)) == ["P05", "P06"]
    assert await found(chat, Described("region", ("西湖",)), Described("source", ("体检",))) == ["P05"]
    assert await found(chat, Vip(3)) == ["P05"]
    assert await found(chat, Vip(4)) == []


@pytest.mark.parametrize(("age", "is_in"), [(41, True), (42, False), (40, True)])
async def test_an_age_changes_on_the_birthday(chat: Chat, age: int, is_in: bool) -> None:
    await chat.inserts(patients, code="B", name="甲", birth_date=TODAY.replace(year=TODAY.year - 41))
    await chat.inserts(patients, code="N", name="乙")  # no birth date: no age

    assert await found(chat, Age(at_least=age)) == (["B"] if is_in else [])


async def test_visits(chat: Chat) -> None:
    await chat.does(open_hospital)
    await visit(chat, "P01", 10, kind="exam")
    await visit(chat, "P01", 20, department_code="GK", kind="outpatient")
    await visit(chat, "P03", 100, kind="outpatient")
    await visit(chat, "P05", 5, status="cancelled")

    assert await found(chat, Visited(30)) == ["P01"]
    assert await found(chat, Visited(365, at_least=2)) == ["P01"]
    assert await found(chat, Visited(365, kinds=("outpatient",))) == ["P01", "P03"]
    assert await found(chat, Visited(365, departments=("GK",))) == ["P01"]
    assert await found(chat, Visited(365), NotVisited(90)) == ["P03"]


@tuned(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(0, 5), min_size=1, max_size=60))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_tiers_and_scores_are_those_of_the_portrait(chat: Chat, amounts: Sequence[int]) -> None:
    """One rule in two places, in Python and in the database: they never disagree."""

    def arrange(db: sa.Connection) -> None:
        db.execute(visits.delete())
        db.execute(patients.delete())
        for number, amount in enumerate(amounts):
            db.execute(patients.insert().values(code=f"T{number:03}", name="甲"))
            for visited in range(amount):
                row = {"code": f"{number}-{visited}", "patient_code": f"T{number:03}", "amount_cents": amount}
                db.execute(visits.insert().values(**row, date=TODAY - (amount * 40) * A_DAY))

    await chat.does(arrange)
    standings = await chat.asks(lambda db: tiers.values(db, TODAY))
    for name in ("VIP", "main", "normal", "small"):
        expected = [one.patient for one in standings if one.tier == name]
        assert await found(chat, Tier((name,))) == expected
    for r, f, m in ((3, 1, 1), (1, 4, 1), (1, 1, 5), (2, 2, 2)):
        expected = [one.patient for one in standings if one.r >= r and one.f >= f and one.m >= m]
        assert await found(chat, Rfm(r, f, m)) == expected  # type: ignore[arg-type]


async def test_consent_and_binding(chat: Chat) -> None:
    await chat.does(open_hospital)
    await chat.does(bound("o1", "P01"))
    for hours, granted in ((2, True), (1, False)):
        moment = chat.clock.now() - timedelta(hours=hours)
        await chat.inserts(consents, patient_code="P03", purpose="marketing", granted=granted, at=moment)
    await chat.inserts(consents, patient_code="P05", purpose="marketing", granted=True, at=chat.clock.now())

    assert await found(chat, Agreed("marketing")) == ["P05"]
    assert await found(chat, Bound()) == ["P01"]
    assert "P01" not in await found(chat, Bound(False))


# Who falls out


async def preview(chat: Chat, purpose: Purpose = Purpose.MARKETING, *conditions: Any) -> Preview:
    now = chat.clock.now()
    return await chat.asks(lambda db: segments.preview(db, Segment(conditions), purpose, now, ZONE))


async def adult(chat: Chat, code: str = "X", openid: str = "oX", **values: Any) -> int:
    """A grown-up who is bound and agrees to marketing: nothing speaks against a message. The contact's number."""
    await chat.inserts(patients, code=code, name="王小明", **{"marketing_consent": True, **values})
    await chat.does(bound(openid, code))
    return await chat.does(lambda db: contact(db, openid))


async def test_nothing_speaks_against_it(chat: Chat) -> None:
    await adult(chat, sex="M", birth_date=date(1980, 1, 1))

    assert await preview(chat) == Preview(1, 1, {}, ["王*明｜男｜46岁"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"deceased_on": TODAY}, "deceased"),
        ({"birth_date": date(2010, 1, 1)}, "minor"),
        ({"marketing_consent": False}, "no_consent"),
        ({"deceased_on": TODAY, "marketing_consent": False}, "deceased"),
    ],
)
async def test_reasons_of_the_patient(chat: Chat, values: dict[str, Any], reason: str) -> None:
    await adult(chat, **values)
    assert (await preview(chat)).withheld == {reason: 1}


async def test_who_is_not_bound(chat: Chat) -> None:
    await chat.inserts(patients, code="X", name="甲", marketing_consent=True)
    assert (await preview(chat)).withheld == {"unbound": 1}


@pytest.mark.parametrize("purpose", [Purpose.MARKETING, Purpose.GREETING, Purpose.CARE])
async def test_who_said_stop(chat: Chat, purpose: Purpose) -> None:
    number = await adult(chat)
    row = {"purpose": purpose.value, "granted": False, "at": chat.clock.now()}
    await chat.inserts(consents, contact_id=number, **row)
    assert (await preview(chat, purpose)).withheld == {"opted_out": 1}


@pytest.mark.parametrize(
    ("purpose", "withheld"),
    [
        (Purpose.MARKETING, {"open_alert": 1}),
        (Purpose.CARE, {"open_alert": 1}),
        (Purpose.GREETING, {"open_alert": 1}),
    ],
)
async def test_an_open_alarm(chat: Chat, purpose: Purpose, withheld: dict[str, int]) -> None:
    number = await adult(chat)
    await chat.inserts(alerts, at=chat.clock.now(), contact_id=number, level="U", status="acknowledged")
    assert (await preview(chat, purpose)).withheld == withheld


@pytest.mark.parametrize(("days", "withheld"), [(13, {"after_emergency": 1}), (15, {})])
async def test_two_weeks_after_an_emergency(chat: Chat, days: int, withheld: dict[str, int]) -> None:
    number = await adult(chat)
    moment = chat.clock.now() - days * A_DAY
    await chat.inserts(alerts, at=moment, contact_id=number, level="E", status="closed")
    assert (await preview(chat)).withheld == withheld
    assert (await preview(chat, Purpose.CARE)).withheld == {}


@pytest.mark.parametrize(("state", "withheld"), [("replied", {"open_complaint": 1}), ("closed", {})])
async def test_a_complaint(chat: Chat, state: str, withheld: dict[str, int]) -> None:
    number = await adult(chat)
    await chat.inserts(tickets, at=chat.clock.now(), contact_id=number, kind="complaint", status=state)
    assert (await preview(chat)).withheld == withheld
    assert (await preview(chat, Purpose.CARE)).withheld == {}


@pytest.mark.parametrize(("days", "withheld"), [(29, {"after_complaint": 1}), (31, {})])
async def test_a_complaint_settled_lately(chat: Chat, days: int, withheld: dict[str, int]) -> None:
    number = await adult(chat)
    settled = chat.clock.now() - days * A_DAY
    row = {"at": settled - 9 * A_DAY, "contact_id": number, "kind": "complaint", "closed_at": settled}
    await chat.inserts(tickets, status="accepted", **row)
    assert (await preview(chat)).withheld == withheld
    assert (await preview(chat, Purpose.GREETING)).withheld == {}


async def test_a_lost_pregnancy(chat: Chat) -> None:
    await adult(chat)
    await tag(chat, "X", "孕妇")
    await visit(chat, "X", 100, status="loss")

    assert (await preview(chat)).withheld == {"pregnancy_loss": 1}
    assert (await preview(chat, Purpose.CARE)).withheld == {}
    assert (await preview(chat, Purpose.CARE, Tagged(("孕妇",)))).withheld == {"pregnancy_loss": 1}


async def test_who_mourns(chat: Chat) -> None:
    await adult(chat)
    await chat.inserts(patients, code="Y", name="乙", deceased_on=TODAY - 30 * A_DAY)
    await chat.does(bound("oX", "Y", "parent"))
    assert (await preview(chat)).withheld == {"bereaved": 1, "deceased": 1}


async def test_what_is_too_private_for_marketing(chat: Chat) -> None:
    await adult(chat)
    await adult(chat, "Y", "oY")
    await tag(chat, "X", "肿瘤随访")
    await chat.inserts(departments, code="JS", name="精神科")
    await visit(chat, "Y", 10, department_code="JS")
    assert (await preview(chat)).withheld == {"sensitive": 2}


@pytest.mark.parametrize(
    ("days", "times", "withheld"),
    [(0, 1, {"cap_day": 1}), (1, 1, {}), (5, 2, {"cap_month": 1}), (20, 2, {})],
)
async def test_caps(chat: Chat, days: int, times: int, withheld: dict[str, int]) -> None:
    number = await adult(chat)
    moment = chat.clock.now() - days * A_DAY
    for time in range(times):
        row = {
            "key": f"k{time}",
            "contact_id": number,
            "purpose": "marketing",
            "priority": 5,
            "state": "sent",
        }
        row |= {"body": {"text": "…"}, "created_at": moment, "not_before": moment, "sent_at": moment}
        await chat.inserts(letters, **row)
    assert (await preview(chat)).withheld == withheld


async def test_who_reads_for_several_reads_it_once(chat: Chat) -> None:
    await adult(chat)
    await chat.inserts(patients, code="Y", name="乙", marketing_consent=True)
    await chat.does(bound("oX", "Y", "parent"))
    assert (await preview(chat)).withheld == {"same_reader": 1}


async def test_a_child_is_written_about_to_its_guardian_alone(chat: Chat) -> None:
    for code, relation in (("C", "child"), ("D", "other")):
        await chat.inserts(patients, code=code, name="丙", birth_date=date(2020, 1, 1))
        await chat.does(bound(f"o{code}", code, relation))
    told = await preview(chat, Purpose.CARE)
    assert (told.reached, told.withheld) == (1, {"unbound": 1})


# What must not be asked


async def test_marketing_by_diagnosis_needs_its_own_consent() -> None:
    by_illness = Segment((Tagged(("会员", "2型糖尿病")),))

    with pytest.raises(segments.SegmentRefused, match="2型糖尿病"):
        segments.check(by_illness, Purpose.MARKETING)

    segments.check(by_illness, Purpose.CARE)
    agreed = Segment((*by_illness.all_of, Agreed(segments.HEALTH_MARKETING)))
    segments.check(agreed, Purpose.MARKETING)


def test_a_segment_is_stored_and_read_aloud() -> None:
    segment = Segment(
        (
            Tagged(("会员", "员工")),
            Age(at_least=60),
            Visited(365, at_least=2, kinds=("outpatient",)),
            NotVisited(30),
            Tier(("VIP", "main")),
            Bound(),
        )
    )
    assert segments.load(segments.dump(segment)) == segment
    assert segments.describe(segment) == (
        "有标签“会员”或“员工”，且60岁及以上，且近365天门诊至少2次，且近30天没有就诊，且价值等级为“VIP”或“主要”，且已绑定"
    )
    assert segments.describe(Segment()) == "全部患者"
