"""What an import does to the hospital's tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import sqlalchemy as sa

from bot.conversation.knowledge import read_knowledge
from storage.queries.conversations import REVISION
from storage.tables import (
    answers,
    appointments,
    departments,
    doctors,
    facts,
    gifts,
    metadata,
    patient_tags,
    patients,
    procedures,
    report_items,
    reports,
    slots,
    visits,
)
from storage.types import Seal
from tests.hospital import files
from tests.shell import Shell


def rows(xiaohu: Shell, table: sa.Table) -> list[dict[str, object]]:
    select = sa.select(table).order_by(*table.primary_key)
    return [dict(row._mapping) for row in xiaohu.ask(lambda db: db.execute(select).all())]


def test_every_file_of_the_contract_is_taken_in(xiaohu: Shell) -> None:
    printed = xiaohu.imports(**files.FILES)
    assert "patients.csv: 2 行" in printed
    assert {"key": "name", "value": "青禾市人民医院"} in rows(xiaohu, facts)
    assert rows(xiaohu, departments)[1] == {
        "code": "GK",
        "name": "骨科",
        "location": "3 楼",
        "aliases": "骨伤科|关节外科",
        "description": "骨折、关节",
    }
    assert rows(xiaohu, doctors)[0]["fee_cents"] == 5000
    assert rows(xiaohu, slots) == [
        {
            "code": "S1",
            "doctor_code": "D1",
            "start_at": datetime(2026, 11, 23, 0, 0, tzinfo=UTC),
            "end_at": datetime(2026, 11, 23, 0, 30, tzinfo=UTC),
            "capacity": 3,
        }
    ]
    ming, zhao = rows(xiaohu, patients)
    assert ming == {
        "code": "P1",
        "name": "王小明",
        "sex": "M",
        "birth_date": date(1980, 1, 2),
        "lunar_birthday": False,
        "phone": "13800000001",
        "phone_index": Seal.index("13800000001"),
        "id_number": "11010119800102123X",
        "language": "zh-Hans",
        "source": "微信",
        "region": "城东",
        "allergies": "青霉素",
        "history": None,
        "vip_level": 3,
        "marketing_consent": True,
        "deceased_on": None,
    }
    assert (zhao["phone"], zhao["phone_index"]) == (ming["phone"], ming["phone_index"])
    assert (zhao["birth_date"], zhao["language"]) == (date(2020, 2, 29), "zh-Hant")
    assert rows(xiaohu, visits)[0]["amount_cents"] == 12050
    assert rows(xiaohu, visits)[0]["status"] == "done"
    assert (rows(xiaohu, procedures)[0]["name"], rows(xiaohu, procedures)[0]["time"]) == (
        "全膝关节置换术",
        time(9, 30),
    )
    assert rows(xiaohu, reports)[0]["issued_at"] == datetime(2026, 11, 17, 7, 20, tzinfo=UTC)
    assert {row["name"]: row["value"] for row in rows(xiaohu, report_items)} == {
        "白细胞计数": "11.2",
        "碱剩余": "-3.5",
    }
    assert rows(xiaohu, patient_tags)[0]["tag"] == "高血压"
    assert rows(xiaohu, gifts)[0]["stock"] == 5
    assert rows(xiaohu, answers)[0]["answer_en"] == "Below the north gate."


def test_health_and_identity_are_unreadable_on_the_disk(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    raw = xiaohu.ask(
        lambda db: db.execute(
            sa.text("SELECT phone, id_number, allergies FROM patients WHERE code = 'P1'")
        ).one()
    )
    for value, plain in zip(raw, ("13800000001", "11010119800102123X", "青霉素"), strict=True):
        assert plain.encode() not in bytes(value)


def test_importing_the_same_again_changes_nothing_but_the_revision(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    before = {table.name: rows(xiaohu, table) for table in metadata.sorted_tables}
    xiaohu.imports(**files.FILES)
    after = {table.name: rows(xiaohu, table) for table in metadata.sorted_tables}
    revisions = [
        next(fact.pop("value") for fact in state["facts"] if fact["key"] == REVISION)
        for state in (before, after)
    ]
    assert revisions[0] != revisions[1]
    for state in (before, after):
        state.pop("audit")
    assert before == after


def test_a_known_key_is_updated_and_a_missing_row_stays(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    xiaohu.imports(
        departments="code,name,location,aliases,description\nGK,骨科,8 楼,,\n",
        patients=files.PATIENT_COLUMNS + "\nP1,王晓明,,,,,,en,,,,,,,\n",
    )
    assert [(row["code"], row["location"]) for row in rows(xiaohu, departments)] == [
        ("EK", "1 楼"),
        ("GK", "8 楼"),
    ]
    ming, zhao = rows(xiaohu, patients)
    assert (ming["name"], ming["phone"], ming["phone_index"], ming["language"]) == (
        "王晓明",
        None,
        None,
        "en",
    )
    assert zhao["name"] == "赵六"


def test_a_clinicians_contact_outlives_an_import(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    told = reports.update().values(contacted_by="王医生")
    xiaohu.ask(lambda db: db.execute(told))
    xiaohu.imports(reports=files.REPORTS.replace("血常规", "血常规五分类"))
    assert [(row["title"], row["contacted_by"]) for row in rows(xiaohu, reports)] == [
        ("血常规五分类", "王医生")
    ]


def test_running_servers_learn_that_the_hospital_changed(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    before = xiaohu.ask(read_knowledge)
    xiaohu.imports(hospital="key,value\nname,青禾医院\n")
    after = xiaohu.ask(read_knowledge)
    assert after.revision != before.revision
    assert after.facts["name"] == "青禾医院"
    assert after.facts["phone"] == "0571-88880000"


def test_a_dry_run_says_what_it_read_and_changes_nothing(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({f"{name}.csv": text for name, text in files.FILES.items()})
    assert "未作任何改动" in xiaohu.succeeds("import", str(folder), "--dry-run")
    assert rows(xiaohu, patients) == []
    assert rows(xiaohu, facts) == []


def test_files_that_belong_to_nothing_are_named_and_left(xiaohu: Shell) -> None:
    folder = xiaohu.folder_of({"patient.csv": files.PATIENTS, "departments.csv": files.DEPARTMENTS})
    assert "patient.csv" in xiaohu.succeeds("import", str(folder))
    assert rows(xiaohu, patients) == []


def test_a_new_database_gets_its_tables_first(xiaohu: Shell) -> None:
    if xiaohu.url.startswith("sqlite"):
        xiaohu.settings["XIAOHU_DATABASE_URL"] = xiaohu.url = f"sqlite:///{xiaohu.folder}/new.db"
    xiaohu.imports(**files.FILES)
    assert len(rows(xiaohu, patients)) == 2


def test_a_byte_order_mark_quotes_and_windows_line_ends(xiaohu: Shell) -> None:
    text = '\ufeffcode,name,location,aliases,description\r\nGK,"骨科",,"骨伤科| |正骨","两行\r\n说明，""引号"""\r\n'
    xiaohu.imports(departments=text)
    (department,) = rows(xiaohu, departments)
    assert department["aliases"] == "骨伤科|正骨"
    assert department["description"] == '两行\r\n说明，"引号"'


