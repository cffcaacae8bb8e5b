"""How long the console's pages take in a large hospital: 100,000 conversations, 1,000,000 messages, on PostgreSQL.

Every page is asked for over HTTP, one after another, and after it the part that refreshes itself. Prints one JSON
line a page: the median and the 95th hundredth in milliseconds, and the server's processor time for one.
`--conversations N` makes the hospital smaller; names of pages run only those; `--keep URL` uses a database that
was filled before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
import sqlalchemy as sa

import storage.migrate
from bot.console.access import hash_password
from bot.console.inbox import finding
from bot.console.permissions import ROLES
from bot.domain.clock import SystemClock
from storage.database import open_database
from storage.queries import cursors
from storage.tables import search_grams, users
from storage.types import Seal, SealedJSON, SealedText
from tests import postgres
from tests.hospital_folder import open_hospital
from tests.secret import SECRET
from tests.serving import serving, settings

MESSAGES_EACH = 10
ASKED = 40  # times, each page
PASSWORD = "a long enough passphrase"
PAGES: Mapping[str, tuple[str, ...]] = {
    "nurse": (
        "inbox",
        "inbox?folder=all",
        "inbox?folder=alarms",
        "inbox/list?folder=all",
        "conversations/{number}",
        "conversations/{number}/live",
        "alarms/bar",
        "search?q=伤口",
        "patients/B{number}",
        "tickets",
        "calls",
    ),
    "manager": (
        "figures",
        "figures?of=satisfaction",
        "figures?of=response",
        "figures?of=workload",
        "figures?of=follow_up",
        "figures?of=complaints",
        "figures?of=retention",
        "figures/first_reply",
        "admin",
        "admin/outbox",
        "broadcasts",
        "broadcasts/new",
        "calendar",
        "stop",
        "stop/strip",
        "flows",
        "flows/happy_call",
        "flows/happy_call/people?step=d1",
        "texts?topic=greeting",
        "texts/greeting/birthday",
    ),
    "auditor": ("audit",),
}

# generate_series makes a hospital in a minute where inserts of Python's would take ten.
FILL = """
INSERT INTO patients (code, name, sex, language, source, region, lunar_birthday, marketing_consent, birth_date)
  SELECT 'B' || n, '病人' || n, CASE n % 2 WHEN 0 THEN 'F' ELSE 'M' END, '', '', '', false, n % 3 = 0,
         DATE '1950-01-01' + (n % 25000)::int FROM generate_series(1, :people) n;
INSERT INTO contacts (id, account, openid, followed, source, language, created_at)
  SELECT n, 'wechat/default', 'oB' || n, true, '', '', now() - interval '90 days' FROM generate_series(1, :people) n;
INSERT INTO bindings (contact_id, patient_code, relation, level, scope, created_at, ended_reason)
  SELECT n, 'B' || n, 'self', 2, 'all', now() - interval '80 days', '' FROM generate_series(1, :people) n WHERE n % 10 < 6;
INSERT INTO conversations (contact_id, owner, nurse, spoke_at, waiting_since)
  SELECT n, CASE WHEN n % 400 = 0 THEN 'waiting' WHEN n % 150 = 0 THEN 'human' ELSE 'bot' END,
         CASE WHEN n % 400 <> 0 AND n % 150 = 0 THEN '护士甲' ELSE '' END,
         now() - (n % 86400) * interval '1 minute',
         CASE WHEN n % 400 = 0 THEN now() - (n % 300) * interval '1 minute' END FROM generate_series(1, :people) n;
INSERT INTO messages (contact_id, account, key, dir, at, type, channel, author, text)
  SELECT n, 'wechat/default', 'b' || n || '.' || m, CASE m % 2 WHEN 0 THEN 'in' ELSE 'out' END,
         now() - (n % 86400) * interval '1 minute' - (:each - m) * interval '40 seconds', 'text',
         CASE m % 2 WHEN 0 THEN 'wechat' ELSE 'passive' END, CASE m % 2 WHEN 0 THEN 'patient' ELSE 'bot' END,
         CASE WHEN m = 4 AND n % 500 = 0 THEN CAST(:found AS bytea) ELSE CAST(:text AS bytea) END
  FROM generate_series(1, :people) n, generate_series(1, :each) m ORDER BY n, m;
