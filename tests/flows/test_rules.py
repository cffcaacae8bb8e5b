"""The rules every plan keeps, one named test each; the numbers are those of the product's list of rules."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.conversation import desk
from bot.domain.clock import StoppedClock
from bot.flows import PLANS
from bot.flows.engine import migration, pausing
from bot.flows.plan import Plan, Repeat, Risk, Step, add_months, contacts
from bot.outbox.wording import MESSAGES, Wording
from storage.tables import alerts, letters, patient_tags, plan_decisions, plan_instances, touches
from storage.tables import contacts as contact_rows
from tests.chat import ZONE
from tests.flows.conftest import Ward, at
from tests.hospital_folder import bound, contact

BERLIN = ZoneInfo("Europe/Berlin")  # has summer time, as Shanghai once had


def plan(*steps: Step, **more: object) -> Plan:
    """A plan of these steps alone."""
    values = {"id": "trial", "version": 1, "risk": Risk.NORMAL, "episode": "procedure"} | more
    return Plan(steps=steps, **values)  # type: ignore[arg-type]


def moments(
    some: Plan, anchor: datetime, zone: ZoneInfo = ZONE, until: datetime | None = None
) -> list[datetime]:
    return [due.at.astimezone(zone) for due in contacts(some, anchor, zone, seed="P/E", until=until)]


# Computing the time


def test_rule_01_days_follow_the_calendar_and_hours_are_exact() -> None:
    anchor = datetime(2026, 10, 24, 10, tzinfo=BERLIN)  # the clocks go back in the night
    by_calendar, exact = moments(
        plan(Step("a", 1, time(10), jitter=False), Step("b", at=None, after=timedelta(hours=24))),
        anchor,
        BERLIN,
    )
    assert by_calendar.astimezone(UTC) - anchor.astimezone(UTC) == timedelta(hours=25)
    assert exact.astimezone(UTC) - anchor.astimezone(UTC) == timedelta(hours=24)


def test_rule_02_seconds_are_rounded_up_to_the_minute() -> None:
    anchor = at("2026-11-18 10:00") + timedelta(seconds=1)
    assert moments(plan(Step("a", at=None, after=timedelta(hours=2))), anchor) == [at("2026-11-18 12:01")]


def test_rule_03_the_hour_of_a_step_replaces_the_anchors() -> None:
    assert moments(plan(Step("a", 3, time(10), jitter=False)), at("2026-11-18 23:50")) == [
        at("2026-11-21 10:00")
    ]


async def test_rule_04_without_an_anchor_nothing_is_due(ward: Ward) -> None:
    await ward.visit(kind="inpatient", discharged_on=None)
    await ward.looks("2026-11-18 10:30")
    assert [row.plan for row in await ward.instances()] == []


async def test_rule_05_what_is_past_is_recorded_and_not_sent(ward: Ward) -> None:
    await ward.operation(day="2026-11-14")
    await ward.looks("2026-11-18 10:30")
    reasons = await ward.reasons()
    assert (reasons["d0"], reasons["d1"], reasons["d3"]) == ("expired past",) * 3
    assert await ward.steps() == []


async def test_rule_06_an_evening_contact_before_a_late_operation_is_left_out(ward: Ward) -> None:
    await ward.operation(day="2026-11-18", time=time(20, 30))
    await ward.looks("2026-11-18 19:40")
    assert await ward.steps() == []
    assert "d0" not in await ward.touches()


def test_rule_07_the_31st_comes_back_after_a_short_month() -> None:
    monthly = plan(Step("a", at=time(10), repeat=Repeat(months=1), jitter=False))
    days = [one.date() for one in moments(monthly, at("2027-01-31 00:00"), until=at("2027-05-01 00:00"))]
    assert days == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)


def test_rule_08_weekdays_are_those_of_the_hospital() -> None:
    monday = plan(Step("a", 1, time(7), weekday=0, jitter=False))
    assert moments(monday, at("2026-11-18 00:00")) == [at("2026-11-23 07:00")]  # in London still Sunday


async def test_rule_09_a_night_that_crosses_midnight_holds_back(ward: Ward) -> None:
    await ward.operation(day="2026-11-18")
    await ward.looks("2026-11-18 18:00")
    for moment in ("2026-11-18 21:30", "2026-11-19 00:30", "2026-11-19 07:55"):
        await ward.looks(moment)
        assert await ward.steps() == []


# Re-scheduling


async def test_rule_10_a_moved_anchor_moves_what_is_pending(ward: Ward) -> None:
    await ward.operation(day="2026-11-20")
    await ward.looks("2026-11-18 10:30")
    await ward.operation(day="2026-11-25")
    await ward.looks("2026-11-18 11:00")
    assert (await ward.touches())["d3"].due_at.astimezone(ZONE).date() == date(2026, 11, 28)
    await ward.lives_through("2026-11-20 08:00", "2026-11-25 12:00", every=timedelta(hours=3))
    assert "abdominal/d0" not in await ward.steps()


async def test_rule_11_a_cancelled_operation_sends_nothing_more(ward: Ward) -> None:
    await ward.operation(day="2026-11-21", status="planned")
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == ["preop/t3"]
    await ward.operation(day="2026-11-21", status="cancelled")
    await ward.looks("2026-11-18 12:00")
    assert "原手术时间已取消" in await ward.last_text()
    await ward.lives_through("2026-11-19 08:00", "2026-11-25 12:00", every=timedelta(hours=6))
    assert await ward.steps() == ["preop/t3", "preop/called_off"]
    assert {row.state for row in await ward.instances()} == {"stopped"}


async def test_rule_12_who_bears_the_tag_no_more_is_asked_no_more(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.looks("2026-11-19 08:30")
    assert await ward.steps() == ["hypertension/daily"]
    ended = patient_tags.update().values(until=at("2026-11-19 12:00"))
    await ward.does(lambda db: db.execute(ended))
    await ward.looks("2026-11-20 08:30")
    assert await ward.steps() == ["hypertension/daily"]


async def test_rule_13_a_plan_that_was_withdrawn_fires_no_more(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    ward.plans = {key: one for key, one in PLANS.items() if one.id != "cataract"}
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []
    assert (await ward.reasons())["d1"] == "withheld plan_withdrawn"


async def test_rule_16_unsigned_plans_are_withheld_where_a_signature_is_needed(ward: Ward) -> None:
    ward.unsigned_run = False
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert (await ward.reasons())["d1"] == "withheld unsigned"


async def test_rule_17_another_hour_of_the_same_day_repeats_nothing(ward: Ward) -> None:
    await ward.operation(day="2026-11-21", status="planned")
    await ward.looks("2026-11-18 10:30")
    await ward.operation(day="2026-11-21", status="planned", time=time(14))
    await ward.looks("2026-11-18 12:00")
    assert await ward.steps() == ["preop/t3"]


async def test_rule_17_a_reminder_is_repeated_as_moved_and_care_is_not(ward: Ward) -> None:
    await ward.operation(day="2026-11-21", status="planned")
    await ward.looks("2026-11-18 10:30")
    await ward.says("2")
    await ward.operation(day="2026-11-24", status="planned")
    await ward.looks("2026-11-18 12:00")
    await ward.looks("2026-11-21 10:30")
    assert [step for step in await ward.steps() if step == "preop/t3"] == ["preop/t3", "preop/t3"]
    assert "改期" in await ward.last_text()


async def test_rule_18_two_operations_are_two_instances_and_one_twice_is_one(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-18")
    await ward.looks("2026-11-18 10:30")
    await ward.operation("cataract", day="2026-11-18")
    await ward.operation("cataract", day="2026-12-02", code="OP2")
    await ward.looks("2026-11-18 10:31")
    kept = [(row.plan, row.episode) for row in await ward.instances() if row.plan == "cataract"]
    assert kept == [("cataract", "procedure:OP1"), ("cataract", "procedure:OP2")]


async def test_rule_19_cancelling_one_operation_leaves_the_other(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-18")
    await ward.operation("cataract", day="2026-12-02", code="OP2")
    await ward.looks("2026-11-18 10:30")
    await ward.operation("cataract", day="2026-12-02", code="OP2", status="cancelled")
    await ward.looks("2026-11-18 10:31")
    states = {row.episode: row.state for row in await ward.instances() if row.plan == "cataract"}
    assert states == {"procedure:OP1": "running", "procedure:OP2": "stopped"}


# Firing


async def test_rule_20_the_same_contact_is_one_row_and_one_letter(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    for _ in range(3):
        await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_23_after_an_outage_the_useful_goes_out_and_the_rest_is_expired(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.looks("2026-11-20 15:00")
    assert await ward.steps() == ["abdominal/d3"]
    assert (await ward.reasons())["d1"] == "expired too_late"


async def test_rule_24_a_repeating_plan_fires_once_after_an_outage(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.looks("2026-11-18 12:00")
    await ward.looks("2026-11-25 09:00")
    assert await ward.steps() == ["hypertension/daily"]


async def test_rule_25_everything_is_checked_again_when_the_time_has_come(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.dies(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []
    assert {(row.state, row.reason) for row in await ward.instances()} == {("stopped", "deceased")}


async def test_rule_25_a_new_stay_in_hospital_ends_the_plan(ward: Ward) -> None:
    await ward.operation(day="2026-11-10")
    await ward.looks("2026-11-16 12:00")
    await ward.visit("V9", day="2026-11-16", kind="inpatient")
    await ward.looks("2026-11-17 10:30")
    assert (await ward.reasons())["d7"] == "withheld readmitted"
    assert (await ward.instances())[0].reason == "readmitted"


async def test_rule_25_an_open_danger_sign_holds_care_back(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.says("我胸口疼得厉害，喘不上气")
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []
    assert (await ward.touches())["d1"].reason == "open_alert"
    await ward.does(lambda db: db.execute(alerts.update().values(status="closed")))
    await ward.looks("2026-11-18 12:00")
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_26_on_an_ordinary_day_there_is_one_contact_the_riskiest(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.operation(day="2026-11-17")
    await ward.lives_through("2026-11-18 10:00", "2026-11-20 20:00", every=timedelta(minutes=30))
    sent = [row for row in await ward.letters() if row.purpose == "care"]
    by_day = [row.created_at.astimezone(ZONE).date() for row in sent if "再问一次" not in row.body["text"]]
    assert sorted(by_day) == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
    on_friday = [f"{row.plan}/{row.step}" for row in sent if row.created_at > at("2026-11-20 07:00")]
    assert on_friday[:1] == ["abdominal/d3"]


async def test_rule_27_a_lighter_question_waits_for_the_open_one(ward: Ward) -> None:
    await ward.does(bound("oPatient", "P01", "spouse"))
    await ward.operation(day="2026-11-17")
    await ward.operation("cataract", day="2026-11-17", patient="P01", code="OP2")
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps("P05") == ["abdominal/d1"]
    assert await ward.steps("P01") == []
    await ward.says("3")
    await ward.says("1")
    await ward.looks("2026-11-18 11:30")
    assert await ward.steps("P01") == ["cataract/d1"]


async def test_rule_28_one_question_at_a_time_in_the_order_of_the_step(ward: Ward) -> None:
    await ward.operation(day="2026-11-15")
    await ward.looks("2026-11-18 10:30")
    assert "肚子" in await ward.last_text()
    assert "体温" in await ward.says("1")
    assert "伤口" in await ward.says("1")
    assert "排气排便" in await ward.says("1")
    assert "谢谢" in await ward.says("1")


# Replies, waits, opt-out


async def test_rule_31_an_answer_ends_the_waiting(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.says("3")
    await ward.says("1")
    await ward.lives_through("2026-11-18 11:00", "2026-11-19 12:00")
    assert await ward.steps() == ["abdominal/d1"]
    assert "silence" not in await ward.tasks()


async def test_rule_33_silence_at_high_risk_becomes_a_nurses_call(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.lives_through("2026-11-18 10:30", "2026-11-18 20:30")
    assert await ward.steps() == ["abdominal/d1", "abdominal/d1"]
    assert "再问一次" in await ward.last_text()
    assert await ward.tasks() == ["silence"]


async def test_rule_33_a_silent_first_day_at_high_risk_is_a_task_even_after_an_outage(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.looks("2026-11-19 12:00")
    assert await ward.tasks() == ["silence"]


async def test_rule_33_after_three_silent_contacts_we_ask_whether_to_go_on(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.lives_through("2026-11-17 18:00", "2026-11-23 12:00")
    steps = await ward.steps()
    assert steps[-1] == "cataract/go_on"
    assert "silence" not in await ward.tasks()
    assert (await ward.instances())[0].state == "asking"
    assert "不再发送" in await ward.says("2")
    assert (await ward.instances())[0].reason == "not_wanted"


async def test_rule_31_a_question_is_silent_only_once(ward: Ward) -> None:
    await ward.tag("高血压")
    await ward.lives_through("2026-11-19 08:30", "2026-11-24 20:00", every=timedelta(hours=12))
    silent = sa.select(plan_decisions.c.touch_id).where(plan_decisions.c.decision == "silent")
    rows = await ward.asks(lambda db: db.execute(silent).scalars().all())
    assert rows
    assert len(rows) == len(set(rows))


async def test_rule_34_a_late_answer_still_counts(ward: Ward) -> None:
    await ward.operation(day="2026-11-15")
    await ward.lives_through("2026-11-18 10:30", "2026-11-20 20:00", every=timedelta(hours=2))
    ward.clock.moment = at("2026-11-21 09:00")
    assert await ward.says("3") != ""
    assert ("U", "belly") in await ward.alerts()


async def test_rule_35_while_a_nurse_speaks_plans_are_silent(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 09:00")
    number = await ward.does(lambda db: contact(db, "oPatient"))
    await ward.does(lambda db: desk.take(db, number, "li"))
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []
    await ward.does(lambda db: desk.release(db, number, "li", ward.chat.reception.wording, ward.clock.now()))
    await ward.looks("2026-11-18 11:30")
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_36_who_said_stop_gets_no_more_care(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 09:00")
    await ward.says("停止随访")
    await ward.looks("2026-11-18 10:30")
    assert (await ward.reasons())["d1"] == "withheld no_consent"
    assert await ward.steps() == []


async def test_rule_37_writing_again_is_no_consent(ward: Ward) -> None:
    await ward.says("停止随访")
    await ward.says("你好")
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    assert await ward.steps() == []


async def test_rule_38_following_again_brings_no_burst(ward: Ward) -> None:
    await ward.operation("tonsil", day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.does(lambda db: db.execute(contact_rows.update().values(followed=False)))
    await ward.does(lambda db: db.execute(contact_rows.update().values(followed=True)))
    await ward.looks("2026-11-22 10:30")
    assert await ward.steps() == ["tonsil/d5"]


async def test_rule_40_who_began_with_a_version_keeps_it(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    old = next(one for one in PLANS.values() if one.id == "cataract")
    new = plan(Step("new_d2", 2, questions=("feel",)), id="cataract", version=2, labels=old.labels)
    ward.plans = {**PLANS, new.key: new}
    await ward.operation("cataract", day="2026-11-18", code="OP2")
    await ward.looks("2026-11-18 10:30")
    versions = {row.episode: row.version for row in await ward.instances() if row.plan == "cataract"}
    assert versions == {"procedure:OP1": 1, "procedure:OP2": 2}
    assert await ward.steps() == ["cataract/d1"]


async def test_rule_40_migration_is_explicit_and_repeats_nothing(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    old = next(one for one in PLANS.values() if one.id == "cataract")
    steps = (Step("d1", 1, questions=("vision",)), Step("d2", 2, questions=("vision",)))
    new = plan(*steps, id="cataract", version=2, labels=old.labels)
    ward.plans = {**PLANS, new.key: new}
    now = ward.clock.now()
    preview = await ward.asks(lambda db: migration.affected(db, "cataract", 2))
    assert [row.patient_code for row in preview] == ["P05"]
    await ward.does(lambda db: migration.migrate(db, now, ZONE, ward.plans, "cataract", 2))
    await ward.lives_through("2026-11-18 11:00", "2026-11-20 12:00", every=timedelta(hours=3))
    assert list(dict.fromkeys(await ward.steps())) == ["cataract/d1", "cataract/d2"]  # d2 twice: asked again


async def test_rule_43_an_import_again_repeats_nothing(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:40")
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_44_every_decision_is_in_the_ledger(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.operation(day="2026-11-16")
    await ward.says("停止随访")
    await ward.looks("2026-11-19 10:30")
    decisions = await ward.decisions()
    assert "started abdominal v1" in decisions
    assert "sent" in decisions
    assert any(one.startswith("moved 2026-11-17 09:00 to 2026-11-16") for one in decisions)
    assert "withheld no_consent" in decisions


async def test_rule_45_ninety_days_in_less_than_a_second(ward: Ward, clock: StoppedClock) -> None:
    """An outage, a moved operation, an opt-out, a night, a holiday and a silent patient."""
    await ward.operation("joint", day="2026-12-20", status="planned")
    await ward.looks("2026-12-10 12:00")
    await ward.looks("2026-12-13 10:30")  # T-7
    await ward.says("5")
    await ward.operation("joint", day="2026-12-28", status="planned")  # moved
    await ward.looks("2026-12-14 09:00")
    for day in ("2026-12-21", "2026-12-25", "2026-12-27", "2026-12-28"):
        await ward.looks(f"{day} 10:30")
    assert "preop/t7" in await ward.steps()
    await ward.looks("2026-12-29 23:00")  # the night
    assert "joint/d1" not in await ward.steps()
    await ward.looks("2026-12-30 08:30")  # what the night kept
    assert "joint/d1" in await ward.steps()
    await ward.looks("2027-01-01 09:00")
    await ward.looks("2027-01-04 10:30")  # the days of the holiday were an outage; day 7 is useful
    await ward.looks("2027-01-06 12:00")  # silent
    assert "joint/d7" in await ward.steps()
    assert "silence" in await ward.tasks()
    await ward.looks("2027-01-11 10:30")
    await ward.says("停止随访")
    await ward.looks("2027-01-28 10:30")
    await ward.looks("2027-03-28 10:30")
    assert not [step for step in await ward.steps() if step in ("joint/m1", "joint/m3")]
    times = [row.created_at.astimezone(ZONE).time() for row in await ward.letters() if row.purpose == "care"]
    assert all(time(8) <= one < time(21) for one in times)


async def test_a_lost_pregnancy_ends_everything_about_it(ward: Ward) -> None:
    await ward.tag("孕30周", since="2026-11-10 09:00")
    await ward.looks("2026-11-18 10:30")
    assert (await ward.instances())[0].plan == "antenatal"
    await ward.visit(day="2026-11-18", status="loss")
    await ward.looks("2026-11-18 10:31")
    assert [(row.state, row.reason) for row in await ward.instances()] == [("stopped", "pregnancy_loss")]


async def test_a_child_is_asked_about_through_its_guardian(ward: Ward) -> None:
    await ward.does(bound("oSelf", "P02"))
    await ward.operation("tonsil", day="2026-11-17", patient="P02")
    await ward.looks("2026-11-18 10:30")
    assert await ward.reasons("P02") | {"d1": "withheld no_guardian"} == await ward.reasons("P02")
    await ward.does(bound("oFather", "P02", "child"))
    await ward.looks("2026-11-19 10:30")
    assert await ward.steps("P02") == ["tonsil/d2"]
    assert "关于林*雨" in await ward.last_text("P02")


async def test_two_planners_at_once_send_nothing_twice(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    ward.clock.moment = at("2026-11-18 10:30")
    await asyncio.gather(*(ward.does(ward.plan) for _ in range(4)))
    found = await ward.asks(lambda db: db.execute(sa.select(letters.c.key)).all())
    assert len(found) == 1
    rows = await ward.asks(lambda db: db.execute(sa.select(plan_instances.c.id)).all())
    assert len(rows) == 1
    assert len(await ward.asks(lambda db: db.execute(sa.select(touches.c.key).distinct()).all())) == 6


# Texts, races, waiting for what is known, plans on hold


async def test_rule_14_a_new_wording_moves_nothing_and_is_what_goes_out(ward: Ward, tmp_path: Path) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    before = {step: row.due_at for step, row in (await ward.touches()).items()}
    texts = tmp_path / "messages"
    shutil.copytree(MESSAGES, texts)
    (texts / "plan" / "pain.zh-Hans.txt").write_text("请用0到10的数字说说有多疼。", encoding="utf-8")
    ward.wording = Wording(ZONE, texts)
    await ward.looks("2026-11-18 10:30")
    assert "请用0到10的数字说说有多疼" in await ward.last_text()
    after = {step: row.due_at for step, row in (await ward.touches()).items() if step != "d1"}
    assert after == {step: due for step, due in before.items() if step != "d1"}


async def test_rule_16_a_plan_on_hold_is_silent_and_goes_on_without_a_burst(ward: Ward) -> None:
    await ward.operation("tonsil", day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.does(lambda db: pausing.pause(db, "tonsil", "li", ward.clock.now()))
    await ward.lives_through("2026-11-17 18:00", "2026-11-22 08:00", every=timedelta(hours=2))
    assert await ward.steps() == []
    await ward.does(lambda db: pausing.resume(db, "tonsil", "li", ward.clock.now()))
    await ward.lives_through("2026-11-22 08:30", "2026-11-22 12:00", every=timedelta(minutes=30))
    assert await ward.steps() == [
        "tonsil/d4"
    ]  # yesterday's is still of use; two of them on one day are too many
    assert {(await ward.touches())[step].state for step in ("d0", "d1", "d2")} == {"expired"}


async def test_rule_39_a_plan_on_hold_keeps_everybody_in_their_place(ward: Ward) -> None:
    await ward.operation("tonsil", day="2026-11-17")
    await ward.looks("2026-11-17 12:00")
    await ward.does(lambda db: pausing.pause(db, "tonsil", "li", ward.clock.now()))
    await ward.looks("2026-11-18 10:30")
    assert (await ward.instances())[0].state == "running"
    assert (await ward.reasons())["d1"] == "planned paused"
    await ward.does(lambda db: pausing.resume(db, "tonsil", "li", ward.clock.now()))
    await ward.looks("2026-11-18 11:30")
    assert await ward.steps() == ["tonsil/d1"]


async def test_rule_39_whoever_was_asked_before_is_not_blamed_for_silence(ward: Ward) -> None:
    await ward.operation("tonsil", day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    await ward.does(lambda db: pausing.pause(db, "tonsil", "li", ward.clock.now()))
    await ward.lives_through("2026-11-18 11:00", "2026-11-18 20:30")
    assert await ward.steps() == ["tonsil/d1"]
    assert await ward.tasks() == []


async def test_rule_21_a_crash_between_the_letter_and_its_row_repeats_no_letter(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    await ward.looks("2026-11-18 10:30")
    as_before = touches.update().where(touches.c.step == "d1").values(state="planned", asks=0, asked_at=None)
    await ward.does(lambda db: db.execute(as_before))
    await ward.looks("2026-11-18 10:31")
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_22_who_writes_at_that_very_moment_loses_neither_answer_nor_question(ward: Ward) -> None:
    await ward.operation(day="2026-11-17")
    ward.clock.moment = at("2026-11-18 10:30")
    answer, *_ = await asyncio.gather(ward.says("医院地址在哪里"), ward.does(ward.plan), ward.does(ward.plan))
    await ward.looks()
    assert "长春路" in answer
    assert await ward.steps() == ["abdominal/d1"]


async def test_rule_32_what_is_known_already_is_not_waited_for(ward: Ward) -> None:
    await ward.operation("cosmetic", day="2026-11-18", name="玻尿酸注射", time=time(14))
    await ward.looks("2026-11-18 16:10")
    await ward.says("1")
    await ward.looks("2026-11-18 20:25")
    assert await ward.steps() == ["injection/h2", "cosmetic/d0"]
    assert "一边" in await ward.last_text()  # the colour was asked about at four


async def test_rule_32_a_question_that_nobody_answers_is_void_in_time(ward: Ward) -> None:
    await ward.operation("cataract", day="2026-11-18")
    await ward.looks("2026-11-18 19:30")
    await ward.looks("2026-11-19 08:05")
    assert (await ward.reasons())["d0"] == "silent"
    assert "眼睛" not in await ward.says("你好")
