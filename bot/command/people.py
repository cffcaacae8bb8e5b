"""`xiaohu bind` and `unbind`: what the desk does after it has checked the papers."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import datetime

import click
import msgspec
import sqlalchemy as sa

from bot.command.database import in_database
from bot.domain.clock import SystemClock
from bot.hospital import identity
from bot.settings import Settings, read_settings
from storage.queries import audit, consents, conversations
from storage.queries import identity as rows

RELATIONS = ("self", "child", "parent", "spouse", "other")
ACCOUNT_OPTION = click.option(
    "--account", default="default", show_default=True, help="The account's name; wecom/NAME for WeCom."
)


class Refused(Exception):
    """The input makes no sense here; the message says which and why."""


@click.command(help="Link a WeChat user and a patient, after the desk has checked the papers.")
@click.argument("openid")
@click.argument("patient")
@ACCOUNT_OPTION
@click.option("--relation", type=click.Choice(RELATIONS), default="self", show_default=True)
@click.option("--level", type=click.Choice(["1", "2", "3"]), default="2", show_default=True)
def bind(openid: str, patient: str, account: str, relation: str, level: str) -> None:
    """The user may never have written."""
    settings = read_settings()
    now = SystemClock().now()

    def link(db: sa.Connection) -> dict[str, object]:
        known = rows.patient(db, patient)
        if known is None:
            raise Refused(f"patient {patient}: there is no such patient; import the hospital's data first")
        thread = conversations.open_thread(db, _account(account), openid, now)
        number = identity.bind(
            db,
            thread.id,
            known,
            relation=relation,
            level=min(int(level), 2),
            now=now,
            zone=settings.zone,
            proven=level == "3",
        )
        linked = {"openid": openid, "patient": patient, "relation": relation, "level": int(level)}
        _audit(db, "bind", f"binding {number}", linked, now)
        return linked

    _run(link, settings)


@click.command(help="End the link between a WeChat user and a patient, or all of the user's.")
@click.argument("openid")
@click.argument("patient", required=False)
def unbind(openid: str, patient: str | None) -> None:
    """On every account where the user has this openid."""
    now = SystemClock().now()

    def part(db: sa.Connection) -> dict[str, object]:
        contacts = [row.id for row in rows.contacts_called(db, openid)]
        if not contacts:
            raise Refused(f"openid {openid}: there is no such user")
        ending = rows.bindings_of_contacts(db, contacts, patient)
        if not ending:
            raise Refused(f"openid {openid}: is not linked to {patient or 'anybody'}")
        for row in ending:
            identity.end(db, row.id, "desk", now)
            consents.stop_letters_about(db, row.contact_id, row.patient_code, "unbound")
        parted: dict[str, object] = {"openid": openid, "patients": [row.patient_code for row in ending]}
        _audit(db, "unbind", " ".join(f"binding {row.id}" for row in ending), parted, now)
        return parted

    _run(part, read_settings())


def _run(query: Callable[[sa.Connection], dict[str, object]], settings: Settings) -> None:
    try:
        click.echo(msgspec.json.encode(in_database(query, settings)).decode())
    except Refused as refusal:
        click.echo(refusal, err=True)
        sys.exit(1)


def _account(name: str) -> str:
    return name if "/" in name else f"wechat/{name}"


def _audit(db: sa.Connection, action: str, object_: str, detail: object, now: datetime) -> None:
    audit.append(db, f"shell:{getpass.getuser()}", action, object_, msgspec.json.encode(detail).decode(), now)


COMMANDS = (bind, unbind)
