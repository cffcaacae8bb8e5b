"""The files of a hospital's data folder: their columns, keys and references (contract.md §4), as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.domain.phone import normal_phone
from bot.hospital import points
from bot.hospital.importing import cells
from bot.hospital.importing.cells import Reader
from storage.types import Seal

Values = dict[str, Any]  # one row, by the names the tables use


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, how its cells are read, and what an empty one means."""

    name: str
    read: Reader
    required: bool = False
    empty: Any = ""
    refers_to: str = ""  # the file whose key this is
    stored_as: str = ""  # the table's column, where it is called otherwise

    @property
    def target(self) -> str:
        """The table's column."""
        return self.stored_as or self.name


Complaint = tuple[str, str]  # the column (empty: the row) and the reason


def _nothing(_row: Values) -> Iterator[Complaint]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Layout:
    """One file. Files are in the order in which they refer to one another."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("code",)
    complete: Callable[[Values], Iterator[Complaint]] = _nothing  # checks a whole row and adds to it

    @property
    def file(self) -> str:
        """What messages call it."""
        return f"{self.name}.csv"


FACTS = ("name", "short_name", "phone", "nurse_phone", "complaint_phone", "address", "emergency_name")
FAMILIES = (
    *("abdominal", "birth", "joint", "cataract", "dental", "tonsil", "cosmetic", "pci", "endoscopy"),
    *("dayga", "other"),
)

CODE = Column("code", cells.code, required=True)


def reference(name: str, file: str, *, required: bool = False) -> Column:
    """A column that holds another file's key."""
    return Column(name, cells.code, required, empty=None, refers_to=file)


def _ends_after_start(row: Values) -> Iterator[Complaint]:
    start, end = row.get("start_at"), row.get("end_at")
    if start and end and end <= start:
        yield "end", "not after start"


def _index_phone(row: Values) -> Iterator[Complaint]:
    phone = row.get("phone")
    row["phone_index"] = Seal.index(normal_phone(phone) or phone) if phone else None
    return iter(())


_PURCHASE = re.compile(r"消费\s*(?P<amount>\S.*)")


def _earn(row: Values) -> Iterator[Complaint]:
    """A line without a change is a purchase, which earns what its amount earns."""
    row["amount_cents"] = None
    if row.get("change", 0) is not None or row.get("reason") is None:
        return
    purchase = _PURCHASE.fullmatch(row["reason"])
    if purchase is None:
        yield "change", "empty, and the reason is not 消费 AMOUNT"
        return
    try:
        row["amount_cents"] = cells.yuan(purchase["amount"])
    except cells.BadCell as problem:
        yield "reason", str(problem)
        return
    row["change"] = points.earned(Decimal(row["amount_cents"]) / 100)


LAYOUTS = (
    Layout(
        "hospital",
        (Column("key", cells.one_of(*FACTS), required=True), Column("value", cells.lines)),
        key=("key",),
    ),
    Layout(
        "departments",
        (
            CODE,
            Column("name", cells.line, required=True),
            Column("location", cells.lines),
            Column("aliases", cells.listing),
            Column("description", cells.lines),
        ),
    ),
    Layout(
        "doctors",
        (
            CODE,
            Column("name", cells.line, required=True),
            Column("title", cells.line),
            reference("department_code", "departments", required=True),
            Column("specialties", cells.lines),
            Column("fee", cells.amount, empty=None, stored_as="fee_cents"),
        ),
    ),
    Layout(
        "slots",
        (
            CODE,
            reference("doctor_code", "doctors", required=True),
            Column("start", cells.moment, required=True, stored_as="start_at"),
            Column("end", cells.moment, required=True, stored_as="end_at"),
            Column("capacity", cells.whole(0, 100_000), required=True),
        ),
        complete=_ends_after_start,
    ),
    Layout(
        "patients",
        (
            CODE,
            Column("name", cells.line, required=True),
            Column("sex", cells.one_of("M", "F")),
            Column("birth_date", cells.day, empty=None),
            Column("lunar_birthday", cells.flag, empty=False),
            Column("phone", cells.phone, empty=None),
            Column("id_number", cells.identity_number, empty=None),
            Column("language", cells.one_of("zh-Hans", "zh-Hant", "en"), empty="zh-Hans"),
            Column("source", cells.line),
            Column("region", cells.line),
            Column("allergies", cells.lines, empty=None),
            Column("history", cells.lines, empty=None),
            Column("vip_level", cells.whole(0, 9), empty=None),
            Column("marketing_consent", cells.flag, empty=False),
            Column("deceased_on", cells.day, empty=None),
        ),
        complete=_index_phone,
    ),
    Layout(
        "visits",
        (
            CODE,
            reference("patient_code", "patients", required=True),
            reference("department_code", "departments"),
            reference("doctor_code", "doctors"),
            Column("date", cells.day, required=True),
            Column("kind", cells.one_of("outpatient", "inpatient", "exam"), required=True),
            Column("amount", cells.amount, empty=0, stored_as="amount_cents"),
            Column("discharged_on", cells.day, empty=None),
            Column("status", cells.one_of("booked", "done", "cancelled", "noshow", "loss"), empty="done"),
        ),
    ),
    Layout(
        "procedures",
        (
            CODE,
            reference("patient_code", "patients", required=True),
            Column("name", cells.line),
            Column("family", cells.one_of(*FAMILIES), empty="other"),
            reference("department_code", "departments"),
            reference("doctor_code", "doctors"),
            Column("date", cells.day, required=True),
            Column("time", cells.clock, empty=None),
            Column("discharged_on", cells.day, empty=None),
            Column("status", cells.one_of("planned", "done", "cancelled")),
        ),
    ),
    Layout(
        "reports",
        (
            CODE,
            reference("patient_code", "patients", required=True),
            Column("kind", cells.one_of("lab", "imaging", "pathology", "exam"), required=True),
            Column("title", cells.line, required=True),
            Column("status", cells.one_of("pending", "ready"), required=True),
            Column("issued_at", cells.moment_or_day, empty=None),
        ),
    ),
    Layout(
        "report_items",
        (
            reference("report_code", "reports", required=True),
            Column("name", cells.code, required=True),
            Column("value", cells.measured),
            Column("unit", cells.line),
            Column("reference_range", cells.line),
            Column("flag", cells.one_of("H", "L", "A", "C")),
        ),
        key=("report_code", "name"),
    ),
    Layout(
        "points",
        (
            CODE,
            reference("patient_code", "patients", required=True),
            Column("at", cells.moment_or_day, required=True),
            Column("change", cells.whole(-(10**12), 10**12), empty=None),
            Column("reason", cells.line),
        ),
        complete=_earn,
    ),
    Layout(
        "tags",
        (
            reference("patient_code", "patients", required=True),
            Column("tag", cells.code, required=True),
        ),
        key=("patient_code", "tag"),
    ),
    Layout(
        "gifts",
        (
            CODE,
            Column("name", cells.line, required=True),
            Column("points", cells.whole(0, 10**12), required=True),
            Column("cash", cells.amount, empty=0, stored_as="cash_cents"),
            Column("stock", cells.whole(0, 10**9), required=True),
        ),
    ),
    Layout(
        "answers",
        (
            CODE,
            Column("questions", cells.listing, required=True),
            Column("answer", cells.lines, required=True),
            Column("answer_zh_hant", cells.lines),
            Column("answer_en", cells.lines),
        ),
    ),
)
BY_NAME: Mapping[str, Layout] = {layout.name: layout for layout in LAYOUTS}
