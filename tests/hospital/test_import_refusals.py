"""What an import refuses, line by line, and that nothing of it is left."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import metadata
from tests.hospital import files
from tests.shell import Shell


def is_empty(xiaohu: Shell) -> bool:
    counts = [sa.select(sa.func.count()).select_from(table) for table in metadata.sorted_tables]
    return not any(xiaohu.ask(lambda db: [db.execute(count).scalar_one() for count in counts]))


def patients(*rows: dict[str, str]) -> str:
    """patients.csv, with patients some of whose cells are these."""
    names = files.PATIENT_COLUMNS.split(",")
    lines = [files.PATIENT_COLUMNS]
    for number, cells in enumerate(rows, 1):
        row = {"code": f"P{number}", "name": "王小明"} | cells
        lines.append(",".join('"' + row.get(name, "").replace('"', '""') + '"' for name in names))
    return "\n".join(lines) + "\n"


WRONG = (
    ("sex", "男", "not one of M, F"),
    ("birth_date", "1980-02-30", "no such date"),
    ("birth_date", "1980/2/3", "not a date YYYY-MM-DD"),
    ("birth_date", "19800203", "not a date YYYY-MM-DD"),
    ("lunar_birthday", "yes", "not 0 or 1"),
    ("phone", "1380000001", "not a telephone number"),
    ("phone", "138000000011", "not a telephone number"),
    ("phone", "打总机", "not a telephone number"),
    ("phone", "=13800000001", "not a telephone number"),
    ("phone", "１３８００００００００", "not a telephone number"),
    ("language", "zh", "not one of zh-Hans, zh-Hant, en"),
    ("vip_level", "10", "not between 0 and 9"),
    ("vip_level", "3.0", "not a whole number"),
    ("vip_level", "٣", "not a whole number"),
    ("marketing_consent", "2", "not 0 or 1"),
    ("deceased_on", "gestern", "not a date YYYY-MM-DD"),
    ("name", "", "empty"),
    ("name", " ", "empty"),
    ("code", "", "empty"),
    ("name", "=HYPERLINK(1)", "text begins with ="),
    ("name", "+1", "text begins with +"),
    ("region", "-1", "text begins with -"),
    ("source", "@x", "text begins with @"),
    ("history", "\t高血压", "text begins with a tab"),
    ("allergies", "\r青霉素", "text begins with a carriage return"),
    ("id_number", "  =1", "text begins with ="),
    ("code", "@P1", "text begins with @"),
    ("name", "王\x00明", "control character"),
    ("name", "王\v明", "control character"),
    ("history", "\x1b[31m", "control character"),
    ("history", "a\x7fb", "control character"),
    ("history", "a\x85b", "control character"),
    ("allergies", "过" * 10_001, "over 10,000 characters"),
    ("code", "P" * 201, "over 200 characters"),
)


def test_every_wrong_cell_is_named_by_line_and_column(xiaohu: Shell) -> None:
    refused = xiaohu.refuses_import(patients=patients(*({column: cell} for column, cell, _ in WRONG)))
    assert refused == [
        f"patients.csv:{line}:{column}: {reason}" for line, (column, _, reason) in enumerate(WRONG, 2)
    ]
    assert is_empty(xiaohu)


def test_unusual_cells_are_taken(xiaohu: Shell) -> None:
    xiaohu.imports(
        patients=patients(
            {"phone": "+86 13800000001"},
            {"phone": "+85291234567"},
            {"phone": "021-61234567"},
            {"allergies": "过" * 10_000},
            {"history": "第一行\n第二行\t完"},
            {"birth_date": "1900-01-01"},
            {"region": "内-外"},
            {"name": 'O\'Brien, "Pat"'},
        )
    )


WRONG_ROWS = (
    ("slots", "A,D1,2026-11-23T08:00,2026-11-23T08:00,3", "end: not after start"),
    ("slots", "B,D1,2026-11-23T08:00,2026-11-23T07:00+08:00,3", "end: not after start"),
    ("slots", "C,D1,2026-11-23,2026-11-23T08:00,3", "start: not a time YYYY-MM-DDTHH:MM"),
    ("slots", "D,D1,2026-11-23T25:00,2026-11-24T08:00,3", "start: no such time"),
    ("slots", "E,D1,2026-11-23T08:00,2026-11-23T09:00,-1", "capacity: not between 0 and 100000"),
    ("slots", "F,D1,2026-11-23T08:00,2026-11-23T09:00,three", "capacity: not a whole number"),
    ("doctors", "A,张三,,GK,,12.345", "fee: not an amount"),
    ("doctors", 'B,张三,,GK,,"1,200"', "fee: not an amount"),
    ("doctors", "C,张三,,GK,,50元", "fee: not an amount"),
    ("doctors", "D,张三,,GK,,-5", "fee: not an amount"),
    ("doctors", "E,张三,,GK,,1e3", "fee: not an amount"),
    ("doctors", "F,张三,,,,", "department_code: empty"),
    ("visits", "A,P1,,,2026-10-01,house,1,,", "kind: not one of outpatient, inpatient, exam"),
    ("visits", "B,P1,,,2026-10-01,exam,1,,lost", "status: not one of"),
    ("visits", "C,P1,,,,exam,1,,", "date: empty"),
    ("procedures", "A,P1,手术,knee,,,2026-10-01,,,", "family: not one of"),
    ("procedures", "B,P1,手术,joint,,,2026-10-01,9:75,,", "time: no such time"),
    ("procedures", "C,P1,手术,joint,,,2026-10-01,上午,,", "time: not a time HH:MM"),
    ("reports", "A,P1,blood,血常规,ready,", "kind: not one of"),
    ("reports", "B,P1,lab,,ready,", "title: empty"),
    ("report_items", "R1,血糖,5.1,,,X", "flag: not one of H, L, A, C"),
    ("report_items", "R1,血钾,-5+1,,,", "value: text begins with -"),
    ("points", "A,P1,2026-01-01T08:00,1.5,x", "change: not a whole number"),
    ("points", "B,P1,2026-01-01T08:00,,赠送", "change: empty, and the reason is not 消费 AMOUNT"),
    ("points", 'C,P1,2026-01-01T08:00,,"消费 1,000"', "reason: not an amount"),
    ("points", "D,P1,2026-01-01T08:00,,消费 100元", "reason: not an amount"),
    ("hospital", "slogan,x", "key: not one of name, short_name"),
    ("gifts", "A,x,5,1,half", "stock: not a whole number"),
    ("tags", "P1,", "tag: empty"),
    ("answers", "A,,x,,", "questions: empty"),
)


def test_each_file_knows_its_own_values(xiaohu: Shell) -> None:
    folder = dict(files.FILES)
    expected: dict[str, list[str]] = {name: [] for name in folder}
    for file, row, reason in WRONG_ROWS:
        folder[file] += row + "\n"
        expected[file].append(f"{file}.csv:{folder[file].count(chr(10))}:{reason}")
    refused = xiaohu.refuses_import(**{name: folder[name] for name in folder})
    wanted = [line for lines in expected.values() for line in lines]
    assert len(refused) == len(wanted)
    for line, beginning in zip(refused, wanted, strict=True):
        assert line.startswith(beginning)
    assert is_empty(xiaohu)


def test_a_reference_to_nothing(xiaohu: Shell) -> None:
    assert xiaohu.refuses_import(
        departments=files.DEPARTMENTS,
        doctors="code,name,title,department_code,specialties,fee\nD1,张三,,GK,,\nD2,李四,,XX,,5 元\n",
        patients=files.PATIENTS,
        visits=files.VISITS.replace("P1,GK,D1", "P9,YY,D9"),
        tags="patient_code,tag\nP1,高血压\nP7,高血压\n",
    ) == [
        "doctors.csv:3:department_code: not in departments.csv nor in the database",
        "doctors.csv:3:fee: not an amount in yuan: digits, and at most two decimals after a point",
        "visits.csv:2:patient_code: not in patients.csv nor in the database",
        "visits.csv:2:department_code: not in departments.csv nor in the database",
        "visits.csv:2:doctor_code: not in doctors.csv nor in the database",
        "tags.csv:3:patient_code: not in patients.csv nor in the database",
    ]
    assert is_empty(xiaohu)


def test_a_reference_into_the_database_is_enough(xiaohu: Shell) -> None:
    xiaohu.imports(**files.FILES)
    xiaohu.imports(visits=files.VISITS.replace("V1", "V2"))
    xiaohu.imports(patients=patients({"code": "P3"}), tags="patient_code,tag\nP1,新\nP3,新\n")


def test_a_refused_row_can_still_be_referred_to(xiaohu: Shell) -> None:
    """One wrong phone is one line, not a line for each of the patient's visits."""
    refused = xiaohu.refuses_import(patients=patients({"phone": "x"}), tags="patient_code,tag\nP1,高血压\n")
    assert refused == ["patients.csv:2:phone: not a telephone number"]


