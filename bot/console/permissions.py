"""Which role may ask for which page: the whole table. What does not stand here is nobody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROLES: Mapping[str, str] = {
    "nurse": "护士",
    "agent": "客服",
    "coordinator": "商谈师",
    "marketing": "营销",
    "manager": "经理",
    "quality": "质控",
    "admin": "系统管理员",
    "auditor": "审计员",
}

EVERYONE = frozenset(ROLES)
DESK = frozenset({"nurse", "agent", "coordinator"})  # they answer patients
LEADS = DESK | {"manager"}
READS = LEADS | {"quality"}
FIGURES = frozenset({"manager", "quality", "marketing", "coordinator"})
SYSTEM = frozenset({"admin"})
AUDIT = frozenset({"auditor"})
MAILERS = frozenset({"marketing", "manager"})  # they write to many
MANAGERS = frozenset({"manager"})

_TABLE = (
    (EVERYONE, "GET /console/ /console/me /console/me/totp /console/events /console/alarms/bar"),
    (
        EVERYONE,
        "POST /console/logout /console/me/totp /console/me/password /console/me/language /console/me/sessions/{session}/end"
        " /console/me/sessions/end-others",
    ),
    (READS, "GET /console/inbox /console/inbox/list /console/alarms /console/alarms/list /console/commands"),
    (READS, "GET /console/conversations/{id} /console/conversations/{id}/live /console/search"),
    (
        READS,
        "GET /console/conversations/{id}/composer /console/conversations/{id}/snippets"
        " /console/conversations/{id}/why/{alert} /console/conversations/{id}/media/{message}"
        " /console/answers-at-hand",
    ),
    (READS, "POST /console/conversations/{id}/note"),
    (READS, "POST /console/views /console/views/{view}/remove"),
    (
        LEADS,
        "POST /console/conversations/{id}/take /console/conversations/{id}/reply"
        " /console/conversations/{id}/release /console/conversations/{id}/assign"
        " /console/conversations/{id}/snooze /console/conversations/{id}/wake"
        " /console/conversations/{id}/draft /console/conversations/{id}/tag"
        " /console/conversations/{id}/letters/{letter}/recall"
        " /console/conversations/{id}/letters/{letter}/now"
        " /console/conversations/{id}/letters/{letter}/way /console/conversations/{id}/slots"
        " /console/conversations/{id}/alerts/{alert}/acknowledge"
        " /console/conversations/{id}/alerts/{alert}/close"
        " /console/bulk/preview /console/bulk /console/undo/{undo}"
        " /console/answers-at-hand /console/answers-at-hand/remove",
    ),
    (READS, "GET /console/patients /console/patients/{code}"),
    (LEADS, "POST /console/patients/{code}/unmask /console/patients/{code}/tags"),
    (LEADS, "POST /console/patients/{code}/tags/remove /console/patients/{code}/planned/{touch}/stop"),
    (
        LEADS,
        "POST /console/patients/{code}/planned/{touch}/move /console/patients/{code}/letters/{letter}/stop",
    ),
    (READS, "GET /console/tickets /console/tickets/{number} /console/tickets/export/{kind}"),
    (
        READS,
        "POST /console/tickets/{number}/note /console/tickets/{number}/move /console/tickets/{number}/pause"
        " /console/tickets/{number}/resume /console/tickets/{number}/extend /console/tickets/{number}/refuse"
        " /console/tickets/{number}/legal /console/tickets/{number}/class /console/tickets/{number}/quality"
        " /console/tickets/{number}/actions /console/tickets/{number}/actions/{action}",
    ),
    (LEADS, "POST /console/tickets/{number}/answer"),
    (LEADS, "GET /console/calls /console/calls/{task} /console/pop"),
    (
        LEADS,
        "POST /console/calls/{task}/outcome /console/calls/{task}/answer /console/leads /console/leads/{lead}",
    ),
    (
        FIGURES,
        "GET /console/figures /console/figures/{figure} /console/figures/export /console/figures/month"
        " /console/figures/month/{kind}",
    ),
    (
        SYSTEM | {"manager"},
        "GET /console/admin /console/admin/outbox /console/admin/roster /console/admin/accounts",
    ),
    (SYSTEM | {"manager"}, "POST /console/admin/roster /console/admin/roster/{entry}/remove"),
    (
        SYSTEM,
        "POST /console/admin/outbox/{letter}/retry /console/admin/outbox/{letter}/close"
        " /console/admin/outbox/retry-all /console/admin/accounts/check /console/admin/imports",
    ),
    (
        SYSTEM,
        "GET /console/admin/users /console/admin/imports /console/admin/imports/{run}"
        " /console/admin/imports/{run}/progress /console/admin/imports/{run}/faults",
    ),
    (SYSTEM, "POST /console/admin/users /console/admin/users/{name}/change"),
    (SYSTEM | {"manager"}, "GET /console/admin/answers"),
    (SYSTEM | {"manager"}, "POST /console/admin/answers"),
    (AUDIT, "GET /console/audit /console/audit/export"),
    (FIGURES, "GET /console/calendar"),
    (
        MAILERS,
        "GET /console/broadcasts /console/broadcasts/new /console/broadcasts/{id} /console/broadcasts/{id}/live"
        " /console/broadcasts/{id}/people /console/broadcasts/{id}/edit",
    ),
    (
        MAILERS,
        "POST /console/broadcasts/new /console/broadcasts/audience /console/broadcasts/words"
        " /console/broadcasts/{id}/edit /console/broadcasts/{id}/submit /console/broadcasts/{id}/start"
        " /console/broadcasts/{id}/pause /console/broadcasts/{id}/resume /console/broadcasts/{id}/stop"
        " /console/broadcasts/{id}/call-back /console/broadcasts/{id}/try",
    ),
    (MANAGERS, "POST /console/broadcasts/{id}/approve /console/broadcasts/{id}/send-back"),
    (EVERYONE, "GET /console/stop/strip"),
    (LEADS | MAILERS | SYSTEM, "GET /console/stop"),
    (LEADS | MAILERS | SYSTEM, "POST /console/stop"),
    (MANAGERS | SYSTEM, "POST /console/stop/end"),
    (MAILERS, "GET /console/texts /console/texts/{topic}/{name}"),
    (
        MAILERS,
        "POST /console/texts/{topic}/{name} /console/texts/{topic}/{name}/preview"
        " /console/texts/{topic}/{name}/restore",
    ),
    (
        MANAGERS,
        "POST /console/texts/versions/{version}/approve /console/texts/versions/{version}/refuse",
    ),
    (READS, "GET /console/flows /console/flows/{plan} /console/flows/{plan}/people"),
    (LEADS, "POST /console/flows/{plan}/people/{instance}/stop"),
    (MANAGERS, "POST /console/flows/{plan}/pause /console/flows/{plan}/resume"),
)

ALLOWED: Mapping[tuple[str, str], frozenset[str]] = {
    (entry.split()[0], path): roles for roles, entry in _TABLE for path in entry.split()[1:]
}

# What stays readable on a monitor nobody has touched for a while: that there is an alarm.
OPEN_WHEN_IDLE = frozenset(
    {
        ("GET", "/console/alarms"),
        ("GET", "/console/alarms/list"),
        ("GET", "/console/alarms/bar"),
        ("GET", "/console/events"),
        ("GET", "/console/stop/strip"),
        ("POST", "/console/logout"),
    }
)

# What somebody may do who must enrol a second factor first.
BEFORE_ENROLMENT = frozenset(
    {("GET", "/console/me/totp"), ("POST", "/console/me/totp"), ("POST", "/console/logout")}
)

HOME: Mapping[str, str] = {
    "nurse": "/console/inbox",
    "agent": "/console/inbox",
    "coordinator": "/console/inbox?folder=vip",
    "marketing": "/console/calendar",
    "manager": "/console/figures",
    "quality": "/console/tickets",
    "admin": "/console/admin",
    "auditor": "/console/audit",
}


def may(role: str, method: str, path: str) -> bool:
    """Whether this role may ask for this page. `path` is the route's pattern: `/console/patients/{code}`."""
    return role in ALLOWED.get((method, path), frozenset())


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    path: str
    label: str
    icon: str  # a symbol of icons.svg
    key: str  # G, then this letter


PLACES = (
    Place("/console/inbox", "对话", "chat", "i"),
    Place("/console/patients", "患者", "person", "p"),
    Place("/console/tickets", "工单", "ticket", "t"),
    Place("/console/calls", "电话", "phone", "c"),
    Place("/console/broadcasts", "群发", "horn", "b"),
    Place("/console/flows", "随访", "route", "l"),
    Place("/console/figures", "报表", "chart", "f"),
    Place("/console/admin", "管理", "gear", "a"),
    Place("/console/audit", "审计", "shield", "u"),
)


def places_of(role: str) -> list[Place]:
    """Where this role may go."""
    return [place for place in PLACES if may(role, "GET", place.path)]
