"""`xiaohu bind` and `unbind`, as an operator types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TypeVar

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from bot.command import cli
from storage.database import open_database
from storage.queries import audit
from storage.tables import audit as audit_rows
from storage.tables import bindings, contacts
from tests.hospital_folder import open_hospital
from tests.secret import SECRET

T = TypeVar("T")


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XIAOHU_DATABASE_URL", database_url)
    monkeypatch.setenv("XIAOHU_SECRET_KEY", SECRET)
    _ask(database_url, open_hospital)
    return database_url


def _ask(url: str, query: Callable[[sa.Connection], T]) -> T:
    async def once() -> T:
        database = open_database(url)
        try:
            return await database.write(query)
        finally:
            await database.close()

    return asyncio.run(once())


def xiaohu(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def living(url: str) -> list[tuple[str, str, str, str, int, bool]]:
    """Account, openid, patient, relation, level, and whether it is fresh."""
    query = (
        sa.select(
            contacts, bindings.c.patient_code, bindings.c.relation, bindings.c.level, bindings.c.proven_at
        )
        .join(bindings, bindings.c.contact_id == contacts.c.id)
        .where(bindings.c.ended_at.is_(None))
        .order_by(bindings.c.id)
    )
    rows = _ask(url, lambda db: db.execute(query).all())
    return [
        (row.account, row.openid, row.patient_code, row.relation, row.level, row.proven_at is not None)
        for row in rows
    ]


def test_somebody_who_never_wrote_is_linked(url: str) -> None:
    result = xiaohu("bind", "oNew", "P01")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"openid": "oNew", "patient": "P01", "relation": "self", "level": 2}
    assert living(url) == [("wechat/default", "oNew", "P01", "self", 2, False)]


def test_account_relation_and_level(url: str) -> None:
    assert (
        xiaohu("bind", "oA", "P02", "--account", "east", "--relation", "child", "--level", "3").exit_code == 0
    )
    assert xiaohu("bind", "oA", "P01", "--account", "wecom/default", "--level", "1").exit_code == 0
    assert living(url) == [
        ("wechat/east", "oA", "P02", "child", 2, True),
        ("wecom/default", "oA", "P01", "self", 1, False),
    ]


def test_linking_twice_raises_the_one_link(url: str) -> None:
    xiaohu("bind", "oA", "P01", "--level", "1")
    xiaohu("bind", "oA", "P01", "--level", "2")
    assert living(url) == [("wechat/default", "oA", "P01", "self", 2, False)]


def test_an_unknown_patient_is_refused_and_nothing_is_kept(url: str) -> None:
    result = xiaohu("bind", "oA", "P99")
    assert result.exit_code == 1
    assert "P99" in result.stderr
    assert living(url) == []
    assert _ask(url, lambda db: db.execute(sa.select(contacts)).all()) == []


def test_wrong_usage(url: str) -> None:
    assert xiaohu("bind", "oA").exit_code == 2
    assert xiaohu("bind", "oA", "P01", "--level", "4").exit_code == 2
    assert xiaohu("bind", "oA", "P01", "--relation", "boss").exit_code == 2


def test_unlinking_one_and_all(url: str) -> None:
    for patient, relation in (("P01", "self"), ("P02", "child"), ("P03", "parent")):
        xiaohu("bind", "oA", patient, "--relation", relation)
    assert xiaohu("unbind", "oA", "P02").exit_code == 0
    assert [row[2] for row in living(url)] == ["P01", "P03"]
    result = xiaohu("unbind", "oA")
    assert json.loads(result.stdout) == {"openid": "oA", "patients": ["P01", "P03"]}
    assert living(url) == []


def test_unlinking_nobody_is_refused(url: str) -> None:
    assert "oNobody" in xiaohu("unbind", "oNobody").stderr
    xiaohu("bind", "oA", "P01")
    result = xiaohu("unbind", "oA", "P03")
    assert result.exit_code == 1
    assert "P03" in result.stderr


def test_both_are_in_the_audit_chain_which_shows_tampering(url: str) -> None:
    xiaohu("bind", "oA", "P01")
    xiaohu("unbind", "oA")
    xiaohu("bind", "oB", "P03")
    rows = _ask(url, lambda db: db.execute(sa.select(audit_rows).order_by(audit_rows.c.id)).all())
    assert [row.action for row in rows] == ["bind", "unbind", "bind"]
    assert all(row.actor.startswith("shell:") for row in rows)
    assert "oA" in (rows[0].detail or "")
    assert _ask(url, audit.first_broken) is None

    def tamper(db: sa.Connection) -> None:
        db.execute(audit_rows.update().where(audit_rows.c.id == rows[1].id).values(actor="somebody else"))

    _ask(url, tamper)
    assert _ask(url, audit.first_broken) == rows[1].id
    _ask(url, lambda db: db.execute(audit_rows.delete().where(audit_rows.c.id == rows[1].id)))
    assert _ask(url, audit.first_broken) == rows[2].id
