"""Greetings: at ten, once, to the right people, with the right amount of cheer."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from bot.flows.greetings import Greeter, mourning, occasions
from bot.outbox.wording import Wording
from storage.tables import contacts, letters, patient_tags, patients
from tests.chat import ZONE
from tests.flows.conftest import Ward, at
from tests.hospital_folder import bound


async def greets(ward: Ward, moment: str) -> list[tuple[str, str]]:
    """Let the greeter look; (patient, occasion) of every greeting so far."""
    ward.clock.moment = at(moment)
    greeter = Greeter(Wording(ZONE), ZONE)
    while await ward.does(lambda db: greeter(db, ward.clock.now())):
        pass
    found = sa.select(letters).where(letters.c.purpose == "greeting").order_by(letters.c.id)
    rows = await ward.asks(lambda db: db.execute(found).all())
    return [(row.patient_code, row.step) for row in rows]


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 2, 17), ["春节"]),
        (date(2026, 3, 3), ["元宵"]),
        (date(2026, 3, 8), ["妇女节"]),
        (date(2026, 4, 5), []),  # 清明 is not greeted
        (date(2026, 5, 10), ["母亲节"]),
        (date(2026, 9, 25), ["中秋"]),
        (date(2027, 6, 20), ["父亲节"]),
        (date(2099, 1, 21), ["春节"]),
    ],
)
def test_the_festivals_of_a_day(day: date, names: list[str]) -> None:
    assert [one.name for one in occasions(day)] == names


async def test_nobody_is_greeted_before_ten_and_nobody_twice(ward: Ward) -> None:
    assert await greets(ward, "2027-02-06 09:59") == []
    assert await greets(ward, "2027-02-06 10:00") == [("P05", "春节")]
    assert await greets(ward, "2027-02-06 18:00") == [("P05", "春节")]


async def test_who_speaks_for_several_is_greeted_once_for_a_festival(ward: Ward) -> None:
    await ward.does(bound("oPatient", "P02", "child"))
    assert len(await greets(ward, "2027-02-06 10:30")) == 1


async def test_a_worker_that_slept_the_day_away_greets_no_more(ward: Ward) -> None:
    assert await greets(ward, "2027-02-06 21:00") == []
    assert await greets(ward, "2027-02-07 10:00") == []


async def test_womens_day_is_for_women_from_eighteen(ward: Ward) -> None:
    await ward.does(bound("oFather", "P01"))
    await ward.does(bound("oFather", "P02", "child"))
    assert await greets(ward, "2027-03-08 10:30") == [("P05", "妇女节")]


async def test_mothers_are_found_by_their_tag(ward: Ward) -> None:
    assert await greets(ward, "2027-05-09 10:30") == []
    await ward.does(lambda db: db.execute(patient_tags.insert().values(patient_code="P05", tag="妈妈")))
    assert await greets(ward, "2028-05-14 10:30") == [("P05", "母亲节")]


async def test_childrens_day_goes_to_who_speaks_for_the_child(ward: Ward) -> None:
    await ward.does(bound("oFather", "P02", "child"))
    assert ("P02", "儿童节") in await greets(ward, "2027-06-01 10:30")


async def test_a_birthday_on_a_day_of_mourning_is_greeted_quietly(ward: Ward) -> None:
    assert mourning(date(2027, 4, 5))
    born = patients.update().where(patients.c.code == "P05").values(birth_date=date(1990, 4, 5))
    await ward.does(lambda db: db.execute(born))
    assert await greets(ward, "2027-04-05 10:30") == [("P05", "生日")]
    text = (await ward.asks(lambda db: db.execute(sa.select(letters)).one())).body["text"]
    assert "平安" in text
    assert "快乐" not in text


async def test_a_lunar_birthday_is_kept_by_the_lunar_calendar(ward: Ward) -> None:
    values = {"birth_date": date(1990, 11, 30), "lunar_birthday": True}  # 十月十四
    await ward.does(lambda db: db.execute(patients.update().where(patients.c.code == "P05").values(**values)))
    assert await greets(ward, "2026-11-30 10:30") == []
    assert await greets(ward, "2026-11-22 10:30") == [("P05", "生日")]


async def test_opting_out_stops_greetings(ward: Ward) -> None:
    await ward.says("退订")
    assert await greets(ward, "2027-02-06 10:30") == []


async def test_the_dead_are_not_greeted(ward: Ward) -> None:
    await ward.dies(day="2026-12-01")
    assert await greets(ward, "2027-02-06 10:30") == []


async def test_a_lost_pregnancy_silences_birthdays_and_mothers_day(ward: Ward) -> None:
    await ward.visit(day="2027-01-10", status="loss")
    await ward.does(lambda db: db.execute(patient_tags.insert().values(patient_code="P05", tag="妈妈")))
    assert await greets(ward, "2027-05-09 10:30") == []


async def greeted(ward: Ward, moment: str) -> list[tuple[str, str]]:
    """(patient, user) of every greeting to a festival."""
    await greets(ward, moment)
    found = sa.select(letters.c.patient_code, contacts.c.openid).join(contacts).order_by(letters.c.id)
    festivals = found.where(letters.c.purpose == "greeting", letters.c.step != "生日")
    rows = await ward.asks(lambda db: db.execute(festivals).all())
    return [(row.patient_code, row.openid) for row in rows]


async def test_who_speaks_for_others_is_greeted_for_themselves(ward: Ward) -> None:
    await ward.does(bound("oPatient", "P02", "child"))  # P02 comes before P05, who is oPatient
    assert await greeted(ward, "2027-02-06 10:30") == [("P05", "oPatient")]


async def test_everybody_who_speaks_for_somebody_is_greeted_at_a_festival_of_all(ward: Ward) -> None:
    await ward.does(bound("oHusband", "P05", "spouse"))
    assert await greeted(ward, "2027-02-06 10:30") == [("P05", "oPatient"), ("P05", "oHusband")]


async def test_both_parents_are_greeted_on_the_day_of_children(ward: Ward) -> None:
    await ward.does(bound("oPatient", "P02", "child"))
    await ward.does(bound("oFather", "P02", "child"))
    await ward.does(bound("oAunt", "P02", "other"))
    assert await greeted(ward, "2027-06-01 10:30") == [("P02", "oPatient"), ("P02", "oFather")]


async def test_a_womans_day_is_hers(ward: Ward) -> None:
    await ward.does(bound("oHusband", "P05", "spouse"))
    assert await greeted(ward, "2027-03-08 10:30") == [("P05", "oPatient")]
