"""One small invented hospital, put straight into the tables, for tests that need somebody to talk about.

    await chat.does(open_hospital)
    await chat.does(bound("oPatient", "P01"))

Six departments, twelve doctors, three weeks of places from `FIRST_DAY` (the tests' Wednesday), eight patients.
Every slot's code is written `slot_code("D01", "2026-11-19 08:30")`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from storage.queries.conversations import REVISION
from storage.tables import (
    answers,
    bindings,
    contacts,
    conversations,
    departments,
    doctors,
    facts,
    patients,
    slots,
)
from storage.types import Seal

ZONE = ZoneInfo("Asia/Shanghai")
ACCOUNT = "wechat/default"
OPENED = datetime(2026, 11, 1, 8, 0, tzinfo=ZONE)
FIRST_DAY = date(2026, 11, 18)
DAYS = 21
SLOT_MINUTES = 60
CAPACITY = 2

FACTS = {
    "name": "青禾市人民医院",
    "short_name": "青禾医院",
    "phone": "0571-88880000",
    "nurse_phone": "0571-88880120",
    "complaint_phone": "0571-88880315",
    "address": "青禾市长春路18号",
    "emergency_name": "急诊楼一层",
    REVISION: "tests-1",
}

# code, name, location, aliases, description
DEPARTMENTS = (
    ("GK", "骨科", "门诊楼3层东区", "骨伤科|关节外科", "骨折、关节、脊柱疾病"),
    ("XN", "心血管内科", "门诊楼5层西区", "心内科|心脏科", "高血压、冠心病、心律失常"),
    ("XH", "消化内科", "门诊楼4层东区", "肠胃科", "胃肠、肝胆疾病和内镜检查"),
    ("EK", "儿科", "儿童楼1层", "小儿科", "0至14岁儿童常见病"),
    ("FC", "妇产科", "妇幼楼2层", "妇科|产科", "妇科疾病、孕期检查和分娩"),
    ("KQ", "口腔科", "门诊楼2层西区", "牙科", "牙病、种植和正畸"),
)

# code, name, title, department, specialties, fee in cents, what half-days (weekday 0 = Monday; a = morning, p = afternoon)
DOCTORS = (
    ("D01", "张建国", "主任医师", "GK", "膝关节置换|运动损伤", 5000, "0a 2a 3p 4a"),
    ("D02", "张敏", "主治医师", "GK", "骨折|脊柱", 1500, "0a 1a 1p 2p 3a 4p"),
    ("D03", "李文博", "副主任医师", "GK", "肩关节|手外科", 3000, "1p 3a 4a"),
    ("D04", "王海燕", "主任医师", "XN", "冠心病|心律失常", 5000, "0a 2p 4a"),
    ("D05", "刘强", "主治医师", "XN", "高血压", 1500, "0p 1a 3a 3p"),
    ("D06", "陈思远", "副主任医师", "XH", "胃肠镜|炎症性肠病", 3000, "1a 2a 4p"),
    ("D07", "赵丽", "主治医师", "XH", "胃炎|脂肪肝", 1500, "0a 3a 3p"),
    ("D08", "孙悦", "副主任医师", "EK", "小儿呼吸|过敏", 3000, "0a 1a 2a 3a 4a"),
    ("D09", "周晓彤", "主治医师", "EK", "小儿消化|生长发育", 1500, "0p 2p 4p"),
    ("D10", "吴桂芳", "主任医师", "FC", "高危妊娠|子宫肌瘤", 5000, "1a 3a"),
    ("D11", "郑雅文", "主治医师", "FC", "产前检查|更年期", 1500, "0p 2a 4a 4p"),
    ("D12", "何俊杰", "副主任医师", "KQ", "种植牙|正畸", 3000, "1p 2a 3p 5a"),
)
HOURS = {"a": ("08:30", "09:30", "10:30"), "p": ("14:00", "15:00")}

# code, name, sex, born, phone, identity number, language, deceased on
PATIENTS: tuple[tuple[str, str, str, date, str, str, str, date | None], ...] = (
    ("P01", "林志远", "M", date(1985, 3, 12), "13800000001", "330101198503121232", "zh-Hans", None),
    ("P02", "林小雨", "F", date(2018, 6, 1), "13800000001", "330101201806012247", "zh-Hans", None),  # a child
    (
        "P03",
        "林德明",
        "M",
        date(1952, 9, 20),
        "13800000003",
        "330101195209203311",
        "zh-Hans",
        None,
    ),  # a parent
    (
        "P04",
        "高一凡",
        "M",
        date(2011, 2, 8),
        "13800000004",
        "330101201102084455",
        "zh-Hans",
        None,
    ),  # 15 years
    ("P05", "许静怡", "F", date(1990, 11, 30), "13800000005", "33010119901130554X", "zh-Hans", None),
    ("P06", "Emma Clark", "F", date(1988, 7, 4), "13800000006", "", "en", None),
    ("P07", "黎咏诗", "F", date(1979, 1, 15), "13800000007", "330101197901156677", "zh-Hant", None),
    (
        "P08",
        "方国栋",
        "M",
        date(1940, 5, 5),
        "13800000008",
        "330101194005057788",
        "zh-Hans",
        date(2026, 10, 1),
    ),
)

# code, questions, answer, Traditional, English
ANSWERS = (
    (
        "parking",
        "停车在哪|有停车场吗|停车怎么收费|可以停车吗",
        "医院地下停车场入口在长春路南侧，前30分钟免费，之后每小时5元，凭当日挂号单减免2小时。",
        "醫院地下停車場入口在長春路南側，前30分鐘免費，之後每小時5元，憑當日掛號單減免2小時。",
        "The underground car park is entered from Changchun Road; 30 minutes free, then 5 yuan an hour.",
    ),
    (
        "insurance",
        "可以用医保吗|医保怎么报销|异地医保能用吗|社保卡能用吗",
        "本院支持省市医保和异地医保直接结算，请带医保卡或医保电子凭证。",
        "",
        "We settle provincial and out-of-town medical insurance directly; bring your card.",
    ),
    (
        "hours",
        "几点上班|门诊时间|周末上班吗|医院营业时间|什么时候开门",
        "门诊时间：周一至周五 8:00-12:00、13:30-17:00，周六上午开诊；急诊24小时。",
        "",
        "Clinics: Monday to Friday 8:00-12:00 and 13:30-17:00, Saturday mornings; emergency around the clock.",
    ),
    (
        "gastroscopy",
        "做胃镜要空腹吗|胃镜检查前要准备什么|胃镜怎么准备",
        "胃镜检查前请空腹8小时、禁水4小时，无痛胃镜需家属陪同。",
        "",
        "",
    ),
    ("wifi", "医院有无线网吗|wifi密码多少", "门诊大厅无线网名称 Qinghe-Guest，无需密码。", "", ""),
    (
        "visiting",
        "住院探视时间|什么时候可以探视病人",
        "住院探视时间为每天15:00-17:00，每次不超过2人。",
        "",
        "Visiting hours are 15:00-17:00 every day.",
    ),
)


def at(text: str) -> datetime:
    """A moment on the hospital's clock: `at("2026-11-19 08:30")`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def slot_code(doctor: str, start: str) -> str:
    """`D01-1119-0830` for `slot_code("D01", "2026-11-19 08:30")`."""
    return f"{doctor}-{at(start):%m%d-%H%M}"


