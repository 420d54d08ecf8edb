"""Lists that are Excel workbooks, made and read back by a program that is not ours."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table

from bouncemilter.lists import ListError, ListOptions, open_list
from bouncemilter.lists.sheet import Shift, cells, cut, moved_ranges

DEFAULT = ListOptions()
ROWS = [
    ["Imię", "E-mail", "Kwota", "Razem"],
    ["Łukasz", "lukasz@wp.pl", 1.5, "=C2*2"],
    ["Ola", "ola@op.pl", 2, "=C3*2"],
    ["Jan & <syn>", "jan@wp.pl", 3, "=C4*2+C$2"],
    ["Ewa", "ewa@onet.pl", 4, '=IF(C5>1,"C5","B3")'],
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook with two sheets, formulas, links, formats, merged cells, a comment and a filter."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Lista"
    for row in ROWS:
        sheet.append(row)
    sheet["B4"].hyperlink = "mailto:jan@wp.pl"
    sheet["B5"].hyperlink = "mailto:ewa@onet.pl"
    sheet["A5"].font = Font(bold=True)
    sheet["A4"].comment = Comment("z CRM", "biuro")
    sheet["A3"].comment = Comment("stara", "biuro")
    sheet["E5"] = dt.date(2026, 1, 5)
    sheet.merge_cells("F4:G5")
    sheet.merge_cells("H3:I3")
    sheet.auto_filter.ref = "A1:D5"
    sheet.row_dimensions[5].height = 40
    other = made.create_sheet("Ceny")
    other.append(["towar", "cena"])
    other.append(["kubek", 12])
    path = tmp_path / "lista.xlsx"
    made.save(path)
    return path


def copied(path: Path, keep: Callable[[int, str], bool], wish: ListOptions = DEFAULT) -> bytes:
    out = io.BytesIO()
    open_list(path, wish).copy(out, keep, lambda _: None)
    return out.getvalue()


def test_layout(book: Path) -> None:
    """The sheet and the column with addresses are found, and the cells come with their rows' numbers."""
    found = open_list(book)
    assert (found.layout.format, found.layout.sheet, found.layout.name) == ("xlsx", "Lista", "E-mail")
    seen: list[tuple[int, str]] = []
    found.copy(None, lambda record, cell: seen.append((record, cell)) is None, lambda _: None)
    assert seen == [(number, str(row[1])) for number, row in enumerate(ROWS[1:], 2)]


def test_nothing_cut(book: Path) -> None:
    """Where nothing goes, the workbook is equal octet for octet."""
    assert copied(book, lambda *_: True) == book.read_bytes()


def test_cut(book: Path) -> None:
    """A row goes without a gap; what stands below moves up with its format, link, comment, height and formula."""
    out = io.BytesIO(copied(book, lambda _, cell: cell != "ola@op.pl"))
    sheet = openpyxl.load_workbook(out)["Lista"]
    assert [[cell.value for cell in row[:3]] for row in sheet.iter_rows()] == [
        row[:3] for row in ROWS if row[0] != "Ola"
    ]
    assert [sheet[f"D{row}"].value for row in (2, 3, 4)] == [
        "=C2*2",
        "=C3*2+C$2",
        '=IF(C4>1,"C5","B3")',
    ]
    assert sheet["B3"].hyperlink.target == "mailto:jan@wp.pl"
    assert sheet["B4"].hyperlink.target == "mailto:ewa@onet.pl"
    assert sheet["A4"].font.bold
    assert sheet["A3"].comment.text == "z CRM"
    assert sheet["A4"].comment is None
    assert sheet["E4"].value.date() == dt.date(2026, 1, 5)
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["F3:G4"]
    assert sheet.auto_filter.ref == "A1:D4"
    assert sheet.row_dimensions[4].height == 40


def test_other_parts_stay(book: Path) -> None:
    """Every part of the file that does not name rows of the list is equal octet for octet."""
    with (
        zipfile.ZipFile(book) as before,
        zipfile.ZipFile(io.BytesIO(copied(book, lambda number, _: number != 3))) as after,
    ):
        assert after.namelist() == before.namelist()
        changed = {name for name in before.namelist() if before.read(name) != after.read(name)}
    assert "xl/worksheets/sheet1.xml" in changed
    assert not {"xl/worksheets/sheet2.xml", "xl/styles.xml", "xl/workbook.xml", "xl/theme/theme1.xml"} & changed


def test_all_cut(book: Path) -> None:
    """The header stays where every row goes, and the file is a workbook still."""
    sheet = openpyxl.load_workbook(io.BytesIO(copied(book, lambda *_: False)))["Lista"]
    assert [cell.value for cell in sheet[1]][:4] == ROWS[0]
    assert sheet.max_row == 1


