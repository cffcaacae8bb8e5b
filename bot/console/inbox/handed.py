"""What a conversation is handed over with, in words: the forms keep codes, a colleague reads names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bot.console import labels
from bot.console.flows import plan_words
from storage.queries import console_thread as threads
from storage.queries import plans

# What only the machine needs; and what stands on the card anyway.
HIDDEN = frozenset({"shown", "read", "need", "proven", "provisional", "fits", "relation", "said", "pictures"})
TOPICS: Mapping[str, str] = {
    "appointment_book": "预约挂号",
    "appointment_cancel": "取消预约",
    "appointment_move": "改约",
    "appointment_list": "查预约",
    "binding": "绑定身份",
    "family": "添加家人",
    "fresh_code": "核验身份",
    "unbinding": "解绑",
    "complaint": "投诉",
    "complaint_addition": "补充投诉",
    "complaint_dispute": "对答复不满意",
    "praise": "表扬",
    "plan_answer": "回答随访",
    "points_balance": "积分",
    "points_give": "送积分",
    "points_offer": "收积分",
    "points_redeem": "积分兑换",
    "reports": "查报告",
    "safety_check": "安全询问",
    "triage": "分诊",
    "waiting_offer": "候补号源",
}


def settled(db: sa.Connection, slots: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Code, label and value of everything worth reading, in the order it was settled."""
    found = []
    for code, value in slots.items():
        if code in HIDDEN or value in (None, "", [], "0"):
            continue
        label, words = _one(db, code, str(value))
        if words:
            found.append((code, label, words))
    return found


def _one(db: sa.Connection, code: str, value: str) -> tuple[str, str]:
    if code == "touch":
        row = plans.touch(db, int(value)) if value.isdigit() else None
        return "随访", plan_words.contact(row.plan, row.step) if row is not None else ""
    if code in ("科室代码", "departments", "department"):
        return "科室", _names(threads.department_names(db, _codes(value)), value)
    if code in ("医生代码", "doctors", "doctor"):
        return "医生", _names(threads.doctor_names(db, _codes(value)), value)
    if code in ("appointment", "binding", "transfer", "contact", "patient", "slot", "号源", "alert"):
        return labels.SLOTS.get(code, code), ""
    return labels.SLOTS.get(code, code), {"True": "是", "False": "否"}.get(value, value)


def _codes(value: str) -> list[str]:
    return [code.strip(" '\"()[]") for code in value.replace("、", ",").split(",") if code.strip(" '\"()[]")]


def _names(known: Mapping[str, str], value: str) -> str:
    return "、".join(known.get(code, code) for code in _codes(value))