def open_hospital(db: sa.Connection) -> None:
    """All of it. Nobody is bound yet."""
    db.execute(facts.insert(), [{"key": key, "value": value} for key, value in FACTS.items()])
    db.execute(departments.insert(), _rows(DEPARTMENTS, "code name location aliases description"))
    columns = "code name title department_code specialties fee_cents"
    db.execute(doctors.insert(), _rows([doctor[:-1] for doctor in DOCTORS], columns))
    db.execute(slots.insert(), list(_slots()))
    db.execute(patients.insert(), [_patient(*patient) for patient in PATIENTS])
    db.execute(answers.insert(), _rows(ANSWERS, "code questions answer answer_zh_hant answer_en"))


def bound(
    openid: str, patient: str, relation: str = "self", level: int = 2, *, unionid: str = ""
) -> Callable[[sa.Connection], None]:
    """Arrange that this WeChat user speaks for this patient."""

    def bind(db: sa.Connection) -> None:
        contact_id = contact(db, openid, unionid)
        row = {"contact_id": contact_id, "patient_code": patient, "relation": relation, "level": level}
        db.execute(bindings.insert().values(**row, created_at=OPENED))

    return bind


def contact(db: sa.Connection, openid: str, unionid: str = "") -> int:
    """The WeChat user's row, made when it is missing; noticed already, so that answers stay short."""
    number: int | None = db.execute(
        sa.select(contacts.c.id).where(contacts.c.account == ACCOUNT, contacts.c.openid == openid)
    ).scalar()
    if number is None:
        row: dict[str, Any] = {"account": ACCOUNT, "openid": openid, "unionid": unionid or None}
        row |= {"created_at": OPENED, "noticed_at": OPENED}
        number = db.execute(contacts.insert().values(**row).returning(contacts.c.id)).scalar_one()
        db.execute(conversations.insert().values(contact_id=number))
    return number


def add_slot(
    doctor: str, start: str, *, capacity: int = 1, minutes: int = SLOT_MINUTES, code: str = ""
) -> Callable[[sa.Connection], None]:
    """Arrange one more place of a doctor, on the hospital's clock."""

    def add(db: sa.Connection) -> None:
        db.execute(slots.insert().values(**_slot(doctor, at(start), capacity, minutes) | _coded(code)))

    return add


def _coded(code: str) -> dict[str, str]:
    return {"code": code} if code else {}


def _slots() -> list[dict[str, Any]]:
    found = []
    for doctor, *_, half_days in DOCTORS:
        for offset in range(DAYS):
            day = FIRST_DAY + timedelta(days=offset)
            for half_day in half_days.split():
                if int(half_day[0]) == day.weekday():
                    for hour in HOURS[half_day[1]]:
                        found.append(_slot(doctor, at(f"{day} {hour}"), CAPACITY, SLOT_MINUTES))
    return found


def _slot(doctor: str, start: datetime, capacity: int, minutes: int) -> dict[str, Any]:
    return {
        "code": f"{doctor}-{start:%m%d-%H%M}",
        "doctor_code": doctor,
        "start_at": start,
        "end_at": start + timedelta(minutes=minutes),
        "capacity": capacity,
    }


def _patient(
    code: str,
    name: str,
    sex: str,
    born: date,
    phone: str,
    id_number: str,
    language: str,
    deceased_on: date | None,
) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "sex": sex,
        "birth_date": born,
        "phone": phone,
        "phone_index": Seal.index(phone),
        "id_number": id_number or None,
        "language": language,
        "deceased_on": deceased_on,
    }


def _rows(values: Any, columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns.split(), row, strict=True)) for row in values]
