"""`xiaohu show`: the contract's fields, in its order, newest last."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from storage.tables import (
    alerts,
    appointments,
    consents,
    contacts,
    letters,
    messages,
    tasks,
    tickets,
)
from tests.hospital import files
from tests.shell import Shell

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)

FIELDS = {
    "alerts": ["id", "at", "patient", "openid", "level", "concept", "text_span", "status"],
    "tasks": ["id", "at", "patient", "kind", "reason", "status"],
    "tickets": ["number", "at", "patient", "severity", "status", "due"],
    "appointments": ["number", "patient", "slot", "start", "doctor_code", "department_code", "status"],
    "letters": [
        *("id", "at", "patient", "openid", "purpose", "plan", "step", "channel", "state", "reason"),
    ],
    "points": ["patient", "at", "change", "balance", "reason"],
    "consents": ["patient", "openid", "purpose", "granted", "at"],
    "messages": ["id", "at", "openid", "patient", "dir", "channel", "type"],
    "tiers": ["patient", "amount", "recency_days", "frequency", "r", "f", "m", "tier"],
}


def happenings(db: sa.Connection) -> None:
    """One of everything for patient P1, an hour later one for nobody known."""
    db.execute(contacts.insert().values(id=1, account="wechat/default", openid="oPatient", created_at=AT))
    for at, patient in ((LATER, None), (AT, "P1")):
        seen = {"at": at, "contact_id": 1, "patient_code": patient}
        db.execute(alerts.insert().values(**seen, level="E", concept="G01", text_span="胸痛", status="open"))
        db.execute(tasks.insert().values(**seen, kind="media", reason="一张图片"))
        db.execute(messages.insert().values(**seen, account="a", dir="in", channel="wechat", type="text"))
        db.execute(consents.insert().values(**seen, purpose="care", granted=True))
        letter = {"purpose": "care", "priority": 2, "body": {}, "created_at": AT, "not_before": AT}
        db.execute(
            letters.insert().values(
                **letter, contact_id=1, patient_code=patient, key=str(patient), sent_at=at, state="sent"
            )
        )
    db.execute(
        tickets.insert().values(
            at=AT,
            contact_id=1,
            patient_code="P1",
            number="TS000001",
            kind="complaint",
            severity="C3",
            status="received",
            due=date(2026, 11, 25),
        )
    )
    db.execute(
        appointments.insert().values(
            patient_code="P1",
            slot_code="S1",
            doctor_code="D1",
            department_code="GK",
            start_at=datetime(2026, 11, 23, 0, 0, tzinfo=UTC),
            status="waiting",
            created_at=AT,
            changed_at=AT,
        )
    )


@pytest.fixture
def hospital(xiaohu: Shell) -> Shell:
    xiaohu.imports(**files.FILES)
    xiaohu.ask(happenings)
    return xiaohu


def test_every_listing_has_the_contracts_fields_in_its_order(hospital: Shell) -> None:
    for what, fields in FIELDS.items():
        rows = hospital.shows(what)
        assert rows, what
        assert [list(row) for row in rows] == [fields] * len(rows)


def test_the_values(hospital: Shell) -> None:
    assert hospital.shows("alerts", "--patient", "P1") == [
        {
            "id": 2,
            "at": "2026-11-18T10:00:00+08:00",
            "patient": "P1",
            "openid": "oPatient",
            "level": "E",
            "concept": "G01",
            "text_span": "胸痛",
            "status": "open",
        }
    ]
    assert hospital.shows("appointments")[0] == {
        "number": None,
        "patient": "P1",
        "slot": "S1",
        "start": "2026-11-23T08:00:00+08:00",
        "doctor_code": "D1",
        "department_code": "GK",
        "status": "waiting",
    }
    assert hospital.shows("tickets")[0]["due"] == "2026-11-25"
    assert hospital.shows("letters")[0]["plan"] is None
    assert hospital.shows("tasks")[0]["reason"] == "一张图片"


def test_newest_last_and_only_from_then_on(hospital: Shell) -> None:
    for what in ("alerts", "tasks", "messages", "letters"):
        assert [row["patient"] for row in hospital.shows(what)] == ["P1", None]
        for since in (
            "2026-11-18T11:00",
            "2026-11-18 11:00:00",
            "2026-11-18T03:00Z",
            "2026-11-18T11:00+08:00",
        ):
            assert [row["patient"] for row in hospital.shows(what, "--since", since)] == [None]


def test_amounts_are_exact(hospital: Shell) -> None:
    tiers = {row["patient"]: row for row in hospital.shows("tiers")}
    assert hospital.shows("tiers", "--patient", "P1") == [tiers["P1"]]
    printed = hospital.succeeds("show", "tiers", "--patient", "P1")
    assert '"amount":120.5,' in printed
    assert json.loads(printed)["tier"] == "VIP"


def test_chinese_is_readable(hospital: Shell) -> None:
    assert "胸痛" in hospital.succeeds("show", "alerts")


def test_a_new_database_has_nothing_to_show(xiaohu: Shell) -> None:
    if xiaohu.url.startswith("sqlite"):
        xiaohu.settings["XIAOHU_DATABASE_URL"] = f"sqlite:///{xiaohu.folder}/new.db"
    assert [xiaohu.shows(what) for what in FIELDS] == [[]] * len(FIELDS)


def test_wrong_usage(xiaohu: Shell) -> None:
    assert xiaohu("show", "secrets").exit_code == 2
    assert xiaohu("show", "alerts", "--since", "yesterday").exit_code == 2