def test_table(tmp_path: Path) -> None:
    """A table over the list shrinks with it, down to one empty row."""
    made = openpyxl.Workbook()
    for row in (["email", "n"], ["jan@wp.pl", 1], ["ola@op.pl", 2]):
        made.active.append(row)
    made.active.add_table(Table(displayName="Lista", ref="A1:B3"))
    path = tmp_path / "t.xlsx"
    made.save(path)
    for keep, wanted in ((lambda _, cell: cell != "jan@wp.pl", "A1:B2"), (lambda *_: False, "A1:B2")):
        sheet = openpyxl.load_workbook(io.BytesIO(copied(path, keep))).active
        assert sheet.tables["Lista"].ref == wanted


def test_several_sheets(book: Path) -> None:
    """Where two sheets hold addresses the operator is asked, and may choose."""
    made = openpyxl.load_workbook(book)
    made["Ceny"].append(["x", "k@x.pl"])
    made["Ceny"]["B1"] = "email"
    made.save(book)
    with pytest.raises(ListError, match="several sheets hold addresses: Lista, Ceny; choose one by --sheet"):
        open_list(book)
    assert open_list(book, ListOptions(sheet="Ceny")).layout.sheet == "Ceny"
    with pytest.raises(ListError, match="no sheet Inny"):
        open_list(book, ListOptions(sheet="Inny"))


def _rewritten(book: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """The workbook with each part changed, or left out where the change gives None."""
    with zipfile.ZipFile(book) as source:
        parts = {name: change(name, source.read(name)) for name in source.namelist()}
    with zipfile.ZipFile(book, "w") as target:
        for name, content in parts.items():
            if content is not None:
                target.writestr(name, content)


def test_no_addresses(book: Path) -> None:
    """A workbook without addresses is refused by the names of its sheets."""
    _rewritten(book, lambda _, content: content.replace(b"@", b" at "))
    made = openpyxl.load_workbook(book)
    made["Lista"]["B1"] = "x"
    made.save(book)
    with pytest.raises(ListError, match=r"no sheet has a column of e-mail addresses \(looked at: Lista, Ceny\)"):
        open_list(book)


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("xl/workbook.xml", None, "no .xlsx workbook"),
        ("xl/worksheets/sheet1.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', "as no spreadsheet writes it"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData></sheetData></worksheet>", "no sheet has a column"),
    ],
)
def test_strange_parts(book: Path, part: str, content: bytes | None, words: str) -> None:
    """A workbook that lacks a part, or has one that is not read, is refused."""
    _rewritten(book, lambda name, whole: content if name == part else whole)
    with pytest.raises(ListError) as error:
        open_list(book)
    assert words in str(error.value)


