"""`/api/v1`: what hospital systems tell us and ask of us. Bearer token; OpenAPI 3.1 at `/api/v1/openapi.json`."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
import structlog
from aiohttp import web

from bot.conversation import desk
from bot.conversation.receive import Reception
from bot.hospital import complaints, points
from bot.outbox import ticket_answers
from bot.settings import Settings
from bot.web.health import DATABASE
from bot.web.webhooks import CLOCK
from storage.queries import desk as conversations
from storage.queries import people, reports

log = structlog.get_logger()

SETTINGS = web.AppKey("settings", Settings)
RECEPTION = web.AppKey("api_reception", Reception)
WAKE = web.AppKey("wake", asyncio.Event)  # set when there is something to send
BY = "api"  # who acts, when a hospital system answers patients
STATES = ("waiting", "human", "bot")

T = TypeVar("T")
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Amount = Annotated[Decimal, msgspec.Meta(description="yuan, at most two decimals")]


class Purchase(msgspec.Struct, forbid_unknown_fields=True):
    """Something was paid."""

    code: Code
    patient_code: Code
    amount: Amount
    at: datetime


class Refund(msgspec.Struct, forbid_unknown_fields=True):
    """Something was paid back."""

    code: Code
    purchase_code: Code
    amount: Amount
    at: datetime


class TicketReply(msgspec.Struct, forbid_unknown_fields=True):
    """The hospital's answer to a complaint."""

    text: Text
    by: Code


class ReportContact(msgspec.Struct, forbid_unknown_fields=True):
    """A clinician has told the patient."""

    by: Code
    at: datetime


class ConversationReply(msgspec.Struct, forbid_unknown_fields=True):
    """What the patient will read."""

    text: Text


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API, as the server routes it and OpenAPI describes it."""

    method: str
    path: str
    handle: Callable[[web.Request], Awaitable[web.Response]]
    body: type[msgspec.Struct] | None = None


class Refused(Exception):
    """The call cannot be done as it was asked; the caller reads why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Only with the token; refusals as JSON."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    token = request.app[SETTINGS].api.token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        return web.json_response({"error": "missing or wrong bearer token"}, status=401)
    try:
        if not request.path.isprintable():
            raise Refused(404, "no such thing")
        return await handler(request)
    except Refused as refusal:
        return web.json_response({"error": refusal.reason}, status=refusal.status)


