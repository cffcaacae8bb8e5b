"""Doctors and departments named in a text: exactly, by alias, by ear, by pinyin, with a typing slip."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from bot.language.meaning import DepartmentName, DoctorName, Named, Vocabulary
from bot.language.normalise import normalise
from bot.language.pinyin import folded, spellings, syllables

_READ_AT_MOST = 500  # characters; nobody names a doctor after a page of text

# What a score means: 1 is the name itself; from _SURE on it may be taken without asking.
_EXACT = 1.0
_ABBREVIATED = 0.95
_BY_EAR = 0.9
_TITLE = 0.9
_COLLOQUIAL = 0.85
_SLIP = 0.75
_WEAK = 0.5

_TITLES = "副主任医师|主任医师|主治医师|住院医师|副主任|主任|医生|医师|大夫|教授|专家|院长|老师|博士"
_TITLE_AFTER = re.compile(rf" ?({_TITLES})")
_CALLED_AFTER = re.compile(
    rf" ?(?:{_TITLES}|的?(?:专家)?(?:号|门诊|班)|什么时候(?:出|坐)诊|(?:出|坐)诊|在不在)"
)
_ASKED_BEFORE = re.compile(
    r"(?:挂|约|找|选|换成?|改成?|问|请|指定|见)(?:一下|一个|个|到|了|下)?(?:[^,。;!? ]{0,6}的)? ?$"
)
_LATIN = re.compile(r"[a-z]+(?:['’ -][a-z]+)*")
_COMPOUND_SURNAMES = frozenset(
    (
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "司徒",
        "夏侯",
        "轩辕",
        "长孙",
        "宇文",
        "端木",
        "独孤",
        "南宫",
    )
)

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
}
_BARE_CUE = re.compile(r"(?:的?(?:号|门诊|专家|医生|大夫|主任)|科)")


@dataclass(frozen=True, slots=True)
class _Hit:
    code: str
    start: int
    end: int
    score: float


class NameIndex:
    """The hospital's names, prepared once, then read for in every message.

    Both methods take normalised text and give the best first; equal scores are a tie that the
    conversation has to ask about. A score under 0.7 is weak: a common word, or a name by ear alone.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._departments = _Departments(vocabulary.departments)
        self._doctors = _Doctors(vocabulary.doctors)

    def departments(self, text: str) -> tuple[Named, ...]:
        """The departments a text names."""
        return self._departments.named_in(text[:_READ_AT_MOST])

    def doctors(self, text: str) -> tuple[Named, ...]:
        """The doctors a text names; those of a department it also names come before their namesakes."""
        text = text[:_READ_AT_MOST]
        inside = frozenset(d.code for d in self._departments.named_in(text) if d.score >= _SLIP)
        return self._doctors.named_in(text, inside)


