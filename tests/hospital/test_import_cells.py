"""Whatever stands in a cell, it is read or refused: nothing breaks the import."""

from __future__ import annotations

import contextlib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.phone import normal_phone
from bot.hospital.importing.cells import BadCell, Reader
from bot.hospital.importing.layouts import LAYOUTS

ZONE = ZoneInfo("Asia/Shanghai")
READERS = {f"{layout.name}.{column.name}": column.read for layout in LAYOUTS for column in layout.columns}
DIGITS = st.text("0123456789.:-+TZ/ 年月日,元", min_size=1, max_size=30)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))
@given(cell=DIGITS | ANYTHING)
def test_a_cell_is_read_or_refused(reader: Reader, cell: str) -> None:
    with contextlib.suppress(BadCell):
        value = reader(cell, ZONE)
        assert not isinstance(value, str) or not value.startswith(("=", "@", "\t", "\r"))
        assert not isinstance(value, str) or "\x00" not in value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("13800000001", "13800000001"),
        ("+86 138-0000-0001", "13800000001"),
        ("86 13800000001", "13800000001"),
        ("0086-13800000001", "13800000001"),
        ("(021) 6123 4567", "02161234567"),
        ("61234567", "61234567"),
        ("+852 9123 4567", "+85291234567"),
        ("0044 20 7946 0958", "+442079460958"),
        ("1380000001", None),
        ("23800000001", None),
        ("138000000011", None),
        ("+0123456789", None),
        ("１３８００００００００", None),
        ("", None),
    ],
)
def test_a_telephone_number_is_written_one_way(written: str, meant: str | None) -> None:
    assert normal_phone(written) == meant


@given(DIGITS)
def test_writing_it_one_way_twice_changes_nothing(text: str) -> None:
    number = normal_phone(text)
    assert number is None or normal_phone(number) == number
