"""A writer of compound files ([MS-CFB], version 3) and of `.msg` files in them ([MS-OXMSG]), for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

END, FREE, FAT_SECTOR, NOTHING = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
SECTOR, MINI, CUTOFF = 512, 64, 4096

Tree = Mapping[str, Any]
"""Names to octets (a stream) or to another tree (a folder)."""


def compound(tree: Tree) -> bytes:
    """A compound file that holds `tree`; up to some 7 MB."""
    return _Writer(tree).written()


class _Writer:
    def __init__(self, tree: Tree) -> None:
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.mini = bytearray()
        self.mini_fat: list[int] = []
        self.entries: list[bytearray] = []
        self._folder("Root Entry", 5, tree)

    def written(self) -> bytes:
        mini_at = self._chain(bytes(self.mini))
        struct.pack_into("<LL", self.entries[0], 116, mini_at, len(self.mini))
        mini_fat = b"".join(struct.pack("<L", each) for each in self.mini_fat)
        mini_fat_at = self._chain(mini_fat, FREE.to_bytes(4, "little"))
        mini_fat_sectors = -(-len(mini_fat) // SECTOR)
        directory_at = self._chain(b"".join(self.entries))
        count = 1
        while count * 128 < len(self.sectors) + count:
            count += 1
        assert count <= 109
        first = len(self.sectors)
        self.fat += [FAT_SECTOR] * count
        self.fat += [FREE] * (count * 128 - len(self.fat))
        table = struct.pack(f"<{len(self.fat)}L", *self.fat)
        header = struct.pack(
            "<8s16xHHHHH6xLLLLLLLLLL",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            0x3E, 3, 0xFFFE, 9, 6, 0, count, directory_at, 0, CUTOFF, mini_fat_at, mini_fat_sectors, END, 0, first,
        )  # fmt: skip
        listed = [first + index for index in range(1, count)]
        header += b"".join(struct.pack("<L", each) for each in listed) + b"\xff" * (4 * (108 - len(listed)))
        return header + b"".join(self.sectors) + table

    def _chain(self, content: bytes, fill: bytes = b"\0") -> int:
        if not content:
            return END
        first = len(self.sectors)
        for at in range(0, len(content), SECTOR):
            piece = content[at : at + SECTOR]
            self.sectors.append(piece + fill * ((SECTOR - len(piece)) // len(fill)))
            self.fat.append(len(self.sectors))
        self.fat[-1] = END
        return first

    def _stream(self, content: bytes) -> int:
        if len(content) >= CUTOFF:
            return self._chain(content)
        if not content:
            return END
        first = len(self.mini_fat)
        for at in range(0, len(content), MINI):
            self.mini += content[at : at + MINI].ljust(MINI, b"\0")
            self.mini_fat.append(len(self.mini_fat) + 1)
        self.mini_fat[-1] = END
        return first

    def _entry(self, name: str, kind: int, start: int, size: int) -> int:
        encoded = name.encode("utf-16-le")
        entry = bytearray(128)
        struct.pack_into("<64sHBBLLL", entry, 0, encoded, len(encoded) + 2, kind, 1, NOTHING, NOTHING, NOTHING)
        struct.pack_into("<LL", entry, 116, start, size)
        self.entries.append(entry)
        return len(self.entries) - 1

    def _folder(self, name: str, kind: int, tree: Tree) -> int:
        own = self._entry(name, kind, 0, 0)
        found = []
        for inner, content in tree.items():
            if isinstance(content, Mapping):
                found.append((inner, self._folder(inner, 1, content)))
            else:
                found.append((inner, self._entry(inner, 2, self._stream(content), len(content))))
        found.sort(key=lambda each: (len(each[0]), each[0].upper()))
        struct.pack_into("<L", self.entries[own], 76, self._balanced([each for _, each in found]))
        return own

    def _balanced(self, sids: Sequence[int]) -> int:
        if not sids:
            return NOTHING
        middle = len(sids) // 2
        left, right = self._balanced(sids[:middle]), self._balanced(sids[middle + 1 :])
        struct.pack_into("<LL", self.entries[sids[middle]], 68, left, right)
        return sids[middle]


def properties(head: int, values: Mapping[int, str | int | bytes]) -> dict[str, Any]:
    """The streams of properties: texts as Unicode, octets as binary, numbers as 32 bits."""
    table = bytearray(head)
    tree: dict[str, Any] = {}
    for tag, value in values.items():
        if isinstance(value, int):
            table += struct.pack("<HHLll", 3, tag, 6, value, 0)
            continue
        kind, content = (0x001F, value.encode("utf-16-le")) if isinstance(value, str) else (0x0102, value)
        table += struct.pack("<HHLLL", kind, tag, 6, len(content) + 2 * (kind == 0x001F), 0)
        tree[f"__substg1.0_{tag:04X}{kind:04X}"] = content
    return tree | {"__properties_version1.0": bytes(table)}


def tree(
    values: Mapping[int, str | int | bytes],
    recipients: Sequence[Mapping[int, str | int | bytes]] = (),
    attachments: Sequence[Mapping[int, Any]] = (),
    head: int = 32,
) -> dict[str, Any]:
    """The folders of a message. An attachment's 0x3701 may be the tree of a message within it."""
    found = properties(head, values)
    for number, each in enumerate(recipients):
        found[f"__recip_version1.0_#{number:08X}"] = properties(8, each)
    for number, each in enumerate(attachments):
        inner = each.get(0x3701)
        if isinstance(inner, Mapping):
            rest = {tag: value for tag, value in each.items() if tag != 0x3701} | {0x3705: 5}
            found[f"__attach_version1.0_#{number:08X}"] = properties(8, rest) | {"__substg1.0_3701000D": inner}
        else:
            found[f"__attach_version1.0_#{number:08X}"] = properties(8, {0x3705: 1} | dict(each))
    return found


def msg(
    values: Mapping[int, str | int | bytes],
    recipients: Sequence[Mapping[int, str | int | bytes]] = (),
    attachments: Sequence[Mapping[int, Any]] = (),
) -> bytes:
    """A `.msg` file."""
    return compound(tree(values, recipients, attachments))
