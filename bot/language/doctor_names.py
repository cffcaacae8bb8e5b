"""Doctors named in a text."""

from __future__ import annotations

import re
from collections import defaultdict

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.domain.names import surname
from bot.language.meaning import DoctorName, Named
from bot.language.name_matching import (
    BY_EAR,
    BY_TITLE,
    COLLOQUIAL,
    EXACT,
    SLIP,
    TITLE_AFTER,
    WEAK,
    Hit,
    best,
    latin_runs,
    spoken_of,
    stands_alone,
)
from bot.language.normalise import normalise
from bot.language.pinyin import heard, hearings, spellings

_FAMILIAR = re.compile(r"[老小](.)(?=的?(?:专家)?(?:号|门诊))")  # 挂老张的号
_SLIP_LETTERS = 7  # a shorter pinyin with a slip is another name


class DoctorNames:
    """The hospital's doctors by name, title and sound."""

    def __init__(self, doctors: tuple[DoctorName, ...]) -> None:
        self._all = {d.code: d for d in doctors}
        self._names = {d.code: d.name for d in doctors}
        self._full: dict[str, list[str]] = defaultdict(list)
        self._surnames: dict[str, list[str]] = defaultdict(list)
        self._given: dict[str, list[str]] = defaultdict(list)
        self._heard_openings: set[tuple[str, ...]] = set()  # the first two syllables of every name
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
        family = surname(name)
        given = name[len(family) :]
        self._full[name].append(doctor.code)
        self._surnames[family].append(doctor.code)
        if len(given) > 1:
            self._given[given].append(doctor.code)
        for spelling in spellings(name):
            self._spelt["".join(spelling)].add(doctor.code)
            self._spelt["".join((*spelling[len(family) :], *spelling[: len(family)]))].add(doctor.code)
        for hearing in hearings(name):
            self._heard_codes[hearing].add(doctor.code)
            self._heard_openings.add(hearing[:2])
        for hearing in hearings(family):
            self._heard_surnames["".join(hearing)].add(family)

    def named_in(self, text: str, departments: frozenset[str]) -> tuple[Named, ...]:
        """The doctors a text names, best first; *departments* are the codes it names too."""
        if not self._all:
            return ()
        text = text.lower()
        hits, taken = self._literal(text)
        hits += self._by_title(text, taken)
        hits += self._by_ear(text, taken)
        hits += self._spelt_out(text)
        hits += self._familiar(text)
        if departments:
            hits = [self._of(hit, departments) for hit in hits]
        return best(hits, self._names, text)

    def _of(self, hit: Hit, departments: frozenset[str]) -> Hit:
        if self._all[hit.code].department_code in departments:
            return hit
        return Hit(hit.code, hit.start, hit.end, hit.score - 0.05)

    def _literal(self, text: str) -> tuple[list[Hit], set[int]]:
        hits: list[Hit] = []
        taken: set[int] = set()
        i = 0
        while i < len(text):
            for length in self._lengths:
                name = text[i : i + length]
                codes = self._full.get(name)
                if (
                    codes
                    and len(name) == length
                    and (not text[i].isascii() or stands_alone(text, i, i + length))
                ):
                    # 高兴, 方便, 平安: a name of two characters is too often a word.
                    sure = length > 2 or spoken_of(text, i, i + length)
                    hits += [Hit(code, i, i + length, EXACT if sure else WEAK) for code in codes]
                    taken.update(range(i, i + length))
                    i += length - 1
                    break
            i += 1
        return hits, taken

    def _by_title(self, text: str, taken: set[int]) -> list[Hit]:
        """张主任, 老张大夫, 建国医生, and 章主任 when there is only a 张."""
        hits: list[Hit] = []
        for match in TITLE_AFTER.finditer(text):
            end = match.start()
            if end == 0 or end - 1 in taken:
                continue
            given = self._given.get(text[max(0, end - 2) : end])
            if given:
                hits += [Hit(code, end - 2, match.end(), COLLOQUIAL) for code in given]
                continue
            hits += self._by_surname(text, end, match)
        return hits

    def _by_surname(self, text: str, end: int, title: re.Match[str]) -> list[Hit]:
        for length in (2, 1):
            family = text[max(0, end - length) : end]
            codes = self._surnames.get(family)
            if codes and len(family) == length:
                score = BY_TITLE if _surname_stands(text, end - length) else SLIP
                return [
                    Hit(c, end - length, title.end(), self._with_title(c, title[1], score)) for c in codes
                ]
        alike = {s for sound in heard(text[end - 1]) for s in self._heard_surnames.get(sound, ())}
        if not _surname_stands(text, end - 1):
            return []
        return [Hit(c, end - 1, title.end(), WEAK + 0.1) for s in alike for c in self._surnames[s]]

    def _familiar(self, text: str) -> list[Hit]:
        return [
            Hit(code, match.start(), match.end(), BY_TITLE - 0.1)
            for match in _FAMILIAR.finditer(text)
            for code in self._surnames.get(match[1], ())
        ]

    def _with_title(self, code: str, said: str, score: float) -> float:
        """A 主任 is looked for among those who are one; 医生 and 大夫 are anybody."""
        if said.endswith(("主任", "教授", "院长")) and said[-2:] not in self._all[code].title:
            return score - 0.1
        return score

    def _by_ear(self, text: str, taken: set[int]) -> list[Hit]:
        hits: list[Hit] = []
        sounds = [heard(char) for char in text]
        for i in range(len(text) - 1):
            if i in taken:
                continue
            if self._opens_a_name(sounds[i], sounds[i + 1]):
                hits += self._heard_at(text, i, taken)
            elif text[i] in self._surnames and not taken & {i + 1, i + 2}:
                hits += self._slipped(text, i)
        return hits

    def _opens_a_name(self, first: tuple[str, ...], second: tuple[str, ...]) -> bool:
        return any((a, b) in self._heard_openings for a in first for b in second)

    def _heard_at(self, text: str, i: int, taken: set[int]) -> list[Hit]:
        for length in self._lengths:
            window = text[i : i + length]
            if (
                len(window) == length
                and i + length - 1 not in taken
                and (found := self._heard_as(text, i, window))
            ):
                return found
        return self._slipped(text, i)

    def _heard_as(self, text: str, i: int, window: str) -> list[Hit]:
        end = i + len(window)
        codes = {code for hearing in hearings(window) for code in self._heard_codes.get(hearing, ())}
        if not codes:
            return []
        sure = spoken_of(text, i, end)
        if len(window) == 2 and not sure:
            return []
        score = BY_EAR if sure else WEAK
        return [Hit(c, i, end, score - (0 if self._same_sound(c, window) else 0.1)) for c in codes]

    def _same_sound(self, code: str, window: str) -> bool:
        return not spellings(window).isdisjoint(spellings(normalise(self._names[code]).lower()))

    def _slipped(self, text: str, i: int) -> list[Hit]:
        """One wrong character in a name of three, where a doctor is plainly meant."""
        window = text[i : i + 3]
        codes = self._surnames.get(window[0])
        if not codes or len(window) < 3 or not spoken_of(text, i, i + 3):
            return []
        return [
            Hit(code, i, i + 3, SLIP)
            for code in codes
            if Levenshtein.distance(normalise(self._names[code]).lower(), window, score_cutoff=1) <= 1
        ]

    def _spelt_out(self, text: str) -> list[Hit]:
        hits = []
        for start, end, letters in latin_runs(text):
            if letters in self._spelt:
                hits += [Hit(code, start, end, BY_EAR) for code in self._spelt[letters]]
            elif len(letters) >= _SLIP_LETTERS and (near := self._misspelt(letters)):
                hits += [Hit(code, start, end, SLIP) for code in self._spelt[near]]
        return hits

    def _misspelt(self, letters: str) -> str | None:
        """zhangjiangguo for zhangjianguo: one letter wrong, missing or too many."""
        near = process.extractOne(letters, self._spelt.keys(), scorer=Levenshtein.distance, score_cutoff=1)
        return near[0] if near else None


_BEFORE_SURNAME = frozenset("老小挂约找问请看是叫见给个到由被让跟和与换选的医生科,。;:!?、 有位这那说")


def _surname_stands(text: str, start: int) -> bool:
    """Whether a character before a title can be a surname of its own: 找张主任, not 紧张主任."""
    return start == 0 or text[start - 1] in _BEFORE_SURNAME