INSERT INTO alerts (at, contact_id, patient_code, level, concept, status, acknowledged_by, acknowledged_at, disposition)
  SELECT now() - n * interval '9 minutes', n, 'B' || n, CASE n % 3 WHEN 0 THEN 'E' WHEN 1 THEN 'U' ELSE 'S' END, 'G01',
         CASE WHEN n <= 12 THEN 'open' ELSE 'closed' END, CASE WHEN n <= 12 THEN '' ELSE '护士甲' END,
         CASE WHEN n > 12 THEN now() - n * interval '9 minutes' + (n % 7) * interval '40 seconds' END,
         CASE WHEN n <= 12 THEN '' WHEN n % 5 = 0 THEN 'false' ELSE 'advice' END FROM generate_series(1, :people / 20) n;
INSERT INTO tasks (at, contact_id, patient_code, kind, status, due_at, assigned_to, done_at)
  SELECT now() - n * interval '4 minutes', n, 'B' || n, CASE n % 4 WHEN 0 THEN 'callback' ELSE 'handoff' END,
         CASE WHEN n <= 60 THEN 'open' ELSE 'done' END, now() - n * interval '4 minutes' + interval '1 hour', '护士甲',
         CASE WHEN n > 60 THEN now() - n * interval '4 minutes' + interval '30 minutes' END
  FROM generate_series(1, :people / 5) n;
INSERT INTO letters (key, contact_id, patient_code, purpose, channel, state, priority, body, author, created_at, not_before, sent_at)
  SELECT 'b' || n, 1 + n % :people, 'B' || (1 + n % :people), CASE n % 5 WHEN 0 THEN 'care' ELSE 'transaction' END,
         'customer_service', CASE WHEN n % 5000 = 1 THEN 'failed' WHEN n % 900 = 1 THEN 'queued' ELSE 'sent' END, 2,
         CAST(:body AS bytea), CASE n % 8 WHEN 0 THEN '护士甲' WHEN 1 THEN 'plan' ELSE 'bot' END, at, at, at
  FROM (SELECT n, now() - n * interval '30 seconds' AS at FROM generate_series(1, :people * 2) n) AS written;
INSERT INTO tickets (number, at, contact_id, patient_code, kind, severity, emotion, status, due, owner)
  SELECT 'TSB' || n, now() - n * interval '50 minutes', n, 'B' || n, CASE n % 5 WHEN 0 THEN 'praise' ELSE 'complaint' END,
         'C' || (2 + n % 2), '', CASE WHEN n <= 40 THEN 'received' ELSE 'accepted' END,
         CURRENT_DATE + 3 - (n / 28)::int, '护士甲' FROM generate_series(1, :people / 50) n;
INSERT INTO ticket_entries (ticket_id, at, kind, author)
  SELECT t.id, t.at + k * interval '5 hours', CASE k WHEN 1 THEN 'note' ELSE 'reply' END, '护士甲'
  FROM tickets t, generate_series(1, 2) k WHERE t.status = 'accepted';
INSERT INTO visits (code, patient_code, department_code, date, kind, amount_cents, status)
  SELECT 'BV' || n, 'B' || (1 + n % :people), (SELECT min(code) FROM departments), CURRENT_DATE - (n % 700)::int,
         'outpatient', 12300, 'done' FROM generate_series(1, :people * 2) n;
INSERT INTO plan_instances (id, patient_code, plan, version, episode, anchor_at, created_at, changed_at)
  SELECT 1000000 + n, 'B' || n, CASE n % 3 WHEN 0 THEN 'happy_call' WHEN 1 THEN 'postop_dental' ELSE 'preop' END, 1,
         'visit:BV' || n, now(), now(), now() FROM generate_series(1, :people) n;
INSERT INTO touches (key, instance_id, patient_code, step, purpose, rank, due_at, useful_until, state, reason, asked_at, answers)
  SELECT 'b' || n, 1000000 + n, 'B' || n, 'd1', 'care', 1, at, at + interval '2 hours',
         CASE n % 10 WHEN 0 THEN 'withheld' WHEN 1 THEN 'silent' WHEN 2 THEN 'silent' ELSE 'answered' END,
         CASE n % 10 WHEN 0 THEN 'no_consent' ELSE '' END, CASE WHEN n % 10 > 0 THEN at END,
         CASE WHEN n % 10 > 2 THEN CAST(:answers AS bytea) END
  FROM (SELECT n, now() - n * interval '6 minutes' AS at FROM generate_series(1, :people) n) AS asked;
