"""What plans, their steps and their decisions are called: codes of the machine in a colleague's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bot.console import labels

PLANS: Final[Mapping[str, str]] = {
    "abdominal": "腹部手术后随访",
    "antenatal": "孕期随访",
    "birth": "产后随访",
    "cataract": "白内障术后随访",
    "copd": "慢阻肺随访",
    "cosmetic": "整形术后随访",
    "dayga": "日间全麻术后随访",
    "dental": "口腔术后随访",
    "diabetes": "糖尿病随访",
    "endoscopy": "内镜检查后随访",
    "exam": "体检前提醒",
    "exam_after": "体检后随访",
    "greeting": "节日生日问候",
    "happy_call": "出院回访",
    "happy_call_outpatient": "诊后回访",
    "hypertension": "高血压随访",
    "joint": "骨关节术后随访",
    "missed": "爽约再约",
    "missed_visit": "爽约再约",
    "newborn": "新生儿随访",
    "pci": "心脏支架术后随访",
    "preop": "术前提醒",
    "report": "报告通知",
    "stroke": "卒中后随访",
    "tonsil": "扁桃体术后随访",
    "visit": "就诊提醒",
    "visit_day": "就诊提醒",
    "exam_findings": "体检异常复查",
    "exam_contacted": "体检危急值跟进",
    "preop_bowel": "肠道准备提醒",
    "injection": "注射后观察",
    "refill": "续方提醒",
    "revisit": "复诊到期提醒",
}
_STEPS: Final[Mapping[str, str]] = {
    "called_off": "取消通知",
    "daily": "每日",
    "feet": "足部检查",
    "go_on": "是否继续",
    "monday": "每周一",
    "monthly": "每月",
    "movements": "数胎动",
    "quarterly": "每季",
    "ready": "已出报告",
    "rebook": "重新预约",
    "thursday": "每周四",
    "visit": "复诊",
    "weekly": "每周",
    "yearly": "每年",
}
_COUNTED: Final = re.compile(r"(d|b|w|m|t|r)([0-9]+)(d|h)?(?:_([0-9]+))?\Z")
_UNITS: Final = {
    "d": "第{}天",
    "b": "出生第{}天",
    "w": "孕{}周",
    "m": "满{}个月",
    "t": "前{}天",
    "r": "出报告{}天后",
}
QUESTIONS: Final[Mapping[str, str]] = {
    "flags": "危险信号",
    "feel": "感觉如何",
    "pain": "疼痛几分",
    "temp": "体温",
    "wound": "伤口",
    "joint_wound": "伤口",
    "eat": "进食",
    "bowel": "排便",
    "urine": "排尿",
    "leg": "腿肿胀疼痛",
    "med": "服药",
    "med_vital": "重要药物",
    "mood": "心情",
    "interest": "兴趣",
    "visit": "复诊预约",
    "bp": "血压",
    "glu": "血糖",
    "call": "要不要电话",
    "belly": "腹痛",
    "csat": "满意度",
    "csat_reason": "不满意的原因",
    "understood": "出院交代",
    "whom_to_call": "知道打哪个电话",
    "anything": "还想说什么",
    "walking": "行走",
    "go_on": "是否继续提醒",
    "headache": "头痛眼花",
    "implant": "假体",
    "belly_endoscopy": "腹痛（内镜后）",
    "awake": "清醒程度",
    "breath": "气短和痰",
    "cord": "脐带",
    "rebook": "要不要重新预约",
    "child_visit": "儿童健康检查",
    "puncture": "穿刺处",
    "preop_health": "术前身体状况",
    "stitches": "拆线",
    "remark": "还想说什么",
    "preop_today_fever": "手术当天发热",
    "injected_colour": "注射处颜色",
    "milk": "吃奶",
    "inhaler": "吸入装置",
    "reminder": "就诊提醒",
    "drain": "引流量",
    "stool_blood": "便血",
    "nappies": "尿布",
    "choking": "呛咳",
    "skin_eyes": "皮肤眼睛发黄",
    "drops": "眼药水",
    "preop_today_ate": "手术当天进食",
    "spo2": "血氧",
    "preop_bowel": "肠道准备",
    "fast": "卒中征象",
    "jaundice": "黄疸",
    "coming": "会不会来",
    "bleed_throat": "咽喉出血",
    "chest": "胸闷胸痛",
    "one_side_swelling": "一侧肿胀",
    "foot": "足部",
    "contacted": "医生是否联系",
    "feeding": "喂养",
    "neck": "颈部",
    "vision": "视力",
    "bleed_tooth": "牙龈出血",
    "tingling": "手脚嘴麻",
    "tooth_pain": "牙痛",
    "drink": "饮水",
    "lochia": "恶露",
    "antenatal_visit": "产检预约",
    "movements": "胎动",
    "preop_medicines": "术前用药",
    "swallow": "吞咽",
    "refill": "续方",
    "exam_read": "体检报告解读",
    "recheck": "复查预约",
    "cat": "CAT评分",
    "csat_again": "满意度（复问）",
}
DECISIONS: Final[Mapping[str, str]] = {
    "started": "计划开始",
    "moved": "时间随手术/出院改动",
    "stopped": "计划停止",
    "deferred": "推迟",
    "sent": "已发",
    "asked_again": "再问一次",
    "answering": "正在回答",
    "answered": "已回答",
    "silent": "没有回答",
    "withheld": "没发",
    "expired": "过期未发",
    "cancelled": "取消",
    "migrated": "换到新版本",
    "rescheduled": "改期",
}
REASONS: Final[Mapping[str, str]] = {
    "a_nurse_is_at_it": "护士正在处理",
    "answered": "今天已经问过同样的问题",
    "cap": "当天已经联系过一次",
    "deceased": "患者已故",
    "in_hospital": "正在住院",
    "no_anchor": "没有可依据的日期",
    "no_consent": "没有同意或已退订",
    "no_contact": "没有绑定微信",
    "no_guardian": "没有监护人绑定",
    "not_wanted": "患者不需要",
    "nurse_speaks": "人工处理中",
    "open_alert": "有未关闭的警报",
    "open_complaint": "有未办结的投诉",
    "open_question": "另一个更要紧的问题还没答",
    "plan_withdrawn": "计划已停用",
    "pregnancy_loss": "妊娠丢失",
    "quiet_hours": "夜间不打扰",
    "readmitted": "再次住院",
    "silent": "多次没有回答，已停问",
    "surveyed_lately": "30天内已做过满意度",
    "telephoned": "已在电话里问完",
    "too_late": "过了有效时间",
    "unsigned": "方案还没有医生签字",
    "wrote_something_else": "患者写了别的内容",
    "paused": "计划已暂停",
    "after_complaint": "投诉办结不满30天",
}


def plan(code: str) -> str:
    """A plan by name; what nobody named keeps its code."""
    if code.startswith("broadcast:"):
        return "群发"
    return PLANS.get(code, code)


def step(code: str) -> str:
    """d3 → 第3天, m1 → 满1个月, t1_18 → 前1天18点."""
    if code in _STEPS:
        return _STEPS[code]
    counted = _COUNTED.match(code)
    if counted is None:
        return code
    unit, number, small, hour = counted.groups()
    if small == "h":
        return f"前{number}小时"
    words = "当天" if (unit, number) in (("d", "0"), ("t", "0")) else _UNITS[unit].format(number)
    return f"{words}{hour}点" if hour else words


def contact(plan_code: str, step_code: str) -> str:
    """骨关节术后随访 第3天."""
    return f"{plan(plan_code)} {step(step_code)}".strip()


def reason(text: str) -> str:
    """Why a contact went out or did not, every part of it that we know in Chinese."""
    if text in QUESTIONS:
        return QUESTIONS[text]
    who, _, name = text.partition(" ")
    if who == "staff":
        return f"{name} 操作"
    return "；".join(REASONS.get(part, part) for part in text.split())


def task_reason(text: str) -> str:
    """What a task says of a plan (`joint d3:…`, `no_contact joint d3`, `…:temp=3`), readable."""
    if text in labels.TYPES:
        return labels.TYPES[text]
    words = _CONTACT.sub(lambda found: contact(found[1], found[2]), text)
    words = _ANSWER.sub(lambda found: f"：{QUESTIONS.get(found[1], found[1])}，答 {found[2]}", words)
    return _CODE.sub(lambda found: REASONS.get(found[0], found[0]), words)


_CONTACT: Final = re.compile(rf"(?<![a-z_])({'|'.join(sorted(PLANS, key=len, reverse=True))}) ([a-z0-9_]+)")
_ANSWER: Final = re.compile(r":([a-z_]+)=(.+)")
_CODE: Final = re.compile(r"[a-z]+(?:_[a-z]+)*")
