"""`xiaohu understand`: JSON lines in, JSON lines out (contract.md §6)."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from bot.language.meaning import Meaning, Urgency
from bot.language.understand import Understanding
from bot.language.when import main_when

_LONE = re.compile(r"[\ud800-\udfff]")


def run(stdin: TextIO, stdout: TextIO, zone: tzinfo | None = None) -> None:
    """Answer every line of *stdin*: `{"id"?, "text", "now"?}`. Times without an offset are in *zone*.

    A line that is no such object is answered `{"id"?, "error"}`, and the next one is read: one answer a line.
    """
    zone = zone or _shanghai()
    understanding = Understanding()
    for number, line in enumerate(stdin, 1):
        if not line.strip():
            continue
        answer = _answer(understanding, line, number, zone)
        stdout.write(_line(answer))
    stdout.flush()


def _line(answer: dict[str, Any]) -> str:
    line = json.dumps(answer, ensure_ascii=False)
    if _LONE.search(line):  # half of a pair, which no encoding can write
        line = json.dumps(answer)
    return line + "\n"


def _answer(understanding: Understanding, line: str, number: int, zone: tzinfo) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        asked = _object(line, number)
        if "id" in asked:
            answer["id"] = asked["id"]
        meaning = understanding.read(_text(asked, number), _moment(asked.get("now"), zone, number))
        return answer | described(meaning)
    except ValueError as error:
        return answer | {"error": str(error)}


def described(meaning: Meaning) -> dict[str, Any]:
    """The public fields of a meaning, ready for JSON."""
    flags = meaning.red_flags
    when = main_when(meaning.when)
    return {
        "intent": meaning.intent,
        "confidence": round(meaning.confidence, 3),
        "likeliest": [[name, round(score, 3)] for name, score in meaning.likeliest],
        "wants": [
            {"intent": w.intent, "confidence": round(w.confidence, 3), "text": w.text} for w in meaning.wants
        ],
        "department": list(meaning.triage),
        "urgent": flags.urgency in (Urgency.EMERGENCY, Urgency.URGENT),
        "urgency": flags.urgency.value if flags.urgency else None,
        "urgent_score": round(flags.score, 4),
        "is_complaint": meaning.is_complaint,
        "severity": meaning.severity,
        "emotion": meaning.emotion,
        "start": _written(when.start) if when else None,
        "end": _written(when.end) if when and when.end else None,
        "grain": when.grain if when else None,
        "entities": _entities(meaning),
    }


def _entities(meaning: Meaning) -> dict[str, Any]:
    named = {
        "departments": [each.name for each in meaning.departments],
        "doctors": [each.name for each in meaning.doctors],
        "phone": meaning.phone,
        "relation": meaning.relation,
        "report_kind": meaning.report_kind,
        "quantity": meaning.quantity,
        "flags": [each.concept for each in meaning.red_flags.flags],
        **{name: list(values) for name, values in meaning.entities.items()},
    }
    return {name: value for name, value in named.items() if value not in (None, [])}


def _written(moment: datetime) -> str:
    # With its day also when only a time was said: the day of `now` is what a bare 下午三点 means.
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"line {number}: nested too deep") from None
    if not isinstance(asked, dict):
        raise ValueError(f"line {number}: not an object")
    return asked


def _text(asked: dict[str, Any], number: int) -> str:
    text = asked.get("text")
    if not isinstance(text, str):
        raise ValueError(f'line {number}: needs "text"')
    return text


def _moment(said: object, zone: tzinfo, number: int) -> datetime:
    if said is None:
        return datetime.now(UTC).astimezone(zone)
    try:
        moment = datetime.fromisoformat(str(said))
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise ValueError(f'line {number}: "now" is not ISO 8601: {said}') from None


@cache
def _shanghai() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")


if __name__ == "__main__":
    run(sys.stdin, sys.stdout)
