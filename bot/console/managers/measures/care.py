"""Whether we keep in touch, and what becomes of complaints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from bot.console import labels
from bot.console.flows import plan_words
from bot.console.managers import charts
from bot.console.managers.charts import Share
from bot.console.managers.intervals import quantile
from bot.console.managers.measures.base import (
    Figure,
    Section,
    Span,
    Table,
    middle,
    minutes,
    patient_page,
    person,
    share,
)
from bot.domain.calendar import is_workday
from storage.queries import console_figures as rows
from storage.rows import Row


def follow_up(db: sa.Connection, span: Span) -> Section:
    """Whether those who should hear from us did, and whether we heard from them."""
    by_plan: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for plan, state, sent, count in span.rows(db, rows.follow_up):
        by_plan[plan][state] += count
        by_plan[plan]["asked" if sent else "missed"] += count
    total: Counter[str] = sum(by_plan.values(), Counter())
    phoned = rows.reached_by_phone(db, span.since, span.until)
    owed = total["asked"] + total["missed"]
    coverage, coverage_interval = share(total["asked"], owed)
    reply, reply_interval = share(total["answered"], total["asked"])
    reach, reach_interval = share(min(total["asked"], total["answered"] + phoned), total["asked"])
    tries, through = _calls(db, span)
    phone, phone_interval = share(through, tries)
    return Section(
        "follow_up",
        "随访",
        [
            Figure(
                "coverage",
                "随访覆盖率",
                coverage,
                "发出的随访 ÷ 该发的随访；没有发出的列在下面，并写明原因",
                coverage_interval,
            ),
            Figure(
                "replied",
                "随访回复率",
                reply,
                "回答了的随访 ÷ 发出的随访；下面列出没有回答的",
                reply_interval,
            ),
            Figure(
                "reached", "随访联系上", reach, "回答了的，加上之后电话打通的 ÷ 发出的随访", reach_interval
            ),
            Figure("reach", "电话接通率", phone, "打通的电话 ÷ 拨出的电话", phone_interval),
        ],
        [
            charts.shares(
                "各计划覆盖率",
                [
                    Share(plan_words.plan(plan), found["asked"], found["asked"] + found["missed"])
                    for plan, found in sorted(by_plan.items())
                ],
            ),
            charts.shares(
                "各计划回复率",
                [
                    Share(plan_words.plan(plan), found["answered"], found["asked"])
                    for plan, found in sorted(by_plan.items())
                ],
            ),
        ],
        [
            Table(
                "各计划",
                ("计划", "该发", "发出", "已回答", "没有回答", "没有发出"),
                [
                    [
                        plan_words.plan(plan),
                        str(found["asked"] + found["missed"]),
                        str(found["asked"]),
                        str(found["answered"]),
                        str(found["silent"]),
                        str(found["missed"]),
                    ]
                    for plan, found in sorted(by_plan.items())
                ],
            )
        ],
    )


def without_answer(db: sa.Connection, span: Span, *, missed: bool) -> list[dict[str, Any]]:
    """Follow-ups that were not sent, and why; or that were sent and stayed without an answer."""
    return [
        person(
            one.at,
            one.patient_name,
            f"{plan_words.contact(one.plan, one.step)} {plan_words.reason(one.reason)}".strip(),
            patient_page(one),
        )
        for one in rows.without_answer(db, span.since, span.until, missed=missed)
    ]


def _calls(db: sa.Connection, span: Span) -> tuple[int, int]:
    found = rows.calls(db, span.since, span.until)
    return sum(one.tries for one in found), sum(one.tries for one in found if one.outcome in rows.REACHED)


def complaints(db: sa.Connection, span: Span) -> Section:
    """How complaints are dealt with."""
    found, overdue = span.rows(db, rows.complaints), rows.overdue(db, span.day(span.now))
    answered = [one for one in found if one.replied_at is not None]
    late = [one for one in answered if not one.due or span.day(one.replied_at) > one.due]
    judged = [one for one in found if one.status in ("accepted", "disputed", "reopened")]
    accepted = sum(one.status == "accepted" for one in judged)
    on_time, on_time_interval = share(len(answered) - len(late), len(answered))
    content, content_interval = share(accepted, len(judged))
    look, look_interval = middle([minutes(one.at, one.looked_at) for one in found if one.looked_at], 0.5)
    days = sorted(float(_workdays(span, one)) for one in answered)
    by_level = Counter(one.severity for one in found)
    return Section(
        "complaints",
        "投诉",
        [
            Figure(
                "complaints", "投诉", str(len(found)), "这段时间受理的投诉", people=partial(_listed, found)
            ),
            Figure(
                "overdue",
                "超期未答复",
                str(len(overdue)),
                "现在已过答应日期、还没有答复的投诉",
                people=partial(_listed, overdue),
            ),
            Figure(
                "on_time",
                "按时答复率",
                on_time,
                "首次答复不晚于应答复日的投诉 ÷ 已答复的投诉；下面列出不按时的",
                on_time_interval,
                partial(_listed, late),
            ),
            Figure("first_look", "首次人工处理中位数", look, "从受理到同事第一次处理", look_interval),
            _handling("handling", "答复用时中位数", days, 0.5, answered),
            _handling("handling_p90", "答复用时 P90", days, 0.9, answered),
            Figure(
                "accepted",
                "处理满意率",
                content,
                "患者认可答复的投诉 ÷ 患者表过态的投诉；下面列出不认可的",
                content_interval,
                partial(_listed, [one for one in judged if one.status != "accepted"]),
            ),
            Figure("praise", "表扬", str(rows.praise(db, span.since, span.until)), "这段时间收到的表扬"),
        ],
        [
            charts.columns("每天投诉", Counter(span.day(one.at) for one in found), span.first, span.days),
            charts.amounts(
                "按分级",
                [
                    (name, by_level[key], f"/console/tickets?severity={key}&state=")
                    for key, name in labels.SEVERITIES.items()
                ],
            ),
        ],
    )


def _handling(key: str, name: str, days: Sequence[float], part: float, answered: Sequence[Row]) -> Figure:
    definition = "从受理到首次答复，中国工作日；当天为0"
    if not days:
        return Figure(key, name, "—", definition, "没有数据")
    value, low, high = quantile(days, part)
    return Figure(
        key,
        name,
        f"{value:.0f} 个工作日",
        definition,
        f"n={len(days)}，95%区间 {low:.0f}–{high:.0f}",
        partial(_listed, answered),
    )


def _workdays(span: Span, one: Row) -> int:
    began, ended = span.day(one.at), span.day(one.replied_at)
    return sum(is_workday(began + timedelta(days=day)) for day in range(1, (ended - began).days + 1))


def _listed(chosen: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        person(
            one.at,
            one.patient_name,
            f"{one.number} {one.severity} {labels.TICKET_STATES.get(one.status, one.status)}",
            f"/console/tickets/{one.number}",
        )
        for one in chosen
    ]