async def _body(request: web.Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except msgspec.ValidationError as error:
        raise Refused(422, str(error)) from error
    except msgspec.DecodeError as error:
        raise Refused(400, f"not JSON: {error}") from error


YEARS = range(1900, 2200)  # no time that a hospital system means lies outside


def _moment(request: web.Request, at: datetime) -> datetime:
    """Without an offset it is the hospital's time."""
    if at.year not in YEARS:
        raise Refused(422, f"at: a time between {YEARS[0]} and {YEARS[-1]} - at `$.at`")
    return at if at.tzinfo else at.replace(tzinfo=request.app[SETTINGS].zone)


def _money(amount: Decimal) -> Decimal:
    if not amount.is_finite() or amount <= 0 or amount != round(amount, 2):
        raise Refused(422, "amount: a positive number of yuan with at most two decimals - at `$.amount`")
    return amount


async def record_purchase(request: web.Request) -> web.Response:
    """A purchase earns points; the same code again changes nothing."""
    asked = await _body(request, Purchase)
    amount, at = _money(asked.amount), _moment(request, asked.at)

    def record(db: Any) -> points.Recorded:
        if not people.exists(db, asked.patient_code):
            raise Refused(404, "patient_code: no such patient")
        return points.record_purchase(db, asked.code, asked.patient_code, amount, at)

    done = await request.app[DATABASE].write(record)
    return web.json_response({"code": done.code, "earned": done.change, "balance": done.balance})


async def record_refund(request: web.Request) -> web.Response:
    """A refund takes back exactly what its part earned; the same code again changes nothing."""
    asked = await _body(request, Refund)
    amount, at = _money(asked.amount), _moment(request, asked.at)
    try:
        done = await request.app[DATABASE].write(
            lambda db: points.record_refund(db, asked.code, asked.purchase_code, amount, at)
        )
    except points.UnknownPurchase as error:
        raise Refused(404, "purchase_code: no such purchase") from error
    except points.RefundTooLarge as error:
        raise Refused(422, "amount: more than was paid - at `$.amount`") from error
    return web.json_response({"code": done.code, "earned": done.change, "balance": done.balance})


async def answer_ticket(request: web.Request) -> web.Response:
    """The patient reads the answer, and can accept or dispute it."""
    asked, number = await _body(request, TicketReply), request.match_info["number"]
    now, wording = request.app[CLOCK].now(), request.app[RECEPTION].wording
    try:
        found = await request.app[DATABASE].write(
            lambda db: ticket_answers.answer(db, now, wording, number, asked.text, asked.by)
        )
    except complaints.Frozen as error:
        raise Refused(409, "frozen: others settle it") from error
    if not found:
        raise Refused(404, "no such ticket")
    request.app[WAKE].set()
    return web.json_response({"number": number, "status": "replied"})


async def record_contact(request: web.Request) -> web.Response:
    """A clinician has told the patient: the report may be linked from now on."""
    asked, code = await _body(request, ReportContact), request.match_info["code"]
    at = _moment(request, asked.at)
    found = await request.app[DATABASE].write(lambda db: reports.record_contact(db, code, asked.by, at))
    if not found:
        raise Refused(404, "no such report")
    return web.json_response({"code": code, "contacted_by": asked.by, "contacted_at": at.isoformat()})


async def list_conversations(request: web.Request) -> web.Response:
    """Who waits, whom a person has, whom the bot has: urgent first."""
    state = request.query.get("state", "waiting")
    if state not in STATES:
        raise Refused(422, f"state: one of {', '.join(STATES)}")
    rows = await request.app[DATABASE].read(lambda db: conversations.in_state(db, [state]))
    return web.json_response([_conversation(row) for row in rows])


def _conversation(row: Any) -> dict[str, Any]:
    handover = row.handover or {}
    return {
        "openid": row.openid,
        "account": row.account,
        "state": row.owner,
        "by": row.nurse or None,
        "waiting_since": row.waiting_since.isoformat() if row.waiting_since else None,
        "alert": row.alert_level,
        "reason": handover.get("reason"),
        "slots": handover.get("slots", {}),
    }


async def take_conversation(request: web.Request) -> web.Response:
    """From now on the bot is silent but for red flags."""
    row = await _change(request, lambda db, contact_id: desk.take(db, contact_id, BY))
    return web.json_response(_conversation(row))


async def reply_to_conversation(request: web.Request) -> web.Response:
    """Write to the patient, by the way that is legal at the moment it is sent."""
    asked = await _body(request, ConversationReply)
    now = request.app[CLOCK].now()
    key = request.headers.get("Idempotency-Key") or now.isoformat()
    row = await _change(request, lambda db, contact_id: desk.reply(db, contact_id, BY, asked.text, now, key))
    request.app[WAKE].set()
    return web.json_response(_conversation(row))


async def release_conversation(request: web.Request) -> web.Response:
    """Hand it back to the bot; the patient is told."""
    now, wording = request.app[CLOCK].now(), request.app[RECEPTION].wording
    row = await _change(request, lambda db, contact_id: desk.release(db, contact_id, BY, wording, now))
    request.app[WAKE].set()
    return web.json_response(_conversation(row))


async def _change(request: web.Request, act: Callable[[Any, int], object]) -> Any:
    openid = request.match_info["openid"]

    def change(db: Any) -> Any:
        row = conversations.by_openid(db, openid)
        if row is None:
            raise Refused(404, "no such conversation")
        act(db, row.id)
        return conversations.one(db, row.id)

    try:
        return await request.app[DATABASE].write(change)
    except desk.TakenByAnother as error:
        raise Refused(409, "a nurse has this conversation") from error
    except desk.NotTaken as error:
        raise Refused(409, "take the conversation first") from error


async def describe(_request: web.Request) -> web.Response:
    """This API, as OpenAPI 3.1."""
    return web.json_response(DESCRIPTION)


OPERATIONS = (
    Operation("POST", "/purchases", record_purchase, Purchase),
    Operation("POST", "/refunds", record_refund, Refund),
    Operation("POST", "/tickets/{number}/reply", answer_ticket, TicketReply),
    Operation("POST", "/reports/{code}/contact", record_contact, ReportContact),
    Operation("GET", "/conversations", list_conversations),
    Operation("POST", "/conversations/{openid}/take", take_conversation),
    Operation("POST", "/conversations/{openid}/reply", reply_to_conversation, ConversationReply),
    Operation("POST", "/conversations/{openid}/release", release_conversation),
    Operation("GET", "/openapi.json", describe),
)


def _description() -> dict[str, Any]:
    bodies = [operation.body for operation in OPERATIONS if operation.body]
    _, schemas = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
        if operation.path == "/conversations":
            parameters.append(
                {"name": "state", "in": "query", "required": False, "schema": {"enum": list(STATES)}}
            )
        entry: dict[str, Any] = {
            "operationId": operation.handle.__name__,
            "summary": (operation.handle.__doc__ or "").strip(),
            "parameters": parameters,
            "responses": {
                "200": {"description": "done"},
                "401": {"description": "missing or wrong bearer token"},
                "404": {"description": "no such thing"},
                "409": {"description": "not possible now"},
                "422": {"description": "refused: the reason names the field"},
            },
        }
        if operation.body:
            reference = {"$ref": f"#/components/schemas/{operation.body.__name__}"}
            entry["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
        paths.setdefault(f"/api/v1{operation.path}", {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": "Xiaohu", "version": "1", "description": "For the hospital's own systems."},
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
        "paths": paths,
    }


DESCRIPTION = _description()


def add_routes(app: web.Application) -> None:
    """Put the API under `/api/v1`."""
    for operation in OPERATIONS:
        app.router.add_route(operation.method, f"/api/v1{operation.path}", operation.handle)
    app.middlewares.append(guard)
