"""`xiaohu plan`: what would go out between two moments. Nothing is sent, nothing is written."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import click
import msgspec
import sqlalchemy as sa

from bot.app import platform_templates
from bot.command.database import in_database
from bot.command.worker import read_moment
from bot.flows import PLANS
from bot.flows.engine.projection import Line, Projection
from bot.hospital import consents
from bot.outbox.case import gather
from bot.outbox.routes import Go, Office, decide
from bot.outbox.wording import Wording
from bot.settings import Settings, read_settings
from storage.queries import hospital, tokens
from storage.rows import Row


@click.command(help="What plans and greetings would send between two moments, and what is withheld and why.")
@click.option("--from", "since", metavar="ISO", required=True, help="The first moment.")
@click.option("--to", "until", metavar="ISO", required=True, help="The moment after the last.")
@click.option("--patient", metavar="CODE", help="Only this patient's.")
def plan(since: str, until: str, patient: str | None) -> None:
    """Withheld ones included, each with its reason."""
    settings = read_settings()
    first, last = read_moment(since, settings), read_moment(until, settings)
    for line in in_database(lambda db: _lines(db, settings, first, last, patient), settings, reads_only=True):
        click.echo(msgspec.json.encode(line))


def _lines(
    db: sa.Connection, settings: Settings, since: datetime, until: datetime, patient: str | None
) -> list[dict[str, Any]]:
    wording = Wording(settings.zone)
    wording.refresh(db)
    ahead = Projection(db, PLANS, wording, settings.zone, unsigned_run=settings.env != "production")
    office = Office(
        zone=settings.zone,
        channels=_channels(settings),
        templates=platform_templates(settings),
        notice=lambda _about, _language: "",
        facts=hospital.all_facts(db),
        closed=tokens.closed_apis(db, since),
    )
    return [
        {
            "at": line.at.astimezone(settings.zone),
            "patient": line.patient,
            "openid": line.openid,
            "plan": line.plan,
            "step": line.step,
            "purpose": line.purpose.value,
            "channel": _channel(db, line, office),
            "text": line.text,
            "decision": line.decision,
            "why": line.why,
        }
        for line in ahead.lines(since, until, patient)
    ]


def _channels(settings: Settings) -> set[str]:
    """The ways that are set up, as the postman names them."""
    ways = set()
    for account in settings.official_accounts:
        if account.app_secret:
            ways |= {f"customer_service:wechat/{account.name}", f"template:wechat/{account.name}"}
    if settings.wecom.corp_id and settings.wecom.secret:
        ways.add(f"wecom:wecom/{settings.wecom.name}")
    if settings.wecom.corp_id and settings.wecom.kf_secret:
        ways.add("kf:*")
    if settings.sms.url:
        ways.add("sms")
    return ways


def _channel(db: sa.Connection, line: Line, office: Office) -> str | None:
    """The way the postman would take, by what is known now."""
    if line.contact_id is None or line.decision != "send":
        return None
    letter = SimpleNamespace(
        id=0,
        key=line.why,
        contact_id=line.contact_id,
        patient_code=line.patient,
        purpose=line.purpose.value,
        plan=line.plan,
        step=line.step,
        reason="",
        channel="",
        address=None,
        address_index="",
        body={"text": line.text, "template": line.template, "facts": {}},
        created_at=line.at,
        useful_until=None,
        parts_sent=0,
        tried="",
        sent_at=None,
    )
    case = gather(db, [cast(Row, letter)], line.at, consents.allows)[0]
    decision = decide(case, office, line.at)
    return decision.way.channel if isinstance(decision, Go) else None


COMMANDS = (plan,)
