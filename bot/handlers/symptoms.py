"""Which of this hospital's departments see what a patient describes.

Only known words count here, never a guess from similar sentences: patients act on what they are told.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.conversation.talk import Talk
from bot.handlers.english_stems import EnglishStems
from bot.language.meaning import DepartmentName
from bot.language.triage import STANDARD_DEPARTMENTS, rank
from bot.language.vocabulary import standard_words

CLOSE = 0.5  # of the best department's votes; with fewer another one is not worth asking about
_PARTS = frozenset("膝肩肘腕髋踝腰颈脊指趾头脑眼耳鼻咽喉牙舌心肺胃肠肝胆胰脾肾乳宫孕皮发甲痔疝")

# How hospitals call what the standard names mean: what stands in the name or an alias, likeliest first.
_CALLED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "心内科": (("心血管内", "心内"), ("心血管", "心脏内")),
    "呼吸内科": (("呼吸",),),
    "消化内科": (("消化",), ("胃肠", "肠胃")),
    "内分泌科": (("内分泌",),),
    "神经内科": (("神经内",), ("神经科", "脑病")),
    "肾内科": (("肾内", "肾脏", "肾病"), ("肾",)),
    "感染科": (("感染",), ("传染", "肝病")),
    "血液科": (("血液内", "血液病", "血液科"),),
    "风湿免疫科": (("风湿",),),
    "骨科": (("骨科", "骨外"), ("骨",)),
    "泌尿外科": (("泌尿",),),
    "妇产科": (("妇产",), ("妇科", "产科")),
    "儿科": (("儿科",), ("儿内", "儿童", "小儿")),
    "皮肤科": (("皮肤",),),
    "眼科": (("眼",),),
    "耳鼻喉科": (("耳鼻",), ("五官",)),
    "口腔科": (("口腔",), ("牙",)),
    "肛肠科": (("肛肠", "结直肠"), ("普外", "普通外")),
    "甲乳外科": (("甲乳", "甲状腺", "乳腺"), ("普外", "普通外")),
    "普外科": (("普外", "普通外"), ("胃肠外", "外科")),
    "肿瘤科": (("肿瘤",),),
    "精神心理科": (("精神", "心理", "身心"),),
    "中医科": (("中医",),),
}
# Departments of their own that no symptom leads to here.
_OTHERS = (
    "急诊科 男科 康复科 整形外科 整形科 神经外科 胸外科 心外科 烧伤科 疼痛科 老年科 营养科 肝胆外科 胃肠外科 血管外科"
    " 生殖医学科 体检科 放射科 介入科"
)
_WELL_KNOWN = sorted((*STANDARD_DEPARTMENTS, *_OTHERS.split()), key=len, reverse=True)
# 泌尿科, 心理科: what people call them for short.
_SHORT_NAMES = {
    f"{stem.removesuffix('科')}科": standard
    for standard, ranks in _CALLED.items()
    for stems in ranks
    for stem in stems
    if len(stem) > 1 and stem != "外科"
}
_GENERAL = ("全科", "普通内科", "普内", "综合内科")  # see what no department here is for


def departments(talk: Talk) -> tuple[DepartmentName, ...]:
    """Best first, each once; empty when nothing medical was said or no department here sees it."""
    meaning = talk.said.meaning
    plain = meaning.text.lower()
    if plain.isascii():
        return _in_english(talk, plain)
    votes = rank(plain, list(standard_words().find(plain)))
    found: dict[str, DepartmentName] = {}
    for standard, vote in votes:
        if vote >= CLOSE * votes[0][1]:
            found |= {one.code: one for one in _called(talk, standard)}
    if votes and not found:
        return _holding(talk, _GENERAL)[:1]
    return tuple(found.values())


def _in_english(talk: Talk, text: str) -> tuple[DepartmentName, ...]:
    """A child's trouble is the children's department's first."""
    standards = list(_english().found_in(text))
    if standards and talk.said.meaning.relation == "child":
        standards = ["儿科", *standards]
    named = [one for standard in dict.fromkeys(standards) for one in _called(talk, standard)]
    if standards and not named:
        return _holding(talk, _GENERAL)[:1]
    return tuple(dict.fromkeys(named))


@cache
def _english() -> EnglishStems:
    lines = tomllib.loads(Path(__file__).with_name("symptoms_english.toml").read_text(encoding="utf-8"))
    return EnglishStems({stem: standard for standard, line in lines.items() for stem in line.split()})


def well_known(talk: Talk, text: str) -> tuple[str, tuple[DepartmentName, ...]]:
    """A department as every hospital knows it that stands in a text, and who is that here; empty when nobody is."""
    name = next((one for one in _WELL_KNOWN if one in text), "")
    if name:
        return name, _called(talk, name) or _holding(talk, (name.removesuffix("科"),))
    short = next((one for one in _SHORT_NAMES if one in text), "")
    return short, _called(talk, _SHORT_NAMES[short]) if short else ()


def parts_of_the_body(text: str) -> frozenset[str]:
    """The parts of the body a text speaks of, each by its one character."""
    return _PARTS & frozenset(text)


def _called(talk: Talk, standard: str) -> tuple[DepartmentName, ...]:
    likeliest = (_holding(talk, stems) for stems in ((standard,), *_CALLED.get(standard, ())))
    return next((found for found in likeliest if found), ())


def _holding(talk: Talk, stems: tuple[str, ...]) -> tuple[DepartmentName, ...]:
    """The departments in whose name, or else in whose aliases, one of the stems stands."""
    every = talk.knowledge.vocabulary.departments
    by_name = tuple(one for one in every if any(stem in one.name for stem in stems))
    if by_name:
        return by_name
    return tuple(one for one in every if any(stem in alias for alias in one.aliases for stem in stems))
