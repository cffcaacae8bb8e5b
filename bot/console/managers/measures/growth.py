"""What broadcasts bring about, and who comes again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from bot.console.managers import charts
from bot.console.managers.charts import Chart, Share
from bot.console.managers.intervals import difference
from bot.console.managers.measures.base import (
    Figure,
    Section,
    Span,
    Table,
    patient_page,
    person,
    share,
)
from storage.queries import broadcasts
from storage.queries import console_figures as rows

WITHIN: Final = (90, 180, 365)  # days
COHORT: Final = timedelta(days=90)
EFFECT: Final = timedelta(days=30)  # after a broadcast began


def campaigns(db: sa.Connection, span: Span) -> Section:
    """What broadcasts brought about, against those who were kept back, where somebody was."""
    found = rows.campaigns(db, span.since, span.until)
    body, marks, paths = [], [], []
    for one in found:
        booked = rows.booked_after(db, one.id, one.started_at, EFFECT)
        did = broadcasts.answers(db, one.id, EFFECT)
        (all_, came), (held, held_came) = booked.get("", (0, 0)), booked.get("held_out", (0, 0))
        title = f"#{one.id} {one.text[:16]}"
        marks += [Share(title, came, all_)] + ([Share(f"#{one.id} 对照组", held_came, held)] if held else [])
        paths.append(f"/console/broadcasts/{one.id}?")
        body.append(
            [
                title,
                f"{one.started_at.astimezone(span.zone):%m-%d}",
                str(all_),
                str(did["replied"]),
                Share("", came, all_).words,
                Share("", held_came, held).words if held else "没有对照组",
                effect(came, all_, held_came, held),
                str(did["unfollowed"]),
            ]
        )
    return Section(
        "campaigns",
        "活动效果",
        [Figure("broadcasts", "群发", str(len(found)), "这段时间开始的群发，最多列出最近12个")],
        [charts.shares("30天内预约", marks)],
        [
            Table(
                "每个群发",
                ("群发", "开始", "人数", "30天内回复", "30天内预约", "对照组预约", "多出的预约", "取消关注"),
                body,
                paths,
            )
        ],
    )


def effect(came: int, count: int, held_came: int, held: int) -> str:
    """How many more booked than of those who were kept back, in hundredths, with the interval."""
    if not count or not held:
        return "—"
    gap, low, high = difference(came, count, held_came, held)
    sure = "" if low > 0 or high < 0 else "，看不出差别"
    return f"{100 * gap:+.1f}% (95%区间 {100 * low:+.1f}–{100 * high:+.1f}%){sure}"


def retention(db: sa.Connection, span: Span) -> Section:
    """Who comes again, and who does not."""
    today = min(span.last, span.day(span.now))
    figures, drawn = list[Figure](), list[Chart]()
    body: dict[str, dict[int, Share]] = {}
    for days in WITHIN:
        found = rows.retention(db, today, timedelta(days=days), COHORT)
        all_, again = sum(one.patients for one in found), sum(one.returned for one in found)
        value, interval = share(again, all_)
        began = today - timedelta(days=days) - COHORT + timedelta(days=1)
        figures.append(
            Figure(
                f"retention_{days}",
                f"{days}天内复诊率",
                value,
                f"{began} 至 {today - timedelta(days=days)} 就诊的患者中，{days}天内又来过的；按科室最后一次就诊算起",
                interval,
            )
        )
        drawn.append(
            charts.shares(
                f"{days}天内复诊，按科室",
                [
                    Share(
                        one.name,
                        one.returned,
                        one.patients,
                        f"/console/figures/retention_{days}?department={one.code}&",
                    )
                    for one in found
                ],
            )
        )
        for one in found:
            body.setdefault(one.name, {})[days] = Share(one.name, one.returned, one.patients)
    lost, lost_interval = _churn(body)
    figures.append(
        Figure(
            "churn",
            "流失率",
            lost,
            "一年内没有再来的 ÷ 那段时间就诊的患者；点开复诊率看是哪些人",
            lost_interval,
        )
    )
    return Section(
        "retention",
        "留存",
        figures,
        drawn,
        [
            Table(
                "按科室",
                ("科室", *(f"{days}天内复诊" for days in WITHIN)),
                [
                    [name, *(found[days].words if days in found else "—" for days in WITHIN)]
                    for name, found in sorted(body.items())
                ],
            )
        ],
    )


def _churn(body: Mapping[str, Mapping[int, Share]]) -> tuple[str, str]:
    year = [found[365] for found in body.values() if 365 in found]
    count = sum(one.count for one in year)
    return share(count - sum(one.good for one in year), count)


def lost(db: sa.Connection, span: Span, days: int, department: str) -> list[dict[str, Any]]:
    """Who did not come again."""
    today = min(span.last, span.day(span.now))
    return [
        person(one.date, one.patient_name, f"{one.department}，之后没有再来", patient_page(one))
        for one in rows.lost(db, today, timedelta(days=days), COHORT, department)
    ]
