"""How people are served: what they say of it, how long they wait, who does how much."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from bot.console import labels
from bot.console.managers import charts
from bot.console.managers.charts import Share
from bot.console.managers.measures.base import (
    FEWEST,
    MOST_PEOPLE,
    Event,
    Figure,
    Section,
    Span,
    Table,
    conversation_page,
    middle,
    patient_page,
    person,
    share,
    span_words,
)
from storage.queries import console_figures as rows
from storage.rows import Row

PROMPTLY: Final = 3.0  # minutes in which an emergency must be answered


def satisfaction(db: sa.Connection, span: Span) -> Section:
    """What patients said when they were asked, in the chat and on the phone."""
    scored = _scores(db, span)
    good = sum(one[0] >= 4 for one in scored)
    liking, interval = share(good, len(scored), FEWEST)
    low = [one for one in scored if one[0] <= 2]
    by_department: defaultdict[str, list[int]] = defaultdict(list)
    by_week: defaultdict[date, list[int]] = defaultdict(list)
    for score, department, week, _ in scored:
        if department:
            by_department[department].append(score)
        by_week[week].append(score)
    return Section(
        "satisfaction",
        "满意度",
        [
            Figure(
                "csat", "满意度", liking, "打4–5分的 ÷ 全部打分（随访与电话回访）；少于30份不显示", interval
            ),
            Figure(
                "low_scores",
                "低分",
                str(len(low)),
                "打1–2分的；每一位都应当有人联系",
                people=partial(_who_said, low),
            ),
        ],
        [
            charts.shares("各科室满意度", _enough(by_department)),
            charts.shares(
                "每周满意度",
                [_share_of(f"{week:%m-%d}", found) for week, found in sorted(by_week.items())[-12:]],
            ),
        ],
    )


def _share_of(name: str, scores: Sequence[int]) -> Share:
    return Share(name, sum(score >= 4 for score in scores), len(scores))


def _enough(found: Mapping[str, Sequence[int]]) -> list[Share]:
    shown = [_share_of(name, scores) for name, scores in found.items() if len(scores) >= FEWEST]
    return sorted(shown, key=lambda one: one.good / one.count)


def _scores(db: sa.Connection, span: Span) -> list[tuple[int, str, date, Row]]:
    """Score, department, the Monday of its week, and whose it is."""

    def asked(found: Sequence[Row]) -> list[tuple[int, str, date, Row]]:
        said = ((str((row.answers or {}).get("csat", "")), row) for row in found)
        return [
            (int(score), row.department or "", _week(span, row), row)
            for score, row in said
            if score.isdigit()
        ]

    def told(found: Sequence[Row]) -> list[tuple[int, str, date, Row]]:
        said = ((str((row.answers or {}).get("score", ""))[:1], row) for row in found)
        return [(int(score), "", _week(span, row), row) for score, row in said if score.isdigit()]

    return [*span.found(db, rows.answers, asked), *span.found(db, rows.told_on_the_phone, told)]


def _week(span: Span, row: Row) -> date:
    day = span.day(row.at)
    return day - timedelta(days=day.weekday())


def _who_said(low: Sequence[tuple[int, str, date, Row]]) -> list[dict[str, Any]]:
    return [
        person(row.at, row.patient_name, f"{score} 分 {department}".strip(), patient_page(row))
        for score, department, _, row in sorted(low, key=lambda one: one[3].at, reverse=True)[:MOST_PEOPLE]
    ]


def response(db: sa.Connection, span: Span) -> Section:
    """How long people wait for people."""
    asked = span.events(db, rows.handovers, "answered_at")
    alarms = span.events(db, rows.alarms, "acknowledged_at")
    waited = [one.wait for one in asked if one.wait is not None]
    half, half_interval = middle(waited, 0.5)
    most, most_interval = middle(waited, 0.9)
    answered, answered_interval = share(len(waited), len(asked))
    hours = Counter(one.hour for one in asked)
    return Section(
        "response",
        "响应",
        [
            Figure(
                "first_reply",
                "首次人工回复中位数",
                half,
                "从转人工到同事第一条消息发出；下面从最慢的列起",
                half_interval,
                partial(_waited, asked),
            ),
            Figure("first_reply_p90", "首次人工回复 P90", most, "十次里有九次不超过这么久", most_interval),
            Figure(
                "answered",
                "转人工有人回复",
                answered,
                "有同事回复的 ÷ 全部转人工；下面列出没有回复的",
                answered_interval,
                partial(_unanswered, asked),
            ),
            *_alarms(alarms),
            _promises(db, span),
        ],
        [
            charts.columns("每天转人工", Counter(one.day for one in asked), span.first, span.days),
            charts.columns("每天 E/U 警报", Counter(one.day for one in alarms), span.first, span.days),
            charts.amounts(
                "一天里什么时候转人工", [(f"{hour}点", hours.get(hour, 0), "") for hour in range(7, 23)]
            ),
        ],
    )


def _waited(asked: Sequence[Event]) -> list[dict[str, Any]]:
    waited = [(one.wait, one.row) for one in asked if one.wait is not None]
    waited.sort(key=lambda one: -one[0])
    return [
        person(row.at, row.patient_name, f"{span_words(wait)} {row.answered_by}", conversation_page(row))
        for wait, row in waited[:MOST_PEOPLE]
    ]


def _unanswered(asked: Sequence[Event]) -> list[dict[str, Any]]:
    return [
        person(one.row.at, one.row.patient_name, "没有人回复", conversation_page(one.row))
        for one in asked
        if one.wait is None
    ]


def _promises(db: sa.Connection, span: Span) -> Figure:
    promised = [one for one in span.rows(db, rows.promises) if one.due_at < span.now]
    broken = [
        one for one in promised if one.done_at is None or one.done_at > one.due_at + timedelta(minutes=5)
    ]
    keeping, interval = share(len(promised) - len(broken), len(promised))
    return Figure(
        "promises",
        "承诺兑现率",
        keeping,
        "按时回电的承诺 ÷ 到期的承诺；下面列出没有按时的",
        interval,
        lambda: [
            person(one.due_at, one.patient_name, one.assigned_to or "没有人负责", f"/console/calls/{one.id}")
            for one in broken[:MOST_PEOPLE]
        ],
    )


def _alarms(found: Sequence[Event]) -> list[Figure]:
    waits = [one.wait for one in found if one.wait is not None]
    emergencies = [one for one in found if one.row.level == "E"]
    slow = [one for one in emergencies if one.wait is None or one.wait > PROMPTLY]
    half, half_interval = middle(waits, 0.5)
    most, most_interval = middle(waits, 0.9)
    quick, quick_interval = share(len(emergencies) - len(slow), len(emergencies))
    wrong, wrong_interval = share(
        sum(one.row.disposition == "false" for one in found), sum(bool(one.row.disposition) for one in found)
    )

    def listed(chosen: Sequence[Event]) -> list[dict[str, Any]]:
        return [
            person(
                row.at,
                row.patient_name,
                f"{row.level} {labels.concept(row.concept)} {row.acknowledged_by}",
                conversation_page(row),
            )
            for row in (one.row for one in chosen)
        ]

    return [
        Figure(
            "alarms", "E/U 警报", str(len(found)), "这段时间的紧急与尽快警报", people=partial(listed, found)
        ),
        Figure("wait", "警报响应中位数", half, "从收到消息到护士认领", half_interval),
        Figure("wait_p90", "警报响应 P90", most, "十个警报里有九个不超过这么久", most_interval),
        Figure(
            "quick",
            "E 级3分钟内响应",
            quick,
            "3分钟内有人认领的 E 级警报 ÷ 全部 E 级警报；下面列出慢的",
            quick_interval,
            partial(listed, slow),
        ),
        Figure(
            "false",
            "误报率",
            wrong,
            "处置为误报的警报 ÷ 已处置的警报",
            wrong_interval,
            partial(listed, [one for one in found if one.row.disposition == "false"]),
        ),
    ]


def workload(db: sa.Connection, span: Span) -> Section:
    """Who did how much. Nobody is ranked by it: people come in different shifts to different wards."""
    written = {one.author: one for one in rows.written(db, span.since, span.until)}
    asked = span.events(db, rows.handovers, "answered_at")
    alarms = span.events(db, rows.alarms, "acknowledged_at")
    looked = rows.looked_into(db, span.since, span.until)
    tries: Counter[str] = Counter()
    for one in rows.calls(db, span.since, span.until):
        tries[one.by] += one.tries
    taken = Counter(one.row.acknowledged_by for one in alarms if one.row.acknowledged_by)
    waits: defaultdict[str, list[float]] = defaultdict(list)
    for event in asked:
        if event.wait is not None:
            waits[event.row.answered_by].append(event.wait)
    names = sorted({*written, *taken, *tries, *looked, *waits})
    body = [
        [
            name,
            str(written[name].letters if name in written else 0),
            str(written[name].contacts if name in written else 0),
            middle(waits[name], 0.5)[0] if waits.get(name) else "—",
            str(taken[name]),
            str(tries[name]),
            str(looked.get(name, 0)),
        ]
        for name in names
    ]
    paths = [f"/console/figures/workload?who={name}&" for name in names]
    hours = Counter(one.day.weekday() for one in asked)
    return Section(
        "workload",
        "工作量",
        [
            Figure(
                "replies", "人工消息", str(sum(one.letters for one in written.values())), "同事发出的消息"
            ),
            Figure("tries", "拨出的电话", str(sum(tries.values())), "记了结果的电话，打通与否都算"),
            Figure("colleagues", "参与的同事", str(len(names)), "这段时间回复、认领、拨打或处理过投诉的同事"),
        ],
        [
            charts.amounts(
                "人工消息", [(row[0], int(row[1]), path) for row, path in zip(body, paths, strict=True)]
            ),
            charts.amounts(
                "一周里哪天转人工",
                [(f"周{day}", hours.get(place, 0), "") for place, day in enumerate("一二三四五六日")],
            ),
        ],
        [
            Table(
                "每位同事",
                ("同事", "消息", "对话", "首次回复中位数", "认领警报", "拨出电话", "投诉处理"),
                body,
                paths,
            )
        ],
    )


def written_to(db: sa.Connection, span: Span, who: str) -> list[dict[str, Any]]:
    """Whom a colleague wrote to."""
    return [
        person(one.at, one.patient_name, f"{one.letters} 条消息", conversation_page(one))
        for one in rows.written_to(db, span.since, span.until, who)
    ]