INSERT INTO touches (key, instance_id, patient_code, step, purpose, rank, due_at, useful_until)
  SELECT 'c' || n, 1000000 + n, 'B' || n, 'd7', 'care', 1, at, at + interval '1 day'
  FROM (SELECT n, now() + (n % 40000) * interval '1 minute' AS at FROM generate_series(1, :people) n) AS to_come;
"""


def _sealed(kind: SealedText | SealedJSON, value: Any) -> Any:
    return kind.process_bind_param(value, None)  # type: ignore[arg-type]


def fill(db: sa.Connection, conversations: int) -> None:
    """A hospital with so many conversations."""
    open_hospital(db)
    values = {
        "people": conversations,
        "each": MESSAGES_EACH,
        "text": _sealed(SealedText("messages.text"), "您好，请问周三上午张医生还有号吗？"),
        "found": _sealed(SealedText("messages.text"), "伤口有点红，要不要来看看"),
        "body": _sealed(SealedJSON("letters.body"), {"text": "您的预约在明天上午。"}),
        "answers": _sealed(SealedJSON("touches.answers"), {"csat": 5}),
    }
    for statement in FILL.strip().split(";\n"):
        text = sa.text(statement.rstrip(";"))
        db.execute(text, {name: values[name] for name in text._bindparams})
    grams = finding.grams("伤口有点红，要不要来看看")
    found = [
        {"gram": gram, "contact_id": number}
        for gram in grams
        for number in range(500, conversations + 1, 500)
    ]
    db.execute(search_grams.insert(), found)
    newest = db.execute(sa.text("SELECT max(id) FROM messages")).scalar_one()
    cursors.move(db, finding.CURSOR, str(newest))
    hashed = hash_password(PASSWORD)
    everyone = [{"name": f"{title}甲", "role": role} for role, title in ROLES.items()]
    db.execute(
        users.insert(),
        [{**one, "password_hash": hashed, "created_at": SystemClock().now()} for one in everyone],
    )


@contextmanager
def database(kept: str, conversations: int) -> Iterator[str]:
    """A filled database's address."""
    Seal.use(SECRET)
    if kept:
        yield kept
        return
    with postgres.running() as server:
        url = server.create()
        asyncio.run(_fill(url, conversations))
        yield url


async def _fill(url: str, conversations: int) -> None:
    filled = open_database(url)
    await filled.write(storage.migrate.upgrade)
    began = time.perf_counter()
    await filled.write(lambda db: fill(db, conversations))
    await filled.write(lambda db: db.execute(sa.text("ANALYZE")))
    await filled.close()
    print(json.dumps({"benchmark": "console", "filled_s": round(time.perf_counter() - began, 1)}), flush=True)


async def measure(url: str, wanted: list[str]) -> None:
    """Ask for every page and print what it took."""
    async with (
        serving(settings(url), SystemClock()) as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        for role, pages in PAGES.items():
            form = {"name": f"{ROLES[role]}甲", "password": PASSWORD}
            async with session.post(
                f"{server.url}/console/login", data=form, allow_redirects=False
            ) as answer:
                assert answer.status == 303
            for page in pages:
                if not wanted or any(word in page for word in wanted):
                    print(json.dumps(await _page(session, server.url, page), ensure_ascii=False), flush=True)


async def _page(session: aiohttp.ClientSession, url: str, page: str) -> dict[str, Any]:
    took, before = [], 0.0
    for count in range(ASKED + 3):
        if count == 3:  # the first ones warm up
            before = time.process_time()
        number = 500 * (1 + count)
        began = time.perf_counter()
        async with session.get(
            f"{url}/console/{page.format(number=number)}", allow_redirects=False
        ) as answer:
            body = await answer.read()
        assert answer.status == 200, f"{page}: {answer.status}"
        took.append(1_000 * (time.perf_counter() - began))
    took = sorted(took[3:])
    return {
        "benchmark": "console",
        "page": page,
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(0.95 * len(took))], 1),
        "cpu_ms": round(1_000 * (time.process_time() - before) / ASKED, 1),
        "kb": round(len(body) / 1_000),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--keep", default="", metavar="URL")
    given = parser.parse_args()
    with database(given.keep, given.conversations) as url:
        asyncio.run(measure(url, given.pages))


if __name__ == "__main__":
    main()