class _Departments:
    def __init__(self, departments: tuple[DepartmentName, ...]) -> None:
        self._names = {d.code: d.name for d in departments}
        self._forms: dict[str, dict[str, float]] = defaultdict(dict)  # form → code → score
        self._heard: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._spelt: dict[str, set[str]] = defaultdict(set)
        for department in departments:
            self._learn(department)
        self._learn_colloquial(departments)
        self._lengths = sorted({len(form) for form in self._forms}, reverse=True)
        self._first = {form[0] for form in self._forms}
        self._heard_lengths = sorted({len(key) for key in self._heard}, reverse=True)

    def _learn(self, department: DepartmentName) -> None:
        own = [normalise(name).lower() for name in (department.name, *department.aliases)]
        for form in own:
            if form:
                self._forms[form][department.code] = _EXACT
                self._sound(form, department.code)
        for short in _abbreviations(own[0]):
            self._forms[short].setdefault(department.code, _ABBREVIATED)
            self._sound(short, department.code)

    def _sound(self, form: str, code: str) -> None:
        if len(form) < 2:
            return
        for spelling in spellings(form):
            self._spelt["".join(spelling)].add(code)
            if form.endswith("科"):
                self._heard[tuple(map(folded, spelling))].add(code)

    def _learn_colloquial(self, departments: tuple[DepartmentName, ...]) -> None:
        for said, stems in _COLLOQUIAL_DEPARTMENTS.items():
            if said in self._forms:
                continue
            for stem in stems:
                codes = [d.code for d in departments if stem in normalise(d.name)]
                if codes:
                    self._forms[said] = dict.fromkeys(codes, _COLLOQUIAL)
                    break

    def named_in(self, text: str) -> tuple[Named, ...]:
        text = text.lower()
        hits, taken = self._literal(text)
        hits += self._by_ear(text, taken)
        hits += self._spelt_out(text)
        return _best(hits, self._names, text)

    def _literal(self, text: str) -> tuple[list[_Hit], set[int]]:
        hits: list[_Hit] = []
        taken: set[int] = set()
        i = 0
        while i < len(text):
            form = self._form_at(text, i) if text[i] in self._first else None
            if form is None:
                i += 1
                continue
            end = i + len(form)
            hits += [_Hit(code, i, end, score) for code, score in self._forms[form].items()]
            taken.update(range(i, end))
            i = end
        return hits, taken

    def _form_at(self, text: str, i: int) -> str | None:
        for length in self._lengths:
            form = text[i : i + length]
            if form in self._forms and (not form.isascii() or _alone(text, i, i + length)):
                return form
        return None

    def _by_ear(self, text: str, taken: set[int]) -> list[_Hit]:
        """皮夫科 for 皮肤科: what stands before a 科 that no name explains."""
        hits = []
        for match in re.finditer("科", text):
            end = match.end()
            if end - 1 in taken:
                continue
            for length in self._heard_lengths:
                codes = self._heard_as(text[max(0, end - length) : end])
                if codes:
                    hits += [_Hit(code, end - length, end, _SLIP) for code in codes]
                    break
        return hits

    def _heard_as(self, window: str) -> set[str]:
        return {
            code
            for spelling in spellings(window)
            for code in self._heard.get(tuple(map(folded, spelling)), ())
        }

    def _spelt_out(self, text: str) -> list[_Hit]:
        return [
            _Hit(code, start, end, _BY_EAR)
            for start, end, letters in _latin_runs(text)
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
    if len(stem) >= 3 and stem[-1] not in "内外":
        yield stem


class _Doctors:
    def __init__(self, doctors: tuple[DoctorName, ...]) -> None:
        self._all = {d.code: d for d in doctors}
        self._names = {d.code: d.name for d in doctors}
        self._full: dict[str, list[str]] = defaultdict(list)
        self._surnames: dict[str, list[str]] = defaultdict(list)
        self._given: dict[str, list[str]] = defaultdict(list)
        self._heard: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        self._heard_codes: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._heard_surnames: dict[str, set[str]] = defaultdict(set)
        self._spelt: dict[str, set[str]] = defaultdict(set)
        for doctor in doctors:
            self._learn(doctor)
        self._lengths = sorted({len(name) for name in self._full}, reverse=True)

    def _learn(self, doctor: DoctorName) -> None:
        name = normalise(doctor.name).lower()
        if not name:
            return
        surname = name[:2] if name[:2] in _COMPOUND_SURNAMES and len(name) > 2 else name[:1]
        given = name[len(surname) :]
        self._full[name].append(doctor.code)
        self._surnames[surname].append(doctor.code)
        if len(given) > 1:
            self._given[given].append(doctor.code)
        for spelling in spellings(name):
            self._spelt["".join(spelling)].add(doctor.code)
            self._spelt["".join((*spelling[len(surname) :], *spelling[: len(surname)]))].add(doctor.code)
            self._heard_codes[tuple(map(folded, spelling))].add(doctor.code)
        for spelling in spellings(surname):
            self._heard_surnames["".join(map(folded, spelling))].add(surname)

    def named_in(self, text: str, departments: frozenset[str]) -> tuple[Named, ...]:
        text = text.lower()
        hits, taken = self._literal(text)
        hits += self._by_title(text, taken)
        hits += self._by_ear(text, taken)
        hits += self._spelt_out(text)
        if departments:
            hits = [self._of(hit, departments) for hit in hits]
        return _best(hits, self._names, text)

    def _of(self, hit: _Hit, departments: frozenset[str]) -> _Hit:
        if self._all[hit.code].department_code in departments:
            return hit
        return _Hit(hit.code, hit.start, hit.end, hit.score - 0.05)

    def _literal(self, text: str) -> tuple[list[_Hit], set[int]]:
        hits: list[_Hit] = []
        taken: set[int] = set()
        i = 0
        while i < len(text):
            for length in self._lengths:
                codes = self._full.get(text[i : i + length])
                if codes and (not text[i].isascii() or _alone(text, i, i + length)):
                    # 高兴, 方便, 平安: a name of two characters is too often a word.
                    sure = length > 2 or _spoken_of(text, i, i + length)
                    hits += [_Hit(code, i, i + length, _EXACT if sure else _WEAK) for code in codes]
                    taken.update(range(i, i + length))
                    i += length - 1
                    break
            i += 1
        return hits, taken

    def _by_title(self, text: str, taken: set[int]) -> list[_Hit]:
        """张主任, 老张大夫, 建国医生, and 章主任 when there is only a 张."""
        hits: list[_Hit] = []
        for match in _TITLE_AFTER.finditer(text):
            end = match.start()
            if end == 0 or end - 1 in taken:
                continue
            given = self._given.get(text[max(0, end - 2) : end])
            if given:
                hits += [_Hit(code, end - 2, match.end(), _COLLOQUIAL) for code in given]
                continue
            hits += self._by_surname(text, end, match)
        return hits

    def _by_surname(self, text: str, end: int, title: re.Match[str]) -> list[_Hit]:
        for length in (2, 1):
            surname = text[max(0, end - length) : end]
            codes = self._surnames.get(surname)
            if codes and len(surname) == length:
                score = _TITLE if _surname_stands(text, end - length) else _SLIP
                return [
                    _Hit(c, end - length, title.end(), self._with_title(c, title[1], score)) for c in codes
                ]
        heard = {
            s for reading in syllables(text[end - 1]) for s in self._heard_surnames.get(folded(reading), ())
        }
        if not _surname_stands(text, end - 1):
            return []
        return [_Hit(c, end - 1, title.end(), _WEAK + 0.1) for s in heard for c in self._surnames[s]]

    def _with_title(self, code: str, said: str, score: float) -> float:
        """A 主任 is looked for among those who are one; 医生 and 大夫 are anybody."""
        if said.endswith(("主任", "教授", "院长")) and said[-2:] not in self._all[code].title:
            return score - 0.1
        return score

    def _by_ear(self, text: str, taken: set[int]) -> list[_Hit]:
        hits: list[_Hit] = []
        for i in range(len(text) - 1):
            if i in taken or not self._may_begin(text[i]):
                continue
            for length in self._lengths:
                window = text[i : i + length]
                if len(window) < length or i + length - 1 in taken:
                    continue
                if found := self._heard_as(text, i, window):
                    hits += found
                    break
                if length == 3 and (found := self._slipped(text, i, window)):
                    hits += found
                    break
        return hits

    def _may_begin(self, char: str) -> bool:
        return any(folded(reading) in self._heard_surnames for reading in syllables(char))

    def _heard_as(self, text: str, i: int, window: str) -> list[_Hit]:
        end = i + len(window)
        codes = {
            code
            for spelling in spellings(window)
            for code in self._heard_codes.get(tuple(map(folded, spelling)), ())
        }
        if not codes:
            return []
        sure = _spoken_of(text, i, end)
        if len(window) == 2 and not sure:
            return []
        score = _BY_EAR if sure else _WEAK
        return [_Hit(c, i, end, score - (0 if self._same_sound(c, window) else 0.1)) for c in codes]

    def _same_sound(self, code: str, window: str) -> bool:
        return not spellings(window).isdisjoint(spellings(normalise(self._names[code]).lower()))

    def _slipped(self, text: str, i: int, window: str) -> list[_Hit]:
        """One wrong character in a name of three, where a doctor is plainly meant."""
        codes = self._surnames.get(window[0])
        if not codes or not _spoken_of(text, i, i + 3):
            return []
        return [
            _Hit(code, i, i + 3, _SLIP)
            for code in codes
            if Levenshtein.distance(normalise(self._names[code]).lower(), window, score_cutoff=1) <= 1
        ]

    def _spelt_out(self, text: str) -> list[_Hit]:
        return [
            _Hit(code, start, end, _BY_EAR)
            for start, end, letters in _latin_runs(text)
            for code in self._spelt.get(letters, ())
        ]


def _spoken_of(text: str, start: int, end: int) -> bool:
    """Whether a title, a booking word or nothing else stands around, so that a person is meant."""
    if start == 0 and end == len(text):
        return True
    if _TITLE_AFTER.match(text, end):
        return True
    asked = _ASKED_BEFORE.search(text[max(0, start - 12) : start])
    return bool(asked and (end >= len(text) or not text[end].isalnum() or _CALLED_AFTER.match(text, end)))


_BEFORE_SURNAME = frozenset("老小挂约找问请看是叫见给个到由被让跟和与换选的医生科,。;:!?、 有位这那说")


def _surname_stands(text: str, start: int) -> bool:
    """Whether a character before a title can be a surname of its own: 找张主任, not 紧张主任."""
    return start == 0 or text[start - 1] in _BEFORE_SURNAME


def _latin_runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Every run of up to four Latin words, joined: "zhang jianguo" → zhang, jianguo, zhangjianguo."""
    for run in _LATIN.finditer(text):
        words = [(m.start(), m.end()) for m in re.finditer("[a-z]+", run[0])][:60]
        for i in range(len(words)):
            for j in range(i, min(i + 4, len(words))):
                letters = "".join(run[0][a:b] for a, b in words[i : j + 1])
                if len(letters) > 3:
                    yield run.start() + words[i][0], run.start() + words[j][1], letters


def _alone(text: str, start: int, end: int) -> bool:
    before = start > 0 and text[start - 1].isascii() and text[start - 1].isalnum()
    after = end < len(text) and text[end].isascii() and text[end].isalnum()
    return not (before or after)


def _best(hits: list[_Hit], names: Mapping[str, str], text: str) -> tuple[Named, ...]:
    """One entry a code, best first; a weaker reading of characters that a better one explains is dropped."""
    hits.sort(key=lambda hit: (-hit.score, hit.start))
    kept: list[_Hit] = []
    seen: set[str] = set()
    for hit in hits:
        weaker = any(k.score > hit.score and k.start < hit.end and hit.start < k.end for k in kept)
        if hit.code not in seen and (not weaker or hit.score >= _SLIP):
            kept.append(hit)
            seen.add(hit.code)
    return tuple(
        Named(hit.code, names[hit.code], text[hit.start : hit.end], round(hit.score, 3)) for hit in kept
    )