def test_bomb(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that unpacks to more than the limit is refused before it is unpacked."""
    monkeypatch.setattr("bouncemilter.lists.workbook.LARGEST_PART", 1000)
    with pytest.raises(ListError, match="more than 1,000"):
        open_list(book)


def test_cut_off(book: Path) -> None:
    """A workbook that is cut off is refused, not read in part."""
    book.write_bytes(book.read_bytes()[:-200])
    with pytest.raises(ListError):
        open_list(book)


def test_prefix_and_no_numbers() -> None:
    """Rows are cut where the XML has a prefix, and where rows and cells have no numbers."""
    prefixed = (
        b'<x:worksheet><x:sheetData><x:row r="1"><x:c r="A1"/></x:row><x:row r="2"/>'
        b'<x:row r="4"><x:c r="A4"/></x:row></x:sheetData></x:worksheet>'
    )
    assert cut(prefixed, Shift([1])) == prefixed.replace(b'<x:row r="1"><x:c r="A1"/></x:row>', b"").replace(
        b'<x:row r="2"/>', b'<x:row r="1"/>'
    ).replace(b'<x:row r="4"><x:c r="A4"/>', b'<x:row r="3"><x:c r="A3"/>')
    bare = b"<worksheet><sheetData><row><c><v>1</v></c></row><row><c><v>2</v></c></row></sheetData></worksheet>"
    assert cut(bare, Shift([1])) == bare.replace(b"<row><c><v>1</v></c></row>", b"")


def test_shared_formula() -> None:
    """A formula that several cells share becomes the last value of each."""
    xml = (
        b'<worksheet><sheetData><row r="1"><c r="A1"><f t="shared" ref="A1:A3" si="0">B1</f><v>7</v></c></row>'
        b'<row r="2"><c r="A2"/></row><row r="3"><c r="A3"><f t="shared" si="0"/><v>8</v></c></row>'
        b"</sheetData></worksheet>"
    )
    assert cut(xml, Shift([2])) == (
        b'<worksheet><sheetData><row r="1"><c r="A1"><v>7</v></c></row><row r="2"><c r="A2"><v>8</v></c></row>'
        b"</sheetData></worksheet>"
    )


def test_lost_reference() -> None:
    """A formula that refers to a row that goes says so; texts, functions and other sheets in it stay."""
    formula = b'A2+$A$3+LOG10(A4)+Inny!A3+Inny!$A$3:A9+"A3"+A3B'
    xml = b'<worksheet><sheetData><row r="4"><c r="B4"><f>%s</f></c></row></sheetData></worksheet>'
    wanted = b'<worksheet><sheetData><row r="3"><c r="B3"><f>%s</f></c></row></sheetData></worksheet>'
    moved = b'A2+#REF!+LOG10(A3)+Inny!A3+Inny!$A$3:A9+"A3"+A3B'
    assert cut(xml % formula, Shift([3])) == wanted % moved


@pytest.mark.parametrize(
    ("written", "removed", "wanted"),
    [
        (b"A2:C9", [3, 4], b"A2:C7"),
        (b"A3:A4 B9", [3, 4], b"B7"),
        (b"A3", [3], b""),
        (b"A1:D5", [5], b"A1:D4"),
        (b"B4:B6", [4], b"B4:B5"),
        (b"A:C", [2], b"A:C"),
    ],
)
def test_moved_ranges(written: bytes, removed: list[int], wanted: bytes) -> None:
    """Ranges shrink and move with the rows; those that lose all of them go."""
    assert moved_ranges(written, Shift(removed)) == wanted


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        (b"SUM(A2:A5)", b"SUM(A2:A3)"),
        (b"SUM($A$3:$A$9)", b"SUM($A$2:$A$7)"),
        (b"SUM(A2:A3)", b"SUM(#REF!)"),
        (b"SUM(A:A)", b"SUM(A:A)"),
    ],
)
def test_ranges_of_formulas(formula: bytes, wanted: bytes) -> None:
    """A range of a formula shrinks when its first or last rows go, and is lost only with all of them."""
    xml = b'<worksheet><sheetData><row r="1"><c r="B1"><f>%s</f></c></row></sheetData></worksheet>'
    rows = [2, 3] if b"A2:A" in formula else [4, 5]
    removed = rows if formula != b"SUM($A$3:$A$9)" else [2, 5]
    assert cut(xml % formula, Shift(removed)) == xml % wanted


def test_cell_texts() -> None:
    """A character that XML can't hold is read as what it is; a formula without a value is no empty cell."""
    row = (
        b'<c r="A1" t="str"><v>jan@wp.pl_x000D_</v></c><c r="B1" t="inlineStr"><is><t>a_x005F_x0041_@wp.pl</t></is></c>'
        b'<c r="C1"><f>HYPERLINK("mailto:jan@wp.pl")</f></c><c r="D1"><f t="shared" si="0"/></c>'
    )
    assert [text for _, text in cells(row, [])] == [
        "jan@wp.pl\r",
        "a_x0041_@wp.pl",
        '=HYPERLINK("mailto:jan@wp.pl")',
        "",
    ]


def test_sheet_in_any_case(book: Path) -> None:
    """A sheet is chosen by its name in any case; an error names those that are there."""
    assert open_list(book, ListOptions(sheet="LISTA")).layout.sheet == "Lista"
    with pytest.raises(ListError, match=r"no sheet x \(there are: Lista, Ceny\)"):
        open_list(book, ListOptions(sheet="x"))


def test_progress(tmp_path: Path) -> None:
    """Progress is told on the way, and adds up to the size."""
    made = openpyxl.Workbook()
    for number in range(200):
        made.active.append([f"a{number}@wp.pl"])
    path = tmp_path / "l.xlsx"
    made.save(path)
    told: list[int] = []
    found = open_list(path)
    found.copy(io.BytesIO(), lambda record, _: record > 1, told.append)
    assert len(told) > 10
    assert sum(told) == found.size


def test_conditions() -> None:
    """The condition of a format moves with the first cell that it is for, what has a `$` with the row it names."""
    xml = (
        b'<worksheet><sheetData><row r="2"/><row r="3"/></sheetData><conditionalFormatting sqref="B%d:B%d">'
        b"<cfRule><formula>AND($C%d&gt;C$9,A%d:A%d=$D$%d)</formula></cfRule></conditionalFormatting></worksheet>"
    )
    moved = cut(xml % (5, 20, 5, 4, 5, 2), Shift([3, 9]))
    wanted = (xml % (4, 18, 4, 3, 4, 2)).replace(b'<row r="3"/>', b"").replace(b"C$9", b"#REF!")
    assert moved == wanted