MOMENTS = {
    "2026-11-23T08:00": "2026-11-23T00:00:00+00:00",
    "2026-11-23 08:00:30": "2026-11-23T00:00:30+00:00",
    "2026-11-23T08:00+09:00": "2026-11-22T23:00:00+00:00",
    "2026-11-23T08:00Z": "2026-11-23T08:00:00+00:00",
    # China had summer time then: the clocks were an hour ahead.
    "1988-06-01T08:00": "1988-05-31T23:00:00+00:00",
}


def test_times_are_local_unless_they_have_an_offset(xiaohu: Shell) -> None:
    slot_rows = "".join(
        f"S{number},D1,{written},2026-12-01T00:00,1\n" for number, written in enumerate(MOMENTS)
    )
    header = files.SLOTS.splitlines()[0] + "\n"
    xiaohu.imports(departments=files.DEPARTMENTS, doctors=files.DOCTORS, slots=header + slot_rows)
    assert [row["start_at"] for row in rows(xiaohu, slots)] == [
        datetime.fromisoformat(meant) for meant in MOMENTS.values()
    ]


def test_a_moved_slot_takes_its_appointments_along(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    start = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    booked = [
        appointments.insert().values(
            number=f"YY{number:06}",
            patient_code="P1",
            slot_code="S1",
            doctor_code="D1",
            department_code="GK",
            start_at=start,
            status=status,
            created_at=start,
            changed_at=start,
        )
        for number, status in ((1, "booked"), (2, "cancelled"))
    ]
    for insert in booked:
        xiaohu.ask(lambda db, insert=insert: db.execute(insert))  # type: ignore[misc]
    xiaohu.imports(slots=files.SLOTS.replace("T08:", "T09:").replace(",3", ",0"))
    assert [(row["status"], row["start"]) for row in xiaohu.shows("appointments")] == [
        ("booked", "2026-11-23T09:00:00+08:00"),
        ("cancelled", "2026-11-23T08:00:00+08:00"),
    ]


def test_marketing_consent_is_written_down_when_the_file_changes_its_answer(xiaohu: Shell) -> None:
    agreed = files.PATIENT_COLUMNS + "\nP1,王小明,,,,,,,,,,,,{},\n"
    for answer in "1101":
        xiaohu.imports(patients=agreed.format(answer))
    shown = xiaohu.shows("consents")
    assert [(row["patient"], row["purpose"], row["granted"]) for row in shown] == [
        ("P1", "marketing", True),
        ("P1", "marketing", False),
        ("P1", "marketing", True),
    ]


def test_a_patients_no_is_not_undone_by_the_next_import(xiaohu: Shell) -> None:
    from storage.tables import consents

    xiaohu.imports(patients=files.PATIENTS)
    no = consents.insert().values(
        patient_code="P1",
        purpose="marketing",
        granted=False,
        at=datetime(2030, 1, 1, tzinfo=UTC),
        actor="patient",
    )
    xiaohu.ask(lambda db: db.execute(no))
    xiaohu.imports(patients=files.PATIENTS)
    assert [row["granted"] for row in xiaohu.shows("consents")] == [True, False]


def test_a_tag_that_had_ended_is_there_again_and_keeps_its_giver(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    ended = patient_tags.update().values(producer="zhang", until=datetime(2026, 1, 1, tzinfo=UTC))
    xiaohu.ask(lambda db: db.execute(ended))
    xiaohu.imports(tags=files.TAGS)
    (tag,) = rows(xiaohu, patient_tags)
    assert (tag["producer"], tag["until"]) == ("zhang", None)