def test_a_key_twice(xiaohu: Shell) -> None:
    assert xiaohu.refuses_import(
        departments="code,name,location,aliases,description\nA,x,,,\nB,y,,,\nA,z,,,\n A ,z,,,\n"
    ) == [
        "departments.csv:4:code: the same key as line 2",
        "departments.csv:5:code: the same key as line 2",
    ]


def test_a_two_part_key_twice_has_no_column(xiaohu: Shell) -> None:
    assert xiaohu.refuses_import(
        patients=files.PATIENTS, tags="patient_code,tag\nP1,高血压\nP2,高血压\nP1,高血压\n"
    ) == ["tags.csv:4:: the same key as line 2"]


def test_lines_are_physical_ones(xiaohu: Shell) -> None:
    """A quoted line break makes a row of two lines; the row is where it begins; an empty line counts."""
    text = 'code,name,location,aliases,description\nA,一,,,"两\n行"\n\nB,,,,"三\r\n\r\n行"\nC,,,,\n'
    assert xiaohu.refuses_import(departments=text) == [
        "departments.csv:5:name: empty",
        "departments.csv:8:name: empty",
    ]


def test_too_many_and_too_few_cells(xiaohu: Shell) -> None:
    assert xiaohu.refuses_import(patients=files.PATIENTS, tags="patient_code,tag\nP1\nP1,a,b\nP1,c\n") == [
        "tags.csv:2:: 1 cells, the header has 2",
        "tags.csv:3:: 3 cells, the header has 2",
    ]


