"""`xiaohu user add`: console users."""

from __future__ import annotations

import json
from typing import Any

import pyotp
from argon2 import PasswordHasher

from storage.queries import audit, staff
from storage.rows import Row
from storage.tables import audit as audit_rows
from tests.shell import Shell


def add(xiaohu: Shell, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(xiaohu.succeeds("user", "add", *words))
    return answer


def known(xiaohu: Shell, name: str) -> Row:
    row = xiaohu.ask(lambda db: staff.user(db, name))
    assert row is not None
    return row


def test_a_new_user_gets_a_password_that_is_kept_as_a_hash(xiaohu: Shell) -> None:
    printed = add(xiaohu, "李护士", "--role", "nurse", "--wecom", "LiHushi", "--phone", "+86 138-0000-0009")
    assert printed | {"password": ""} == {
        "name": "李护士",
        "role": "nurse",
        "wecom": "LiHushi",
        "phone": "13800000009",
        "password": "",
        "totp": None,
    }
    row = known(xiaohu, "李护士")
    assert PasswordHasher().verify(row.password_hash, printed["password"])
    assert printed["password"] not in row.password_hash
    assert row.active


def test_a_user_added_again_is_changed_and_keeps_the_rest(xiaohu: Shell) -> None:
    add(xiaohu, "li", "--role", "nurse", "--wecom", "LiHushi", "--phone", "13800000009")
    before = known(xiaohu, "li")
    printed = add(xiaohu, "li", "--role", "manager", "--wecom", "")
    after = known(xiaohu, "li")
    assert printed["password"] is None
    assert (after.role, after.wecom_userid, after.phone) == ("manager", "", "13800000009")
    assert after.password_hash == before.password_hash


def test_a_new_password_and_an_authenticator(xiaohu: Shell) -> None:
    first = add(xiaohu, "li", "--role", "nurse")
    second = add(xiaohu, "li", "--role", "nurse", "--new-password", "--totp")
    assert second["password"] not in (None, first["password"])
    totp = pyotp.parse_uri(second["totp"])
    assert isinstance(totp, pyotp.TOTP)
    assert totp.secret == known(xiaohu, "li").totp_secret


def test_who_is_no_user_is_refused(xiaohu: Shell) -> None:
    assert xiaohu.refuses("user", "add", "bot", "--role", "nurse") == ["'bot': not a name for a user"]
    assert xiaohu.refuses("user", "add", " ", "--role", "nurse") == ["' ': not a name for a user"]
    assert xiaohu.refuses("user", "add", "li", "--role", "nurse", "--phone", "12") == [
        "--phone 12: not a telephone number"
    ]
    assert xiaohu("user", "add", "li", "--role", "surgeon").exit_code == 2
    assert xiaohu("user", "add", "li").exit_code == 2


def test_it_is_audited_without_the_password(xiaohu: Shell) -> None:
    printed = add(xiaohu, "li", "--role", "nurse")
    rows = xiaohu.ask(lambda db: db.execute(audit_rows.select()).all())
    assert [(row.action, row.object) for row in rows] == [("user add", "li")]
    assert printed["password"] not in rows[0].detail
    assert xiaohu.ask(audit.first_broken) is None
