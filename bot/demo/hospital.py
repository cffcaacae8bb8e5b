"""The invented hospital, laid out from its content and a fixed seed, as the CSV files of contract.md §4."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from opencc import OpenCC

CONTENT = Path(__file__).parent / "content"
SEED = 20_26
PATIENTS = 200
WEEKS = 4
BIRTHS_FROM = date(2026, 1, 1)  # ages are counted from here, so that nobody is born anew every day
MORNING = [time(hour, minute) for hour in (8, 9, 10, 11) for minute in (0, 30)]
AFTERNOON = [time(hour, minute) for hour in (14, 15, 16) for minute in (0, 30)]

Table = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a visitor of the demo can play."""

    code: str
    name: str
    phone: str
    id_ending: str
    hint: str


def write(folder: Path, today: date, seed: int = SEED) -> tuple[Person, ...]:
    """Write the folder; the people to play."""
    folder.mkdir(parents=True, exist_ok=True)
    hospital = Hospital(today, seed)
    for name, rows in hospital.tables().items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return hospital.people


class Hospital:
    """One invented hospital on one day: the same day and seed give the same hospital."""

    def __init__(self, today: date, seed: int = SEED) -> None:
        self.today = today
        self._random = Random(seed)
        self._content = _read("hospital")
        self._names = _read("people")
        self._procedures: Table = []
        self._tags: Table = []
        self._points: Table = []
        self._doctors = self._make_doctors()
        self._patients = self._make_patients()
        self.people = tuple(self._person(member) for member in self._names["cast"])

    def tables(self) -> Mapping[str, Table]:
        """Every file's rows, by the file's name."""
        visits = self._make_visits()
        reports, items = self._make_reports()
        return {
            "hospital": [{"key": key, "value": value} for key, value in self._content["facts"].items()],
            "departments": self._make_departments(),
            "doctors": self._doctors,
            "slots": self._make_slots(),
            "patients": self._patients,
            "visits": visits,
            "procedures": self._procedures,
            "reports": reports,
            "report_items": items,
            "points": self._points,
            "tags": self._tags,
            "gifts": self._content["gifts"],
            "answers": _answers(),
        }

    # The house

    def _make_departments(self) -> Table:
        return [
            {
                "code": department["code"],
                "name": department["name"],
                "location": department["location"],
                "aliases": "|".join(department["aliases"]),
                "description": department["description"],
            }
            for department in self._content["departments"]
        ]

    def _make_doctors(self) -> Table:
        return [
            {
                "code": f"{department['code']}{number}",
                "name": name,
                "title": title,
                "department_code": department["code"],
                "specialties": specialties,
                "fee": fee,
            }
            for department in self._content["departments"]
            for number, (name, title, specialties, fee) in enumerate(department["doctors"], 1)
        ]

    def _make_slots(self) -> Table:
        """Four weeks from today: each doctor has five or six half-days a week; Sundays are free."""
        slots = []
        for doctor in self._doctors:
            half_days = [(day, half) for day in range(5) for half in (MORNING, AFTERNOON)] + [(5, MORNING)]
            worked = self._random.sample(range(len(half_days)), self._random.choice((5, 6)))
            places = self._random.choice((1, 2, 3))
            for offset in range(WEEKS * 7):
                day = self.today + timedelta(days=offset)
                for weekday, half in (half_days[index] for index in sorted(worked)):
                    if day.weekday() == weekday:
                        slots += [self._slot(doctor, day, start, places) for start in half]
        return slots

    def _slot(self, doctor: Mapping[str, Any], day: date, start: time, places: int) -> dict[str, Any]:
        begin = datetime.combine(day, start)
        return {
            "code": f"{doctor['code']}-{begin:%y%m%d%H%M}",
            "doctor_code": doctor["code"],
            "start": begin.isoformat(timespec="minutes"),
            "end": (begin + timedelta(minutes=30)).isoformat(timespec="minutes"),
            "capacity": 0 if self._random.random() < 0.15 else places,
        }

    # The people

    def _make_patients(self) -> Table:
        patients = [self._cast_member(number, member) for number, member in enumerate(self._names["cast"], 1)]
        while len(patients) < PATIENTS:
            patients.append(self._stranger(len(patients) + 1, patients))
        return patients

    def _cast_member(self, number: int, member: Mapping[str, Any]) -> dict[str, Any]:
        born = self._birth_date(member["age"])
        if "procedure" in member:
            family, offset = member["procedure"]
            self._add_procedure(member["code"], family, self.today + timedelta(days=offset))
        for tag in member.get("tags", ()):
            self._tags.append({"patient_code": member["code"], "tag": tag})
        if "purchase" in member:
            self._add_points(member["code"], "", f"消费 {member['purchase']}")
        phone_number = int(member.get("phone_of", member["code"])[1:])
        return self._patient(
            member["code"],
            member["name"],
            member["sex"],
            born,
            phone=13_800_000_000 + phone_number,
            number=number,
            language=member.get("language", ""),
            history=member.get("history", ""),
        )

    def _stranger(self, number: int, others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Every seventh is somebody's child and has the parent's phone."""
        names, code = self._names, f"P{number:04}"
        sex = self._random.choice("MF")
        if number % 7 == 0:
            parent = self._random.choice(others[8:] or others)
            name = parent["name"][0] + self._random.choice(names["given_child"])
            born, phone = self._birth_date(self._random.randrange(1, 14)), int(parent["phone"])
        else:
            given = names["given_female" if sex == "F" else "given_male"]
            name = self._random.choice(names["surnames"]) + self._random.choice(given)
            born, phone = self._birth_date(self._random.randrange(18, 90)), 13_800_000_000 + number
            self._give_history(code, sex, born)
        return self._patient(code, name, sex, born, phone=phone, number=number)

    def _patient(
        self,
        code: str,
        name: str,
        sex: str,
        born: date,
        *,
        phone: int,
        number: int,
        language: str = "",
        history: str = "",
    ) -> dict[str, Any]:
        chance, names = self._random.random, self._names
        return {
            "code": code,
            "name": name,
            "sex": sex,
            "birth_date": born.isoformat(),
            "lunar_birthday": int(chance() < 0.2),
            "phone": phone,
            "id_number": identity_number(born, sex, number),
            "language": language,
            "source": self._random.choice(names["sources"]),
            "region": self._random.choice(names["regions"]),
            "allergies": self._random.choice(names["allergies"]) if chance() < 0.2 else "",
            "history": history or (self._random.choice(names["histories"]) if chance() < 0.3 else ""),
            "vip_level": self._random.randrange(1, 6) if chance() < 0.1 else "",
            "marketing_consent": int(chance() < 0.5),
            "deceased_on": "",
        }

    def _birth_date(self, age: int) -> date:
        return BIRTHS_FROM - timedelta(days=age * 365 + age // 4 + self._random.randrange(1, 300))

    def _give_history(self, code: str, sex: str, born: date) -> None:
        """Tags by age, and for every third adult a procedure of the last two months or the next two weeks."""
        age = (BIRTHS_FROM - born).days // 365
        for tag, likely in (
            ("糖尿病", age > 50),
            ("高血压", age > 45),
            ("慢阻肺", age > 65),
            ("卒中后", age > 70),
        ):
            if likely and self._random.random() < 0.25:
                self._tags.append({"patient_code": code, "tag": tag})
        if self._random.random() < 0.35:
            suiting = [
                kind["family"]
                for kind in self._content["procedures"]
                if kind["family"] != "birth" or (sex == "F" and age < 45)
            ]
            offset = self._random.randrange(-60, 15)
            self._add_procedure(code, self._random.choice(suiting), self.today + timedelta(days=offset))

    def _add_procedure(self, code: str, family: str, day: date) -> None:
        kind = next(kind for kind in self._content["procedures"] if kind["family"] == family)
        leaves = day + timedelta(days=kind["stay"])
        self._procedures.append(
            {
                "code": f"OP{len(self._procedures) + 1:04}",
                "patient_code": code,
                "name": kind["name"],
                "family": family,
                "department_code": kind["department"],
                "doctor_code": f"{kind['department']}1",
                "date": day.isoformat(),
                "time": "09:30",
                "discharged_on": leaves.isoformat() if kind["stay"] and leaves <= self.today else "",
                "status": "",
            }
        )

    # What happened to them

    def _make_visits(self) -> Table:
        visits: Table = []
        for patient in self._patients:
            for _ in range(self._random.randrange(1, 6)):
                doctor = self._random.choice(self._doctors)
                day = self.today - timedelta(days=self._random.randrange(1, 500))
                amount = f"{self._random.lognormvariate(5.5, 1.1):.2f}"
                code = f"V{len(visits) + 1:05}"
                visits.append(
                    {
                        "code": code,
                        "patient_code": patient["code"],
                        "department_code": doctor["department_code"],
                        "doctor_code": doctor["code"],
                        "date": day.isoformat(),
                        "kind": self._random.choice(("outpatient", "outpatient", "outpatient", "exam")),
                        "amount": amount,
                        "discharged_on": "",
                        "status": self._random.choices(("done", "noshow", "cancelled"), (90, 6, 4))[0],
                    }
                )
                if visits[-1]["status"] == "done" and self._random.random() < 0.5:
                    self._add_points(patient["code"], "", f"消费 {amount}", day)
        return visits

    def _add_points(self, code: str, change: str, reason: str, day: date | None = None) -> None:
        day = day or self.today - timedelta(days=7)
        self._points.append(
            {
                "code": f"PT{len(self._points) + 1:05}",
                "patient_code": code,
                "at": f"{day.isoformat()}T10:30",
                "change": change,
                "reason": reason,
            }
        )

    def _make_reports(self) -> tuple[Table, Table]:
        """One or two for everybody: most are ready, some pending, a few held until a clinician has called."""
        reports: Table = []
        items: Table = []
        for patient in self._patients:
            for _ in range(self._random.choice((1, 1, 2))):
                held = self._random.random() < 0.05
                kind = self._random.choice(self._content["held_reports" if held else "reports"])
                ready = self._random.random() < 0.8
                issued = datetime.combine(
                    self.today - timedelta(days=self._random.randrange(1, 40)), time(15, 20)
                )
                code = f"R{len(reports) + 1:05}"
                reports.append(
                    {
                        "code": code,
                        "patient_code": patient["code"],
                        "kind": kind["kind"],
                        "title": kind["title"],
                        "status": "ready" if ready else "pending",
                        "issued_at": issued.isoformat(timespec="minutes") if ready else "",
                    }
                )
                if ready:
                    items += [self._item(code, item) for item in kind["items"]]
        return reports, items

    def _item(self, report: str, item: Sequence[Any]) -> dict[str, Any]:
        row = {"report_code": report, "name": item[0], "unit": "", "reference_range": "", "flag": ""}
        if isinstance(item[1], str) and len(item) == 2:
            return row | {"value": item[1]}
        if len(item) == 5 and isinstance(item[4], str):
            return row | {"value": item[1], "unit": item[2], "reference_range": item[3], "flag": item[4]}
        _, unit, low, high, decimals = item
        value = round(self._random.uniform(low - (high - low) * 0.15, high + (high - low) * 0.15), decimals)
        return row | {
            "value": f"{value:.{decimals}f}",
            "unit": unit,
            "reference_range": f"{low}-{high}",
            "flag": "L" if value < low else "H" if value > high else "",
        }

    def _person(self, member: Mapping[str, Any]) -> Person:
        row = next(row for row in self._patients if row["code"] == member["code"])
        return Person(row["code"], row["name"], str(row["phone"]), row["id_number"][-4:], member["hint"])


def identity_number(born: date, sex: str, number: int) -> str:
    """An identity number of the right shape, in a region that does not exist.

    The check digit follows GB 11643-1999.
    """
    digits = f"999999{born:%Y%m%d}{number * 2 + (sex == 'M'):03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


def _answers() -> Table:
    to_traditional = OpenCC("s2hk").convert
    rows: Iterable[Mapping[str, Any]] = _read("answers")["answers"]
    return [
        {
            "code": row["code"],
            "questions": "|".join(row["questions"]),
            "answer": row["answer"],
            "answer_zh_hant": to_traditional(row["answer"]),
            "answer_en": row["english"],
        }
        for row in rows
    ]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((CONTENT / f"{name}.toml").read_text("utf-8"))
