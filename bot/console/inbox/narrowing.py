"""Which list of conversations an address asks for: folder, chips, filters, words. Every list is an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.console import labels
from storage.queries.console_inbox import Narrowing

FOLDERS: Final[Mapping[str, str]] = {
    "work": "待处理",
    "alarms": "红色警报",
    "mine": "我的",
    "unassigned": "待认领",
    "waiting": "等患者回复",
    "promises": "今日承诺",
    "complaints": "投诉",
    "mentions": "提到我",
    "vip": "VIP",
    "closing": "窗口将关",
    "snoozed": "稍后处理",
    "all": "全部",
}
LANGUAGES: Final = {"zh-Hans": "简体", "zh-Hant": "繁体", "en": "英文"}
WHO: Final = {"vip": "VIP", "child": "代孩子", "unbound": "未绑定", "left": "已取关"}
WAITED: Final = {"10": "10分钟以上", "60": "1小时以上", "240": "4小时以上", "1440": "1天以上"}
WINDOWS: Final = {"2": "2小时内关", "8": "8小时内关", "24": "24小时内关"}
DAYS_AFTER: Final = {"1": "术后第1天", "3": "术后3天内", "7": "术后7天内", "30": "术后30天内"}
# Name of the field in the address → its label and what can be chosen; None: it comes from the tables.
CHOICES: Final[Mapping[str, tuple[str, Mapping[str, str] | None]]] = {
    "task": ("事由", labels.TASKS),
    "department": ("科室", None),
    "doctor": ("医生", None),
    "tag": ("标签", None),
    "pod": ("术后", DAYS_AFTER),
    "waited": ("等了", WAITED),
    "window": ("窗口", WINDOWS),
    "who": ("患者", WHO),
    "language": ("语言", LANGUAGES),
    "promise": ("承诺", {"1": "答应过回电"}),
    "source": ("来源", None),
}


@dataclass(frozen=True, slots=True)
class Query:
    """Which list a URL asks for."""

    folder: str = "work"
    level: str = ""
    account: str = ""
    nurse: str = ""
    task: str = ""
    department: str = ""
    doctor: str = ""
    tag: str = ""
    pod: str = ""
    waited: str = ""
    window: str = ""
    who: str = ""
    language: str = ""
    promise: str = ""
    source: str = ""
    q: str = ""
    before: str = ""

    @classmethod
    def of(cls, request: web.Request) -> Query:
        """Read it; what is not known is left out."""
        given = {one.name: request.query.get(one.name, "").strip()[:60] for one in fields(cls)}
        known: Mapping[str, Mapping[str, str]] = {
            "folder": FOLDERS,
            "level": labels.LEVELS,
            "account": labels.CHANNELS,
            **{name: choices for name, (_, choices) in CHOICES.items() if choices is not None},
        }
        given |= {name: "" for name, values in known.items() if given[name] not in values}
        return cls(**given | {"folder": given["folder"] or "work"})

    @property
    def words(self) -> str:
        """What must have been said."""
        return self.q

    @property
    def filtered(self) -> int:
        """How many of the filters behind 更多 are set."""
        return sum(bool(getattr(self, name)) for name in CHOICES)

    def chosen(self, name: str) -> str:
        """What a filter is set to."""
        return str(getattr(self, name))

    def kept(self, *, filters: bool = True) -> list[tuple[str, str]]:
        """Names and values that a form of the page must not lose; what it asks itself is left out."""
        left_out = {"before", "q"} if filters else {"before", *CHOICES}
        found = [(one.name, self.chosen(one.name)) for one in fields(self) if one.name not in left_out]
        return [(name, value) for name, value in found if value]

    def cleared(self) -> str:
        """The same list without the filters behind 更多."""
        return self.url(**dict.fromkeys(CHOICES, ""))

    def url(self, **changes: str) -> str:
        """This list with something changed, as the end of an address."""
        known = {one.name: getattr(self, one.name) for one in fields(self)} | {"before": ""} | changes
        if known["folder"] == "work":
            known["folder"] = ""
        return "?" + urlencode({key: value for key, value in known.items() if value})

    def narrowing(self, now: datetime, today: date, found: Sequence[int] | None) -> Narrowing:
        """For the database. `found`: the conversations in which the words stand."""
        return Narrowing(
            level=self.level,
            account=self.account,
            nurse=self.nurse,
            task=self.task,
            tag=self.tag,
            department=self.department,
            doctor=self.doctor,
            language=self.language,
            source=self.source,
            who=self.who,
            promised=bool(self.promise),
            waited_since=now - timedelta(minutes=int(self.waited)) if self.waited else None,
            window_until=now + timedelta(hours=int(self.window)) if self.window else None,
            operated=(today - timedelta(days=int(self.pod)), today) if self.pod else None,
            contact_ids=found,
        )
