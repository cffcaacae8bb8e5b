"""What codes are called on staff's screens."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import bot.language
from bot.language.pinyin import syllables
from bot.language.red_flags.witness import UNNAMED

LEVELS = {"E": "紧急", "U": "尽快", "S": "今天"}
LEVEL_OF = ("E", "U", "S")
CHANNELS = {"wechat": "公众号", "wecom": "企业微信", "kf": "微信客服"}
ROUTES = {
    "passive": "公众号即时回复",
    "customer_service": "公众号客服消息",
    "template": "模板通知",
    "wecom": "企业微信",
    "kf": "微信客服",
    "sms": "短信",
    "mass": "群发",
    "wechat": "公众号",
}
RELATIONS = {"self": "本人", "child": "孩子", "parent": "父母", "spouse": "配偶", "other": "其他"}
STATES = {
    "queued": "待发",
    "held": "群发已暂停",
    "gathered": "等待群发",
    "sending": "发送中",
    "sent": "已发",
    "delivered": "已送达",
    "expired": "已过期",
    "suppressed": "未发",
    "failed": "失败",
}
REASONS = {
    "recalled": "已撤回",
    "staff": "同事停发",
    "too_late": "过了有效时间",
    "deceased": "患者已故",
    "no_consent": "未同意此类消息",
    "quiet_hours": "夜间不打扰",
    "open_alert": "有未关闭的警报",
    "after_emergency": "紧急情况后14天内",
    "open_complaint": "有未办结的投诉",
    "after_complaint": "投诉办结不满30天",
    "nurse_speaks": "人工处理中",
    "quota": "平台额度用完",
    "pace": "发送限速",
    "no_lawful_route": "没有合规的发送方式",
    "no_window": "聊天窗口已关闭，未再发送",
    "no_route": "无法送达，已转电话任务",
    "unknown_outcome": "结果未知，需人工确认",
    "sender_died": "发送中断，将重发",
    "opted_out": "患者已退订",
}
PURPOSES = {
    "alarm": "警报",
    "transaction": "业务",
    "care": "随访",
    "survey": "满意度",
    "greeting": "问候",
    "marketing": "营销",
}
TYPES = {
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "shortvideo": "小视频",
    "location": "位置",
    "link": "链接",
    "file": "文件",
    "event:subscribe": "关注了公众号",
    "event:unsubscribe": "取消了关注",
    "event:CLICK": "点了菜单",
    "event:click": "点了菜单",
    "event:SCAN": "扫了二维码",
    "event:scan": "扫了二维码",
}
TASKS = {
    "media": "看图片/语音",
    "callback": "回电",
    "plan": "随访异常",
    "silence": "随访未回复",
    "handoff": "转人工",
    "complaint": "投诉",
    "no_route": "消息送不到",
    "low_score": "低分回访",
    "report": "报告需告知",
}
TICKET_STATES = {
    "received": "已受理",
    "acknowledged": "已确认",
    "assigned": "已指派",
    "investigating": "调查中",
    "replied": "已答复",
    "accepted": "患者满意",
    "disputed": "患者不认可",
    "reopened": "重新打开",
    "closed": "已办结",
}
TAG_KINDS = {
    "clinical": "临床",
    "risk": "风险",
    "service": "服务",
    "portrait": "画像",
    "marketing": "营销",
}
CAUSES = {
    "clinical.care": "临床：诊疗质量",
    "clinical.harm": "临床：不良后果",
    "clinical.error": "临床：差错",
    "management.waiting": "管理：等候与流程",
    "management.fee": "管理：费用",
    "management.place": "管理：环境与设施",
    "management.system": "管理：系统与小护",
    "relation.attitude": "关系：态度",
    "relation.words": "关系：沟通告知",
    "relation.privacy": "关系：隐私",
    "relation.honesty": "关系：廉洁",
    "other": "其他",
}
LEGAL = {"mediation": "调解", "court": "诉讼", "police": "公安"}
QUALITY = {"sent": "质控处理中", "done": "质控已完成"}
TICKET_KINDS = {"complaint": "投诉", "suggestion": "建议", "praise": "表扬"}
CLOSED_AS = {"settled": "已解决", "not_accepted": "不予受理"}
# What one presses to bring a ticket into a state.
TICKET_MOVES = {
    "acknowledged": "确认受理",
    "assigned": "指派",
    "investigating": "开始调查",
    "closed": "办结",
    "reopened": "重新打开",
}
SEVERITIES = {"C1": "C1 严重", "C2": "C2 重要", "C3": "C3 一般", "C4": "C4 建议"}
SUPPRESSIONS = {
    "negated": "否定",
    "history": "既往",
    "hypothetical": "假设",
    "idiom": "习语",
    "place": "地点",
    "object": "物品",
    "animal": "动物",
    "fiction": "影视小说",
    "own_text": "引用",
}
SLOTS = {
    "department": "科室",
    "doctor": "医生",
    "phone": "电话",
    "when": "时间",
    "what": "事情",
    "patient": "患者",
    "symptom": "症状",
    "urgency": "紧急程度",
    "said": "原话",
    "half": "时段",
    "time": "时间",
    "days": "日期",
    "日期": "日期",
    "时段": "时段",
    "number": "单号",
    "symptoms": "症状",
    "told": "患者说",
    "details": "经过",
    "wish": "希望",
    "severity": "严重程度",
    "emotion": "情绪",
    "kind": "类别",
    "amount": "数量",
    "code": "编号",
    "text": "原话",
    "concept": "危险信号",
    "missing": "没有的科室",
    "soonest": "越早越好",
    "avoid": "不要的医生",
    "binding": "身份核验",
    "name": "姓名",
}
DISPOSITIONS = {
    "120": "已叫120",
    "er": "已到急诊",
    "advice": "医生电话指导",
    "false": "误报",
    "unreachable": "联系不上",
}
HANDING_BACK = {
    "end": "办结，小护接着答",
    "resume": "小护接着办刚才的事",
    "morning": "明早8点前我来看，之后交还小护",
}
ANOTHER_WAY = {"again": "重发", "sms": "改发短信通知", "call": "改打电话"}
SNOOZES = {"1h": "1小时后", "tonight": "今晚19点", "tomorrow": "明早8点", "3d": "3天后", "week": "下周一"}
SEX = {"M": "男", "F": "女", "": ""}


@cache
def concepts() -> Mapping[str, str]:
    """The lexicon's danger signs: G01 → 心源性胸痛; and what only the second reader takes for one."""
    assert bot.language.__file__ is not None
    folder = Path(bot.language.__file__).parent / "lexicon"
    return {UNNAMED: "疑似危险（统计识别，请人工判断）"} | {
        concept["id"]: concept["name"]
        for file in sorted(folder.glob("*.toml"))
        for concept in tomllib.loads(file.read_text(encoding="utf-8")).get("concept", ())
    }


def concept(code: str) -> str:
    """A danger sign by name; its code when the lexicon does not know it."""
    return concepts().get(code, code)


def reason(code: str) -> str:
    """Why a letter did not go: every word of it that we know, in Chinese."""
    return "；".join(REASONS.get(part, part) for part in code.split())


def initials(text: str) -> str:
    """Pinyin initials, to find a name or a snippet by typing: 李护士 → lhs."""
    return "".join(
        (found[0][0] if (found := syllables(char)) else char.lower()) for char in text if not char.isspace()
    )