def test_the_header_row(xiaohu: Shell) -> None:
    assert xiaohu.refuses_import(
        tags="patient_code,tagg,patient_code\n",
        patients=files.PATIENTS.replace(",phone,", ",phon,"),
        gifts="",
        answers="\n\n",
    ) == [
        "patients.csv:1:phon: unknown column",
        "patients.csv:1:phone: missing column",
        "tags.csv:1:tagg: unknown column",
        "tags.csv:1:patient_code: column given twice",
        "tags.csv:1:tag: missing column",
        "gifts.csv:::no header row",
        "answers.csv:::no header row",
    ]


def test_columns_may_stand_in_any_order(xiaohu: Shell) -> None:
    xiaohu.imports(patients=files.PATIENTS, tags="tag,patient_code\n高血压,P1\n")


def test_not_utf_8(xiaohu: Shell) -> None:
    """Whatever else the file holds: it is one line, and what refers to it is not blamed."""
    assert xiaohu.refuses_import(
        patients=patients({"phone": "x"}).encode() + "P2,张三".encode("gb18030"),
        tags="patient_code,tag\nP1,高血压\n",
    ) == ["patients.csv:::not UTF-8"]
    assert xiaohu.refuses_import(patients=files.PATIENTS.encode("utf-16")) == ["patients.csv:::not UTF-8"]
    assert is_empty(xiaohu)


def test_a_quotation_mark_that_never_ends(xiaohu: Shell) -> None:
    (line,) = xiaohu.refuses_import(tags='patient_code,tag\nP1,"高血压\n')
    assert line.startswith("tags.csv:2:: not CSV")


def test_at_most_a_hundred_lines(xiaohu: Shell) -> None:
    rows = "".join(f"D{number},,,,\n" for number in range(250))
    refused = xiaohu.refuses_import(departments="code,name,location,aliases,description\n" + rows, gifts="")
    assert len(refused) == 100
    assert refused[-1] == "departments.csv:101:name: empty"


def test_one_wrong_cell_at_the_very_end_undoes_everything(xiaohu: Shell) -> None:
    rows = "".join(f"P{number},张三,,,,,,,,,,,,,\n" for number in range(5000))
    wrong = files.PATIENT_COLUMNS + "\n" + rows + "P5000,张三,X,,,,,,,,,,,,\n"
    folder = dict(files.FILES) | {"patients": wrong, "points": files.POINTS_COLUMNS + "\n"}
    assert xiaohu.refuses_import(**folder) == ["patients.csv:5002:sex: not one of M, F"]
    assert is_empty(xiaohu)


def test_a_folder_without_data(xiaohu: Shell) -> None:
    assert xiaohu.refuses("import", str(xiaohu.folder_of({"readme.txt": "x"}))) == [
        "hospital:::no hospital data in this folder"
    ]


def test_no_folder_is_wrong_usage(xiaohu: Shell) -> None:
    assert xiaohu("import", "nowhere").exit_code == 2
