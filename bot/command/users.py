"""`xiaohu user`: who may sign in to the console, and who is told of alarms."""

from __future__ import annotations

import getpass
import secrets
import sys
from typing import Any

import click
import msgspec
import pyotp
import sqlalchemy as sa

from bot.command.database import in_database
from bot.console.access import hash_password
from bot.domain.clock import SystemClock
from bot.domain.phone import normal_phone
from storage.queries import audit, staff

ROLES = ("nurse", "agent", "coordinator", "marketing", "manager", "quality", "admin", "auditor")
# Authors of messages, letters and tags: a person of that name could not be told from them.
RESERVED = frozenset({"bot", "patient", "plan", "broadcast", "import", "system"})
LONGEST_NAME = 50


@click.group(help="Console users.")
def user() -> None:
    """Added here, signed in at /console/."""


@user.command(help="Add a console user, or change one: what is not given stays.")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--wecom", metavar="USERID", help="Where alarms reach them by WeCom.")
@click.option("--phone", metavar="PHONE", help="Where alarms reach them by SMS and voice.")
@click.option("--new-password", is_flag=True, help="Give a new password and end their sessions.")
@click.option("--totp", is_flag=True, help="Require codes of an authenticator app from now on.")
def add(name: str, role: str, wecom: str | None, phone: str | None, new_password: bool, totp: bool) -> None:
    """Prints one JSON line. The password and the authenticator's address are shown this once."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME or name in RESERVED:
        _refuse(f"{name!r}: not a name for a user")
    number = normal_phone(phone) if phone else None
    if phone and number is None:
        _refuse(f"--phone {phone}: not a telephone number")
    changes: dict[str, Any] = {"role": role, "active": True}
    if wecom is not None:
        changes["wecom_userid"] = wecom
    if phone is not None:
        changes["phone"] = number
    click.echo(msgspec.json.encode(_save(name.strip(), changes, new_password=new_password, totp=totp)))


def _save(name: str, changes: dict[str, Any], *, new_password: bool, totp: bool) -> dict[str, Any]:
    now = SystemClock().now()
    # Hashing takes memory and time: not inside the transaction.
    password = secrets.token_urlsafe(12)
    password_hash = hash_password(password)
    secret = pyotp.random_base32() if totp else None

    def save(db: sa.Connection) -> dict[str, Any]:
        known = staff.user(db, name)
        fresh = known is None or new_password
        values = changes | ({"password_hash": password_hash} if fresh else {})
        if secret is not None:
            values["totp_secret"] = secret
        if known is None:
            staff.add_user(db, name=name, created_at=now, **values)
        else:
            staff.change_user(db, name, **values)
            if fresh or totp or known.role != changes["role"]:
                staff.end_sessions(db, name, now)
        audit.append(db, f"shell:{getpass.getuser()}", "user add", name, ", ".join(sorted(values)), now)
        saved = staff.user(db, name)
        assert saved is not None
        return {
            "name": name,
            "role": saved.role,
            "wecom": saved.wecom_userid or None,
            "phone": saved.phone,
            "password": password if fresh else None,
            "totp": secret and pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Xiaohu"),
        }

    return in_database(save)


def _refuse(reason: str) -> None:
    click.echo(reason, err=True)
    sys.exit(1)


COMMANDS = (user,)
