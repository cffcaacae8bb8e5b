"""Departments named in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from bot.language.meaning import DepartmentName, Named
from bot.language.name_matching import (
    ABBREVIATED,
    BY_EAR,
    COLLOQUIAL,
    EXACT,
    GENERAL,
    SLIP,
    Hit,
    best,
    latin_runs,
    stands_alone,
)
from bot.language.normalise import normalise
from bot.language.pinyin import heard, hearings, spellings

# What people say → how the department's own name begins or what stands in it, likeliest first.
_COLLOQUIAL_DEPARTMENTS: Mapping[str, tuple[str, ...]] = {
    "牙科": ("口腔",),
    "看牙": ("口腔",),
    "五官科": ("耳鼻", "眼科", "五官"),
    "小儿科": ("儿科", "儿内", "儿童", "小儿"),
    "肠胃科": ("消化", "胃肠"),
    "胃肠科": ("消化", "胃肠"),
    "胃科": ("消化",),
    "肝科": ("肝", "感染", "消化"),
    "肺科": ("呼吸",),
    "心脏科": ("心血管", "心内", "心脏"),
    "心脏内科": ("心血管内科", "心内"),
    "心脏外科": ("心外", "心脏外", "心胸", "胸外"),
    "脑科": ("神经",),
    "脑外科": ("神经外",),
    "脑内科": ("神经内",),
    "糖尿病科": ("内分泌",),
    "甲状腺科": ("内分泌", "甲状腺"),
    "肾病科": ("肾",),
    "肾科": ("肾",),
    "血透": ("血液透析", "血透", "肾"),
    "传染科": ("感染",),
    "传染病科": ("感染",),
    "发热门诊": ("发热", "感染"),
    "皮科": ("皮肤",),
    "皮肤病科": ("皮肤",),
    "肛肠科": ("肛肠", "结直肠", "普"),
    "痔疮科": ("肛肠",),
    "泌尿科": ("泌尿",),
    "男性科": ("男科", "泌尿"),
    "产科": ("产科", "妇产"),
    "妇科": ("妇科", "妇产"),
    "癌症科": ("肿瘤",),
    "骨伤科": ("骨",),
    "骨头科": ("骨",),
    "推拿": ("推拿", "康复", "中医"),
    "针灸": ("针灸", "康复", "中医"),
    "理疗": ("理疗", "康复"),
    "心理科": ("心理", "精神", "身心"),
    "精神科": ("精神", "心理", "身心"),
    "医美": ("整形", "医疗美容", "美容"),
    "美容科": ("整形", "医疗美容", "美容"),
    "烫伤科": ("烧伤",),
    "急诊": ("急诊",),
    "体检": ("体检", "健康管理"),
    "呼吸科": ("呼吸",),
    "orthopaedics": ("骨",),
    "orthopedics": ("骨",),
    "orthopaedic": ("骨",),
    "orthopedic": ("骨",),
    "cardiology": ("心血管内", "心内", "心血管"),
    "cardiologist": ("心血管内", "心内", "心血管"),
    "gastroenterology": ("消化",),
    "respiratory": ("呼吸",),
    "endocrinology": ("内分泌",),
    "neurology": ("神经内",),
    "neurosurgery": ("神经外",),
    "urology": ("泌尿",),
    "nephrology": ("肾",),
    "dermatology": ("皮肤",),
    "dermatologist": ("皮肤",),
    "paediatrics": ("儿科", "儿内", "儿童", "小儿"),
    "pediatrics": ("儿科", "儿内", "儿童", "小儿"),
    "paediatrician": ("儿科", "儿内", "儿童", "小儿"),
    "pediatrician": ("儿科", "儿内", "儿童", "小儿"),
    "gynaecology": ("妇科", "妇产"),
    "gynecology": ("妇科", "妇产"),
    "obstetrics": ("产科", "妇产"),
    "ophthalmology": ("眼科",),
    "eye clinic": ("眼科",),
    "ent": ("耳鼻",),
    "dentist": ("口腔",),
    "dental": ("口腔",),
    "dentistry": ("口腔",),
    "oncology": ("肿瘤",),
    "psychiatry": ("精神", "心理", "身心"),
    "general surgery": ("普外", "普通外"),
    "emergency department": ("急诊",),
}
_GENERAL_DEPARTMENTS = ("内科", "外科")  # somebody who says only this is asked which
_BARE_AFTER = re.compile(r"的?(?:专家)?(?:号|门诊|专家|医生|大夫|主任|方向)")


class DepartmentNames:
    """The hospital's departments under all the names people give them."""

    def __init__(self, departments: tuple[DepartmentName, ...]) -> None:
        self._names = {d.code: d.name for d in departments}
        self._forms: dict[str, dict[str, float]] = defaultdict(dict)  # form → code → score
        self._bare: dict[str, dict[str, float]] = defaultdict(dict)  # 皮肤, 消化: words unless a 号 follows
        self._heard: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._spelt: dict[str, set[str]] = defaultdict(set)
        for department in departments:
            self._learn(department)
        self._learn_colloquial(departments)
        both = (*self._forms, *self._bare)
        self._lengths = sorted({len(form) for form in both}, reverse=True)
        self._first = {form[0] for form in both}
        self._heard_lengths = sorted({len(key) for key in self._heard}, reverse=True)
        self._heard_last = {key[-2] for key in self._heard}  # what is heard just before 科

    def _learn(self, department: DepartmentName) -> None:
        own = [normalise(name).lower() for name in (department.name, *department.aliases)]
        for form in own:
            if form:
                self._forms[form][department.code] = EXACT
                self._sound(form, department.code)
        if own[0].endswith("科") and len(own[0]) > 2:
            self._bare[own[0].removesuffix("科")][department.code] = COLLOQUIAL
            self._bare[re.sub("[内外]?科$", "", own[0])][department.code] = COLLOQUIAL
        for short in _abbreviations(own[0]):
            self._forms[short].setdefault(department.code, ABBREVIATED)
            self._sound(short, department.code)

    def _sound(self, form: str, code: str) -> None:
        if len(form) < 2:
            return
        for spelling in spellings(form):
            self._spelt["".join(spelling)].add(code)
        if form.endswith("科"):
            for hearing in hearings(form):
                self._heard[hearing].add(code)

    def _learn_colloquial(self, departments: tuple[DepartmentName, ...]) -> None:
        for said, stems in _COLLOQUIAL_DEPARTMENTS.items():
            if said in self._forms:
                continue
            for stem in stems:
                codes = [d.code for d in departments if stem in normalise(d.name)]
                if codes:
                    self._forms[said] = dict.fromkeys(codes, COLLOQUIAL)
                    break
        for said in _GENERAL_DEPARTMENTS:
            if said not in self._forms and (codes := [d.code for d in departments if said in d.name]):
                self._forms[said] = dict.fromkeys(codes, GENERAL)

    def named_in(self, text: str) -> tuple[Named, ...]:
        """The departments a text names, best first."""
        if not self._names:
            return ()
        text = text.lower()
        hits, taken = self._literal(text)
        hits += self._by_ear(text, taken)
        hits += self._spelt_out(text)
        return best(hits, self._names, text)

    def _literal(self, text: str) -> tuple[list[Hit], set[int]]:
        hits: list[Hit] = []
        taken: set[int] = set()
        i = 0
        while i < len(text):
            found = self._form_at(text, i) if text[i] in self._first else None
            if found is None:
                i += 1
                continue
            end, codes = found
            hits += [Hit(code, i, end, score) for code, score in codes.items()]
            if max(codes.values()) > GENERAL:  # 神精内科 is more than 内科
                taken.update(range(i, end))
            i = end
        return hits, taken

    def _form_at(self, text: str, i: int) -> tuple[int, Mapping[str, float]] | None:
        for length in self._lengths:
            form, end = text[i : i + length], i + length
            if form in self._forms and (not form.isascii() or stands_alone(text, i, end)):
                return end, self._forms[form]
            if len(form) == length > 1 and form in self._bare and self._is_meant(text, i, end):
                return end, self._bare[form]
        return None

    def _is_meant(self, text: str, start: int, end: int) -> bool:
        """挂消化, 皮肤的号, 口腔专家, but not 皮肤痒."""
        if _BARE_AFTER.match(text, end):
            return True
        asked = text[max(0, start - 1) : start] in tuple("挂约") and (
            end == len(text) or not text[end].isalnum()
        )
        return asked or (start == 0 and end == len(text))

    def _by_ear(self, text: str, taken: set[int]) -> list[Hit]:
        """皮夫科 for 皮肤科: what stands before a 科 that no name explains."""
        hits = []
        for match in re.finditer("科", text):
            end = match.end()
            if end - 1 in taken or self._heard_last.isdisjoint(heard(text[end - 2 : end - 1] or " ")):
                continue
            for length in self._heard_lengths:
                codes = self._heard_as(text[max(0, end - length) : end])
                if codes:
                    hits += [Hit(code, end - length, end, SLIP) for code in codes]
                    break
        return hits

    def _heard_as(self, window: str) -> set[str]:
        return {code for hearing in hearings(window) for code in self._heard.get(hearing, ())}

    def _spelt_out(self, text: str) -> list[Hit]:
        return [
            Hit(code, start, end, BY_EAR)
            for start, end, letters in latin_runs(text)
            for code in self._spelt.get(letters, ())
        ]


def _abbreviations(name: str) -> Iterator[str]:
    """心血管内科 → 心内科, 心内, 心血管科, 心血管内; 耳鼻咽喉科 → 耳鼻喉科; 泌尿外科 → 泌外, 泌尿科."""
    if not name.endswith("科") or len(name) < 3:
        return
    stem = name[:-1]
    if len(stem) >= 3 and stem[-1] in "内外":
        topic, side = stem[:-1], stem[-1]
        yield from (topic[0] + side + "科", topic[0] + side, topic + "科", stem)
    if "咽喉" in stem:
        yield name.replace("咽", "")
        yield stem.replace("咽", "")
    if "鼻" in stem or (len(stem) == 2 and stem[-1] in "内外"):
        yield stem  # 耳鼻咽喉, 普外
