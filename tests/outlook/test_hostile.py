"""Broken and hostile compound files: a reason, or a message; within bounds."""

import contextlib
import random
import struct
import tracemalloc

import pytest

from bouncemilter.outlook import FILE_BYTES, MAGIC, OutlookError, to_rfc822
from tests.outlook.writing import compound, msg, tree

WHOLE = msg(
    {0x1A: "REPORT.IPM.Note.NDR", 0x37: "Undeliverable", 0x1001: "x" * 6000},
    [{0x39FE: "jan@wp.pl", 0xC1B: "<mx.wp.pl #5.1.1 smtp;550 5.1.1 User unknown>"}],
    [{0x3701: tree({0x1A: "IPM.Note", 0x1000: "y" * 9000}, head=24)}],
)


def changed(at: int, value: int) -> bytes:
    """WHOLE with four octets of its header changed."""
    raw = bytearray(WHOLE)
    struct.pack_into("<L", raw, at, value)
    return bytes(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (MAGIC, "damaged"),
        (MAGIC + b"\0" * 2000, "damaged"),
        (WHOLE[: len(WHOLE) // 2], "damaged"),
        (changed(44, 0xFFFFFFFF), "table is larger"),  # sectors of the FAT
        (changed(72, 0x7FFFFFFF), "table is larger"),  # sectors of its list
        (changed(48, 0x00FFFFFF), "damaged"),  # where the directory begins
        (changed(30, 0xFFFF0000), "damaged"),  # the size of sectors
        (compound({"a": b"b"}), "no message"),
        (compound({"WordDocument": b"x" * 5000}), "no message"),
        (WHOLE + b"\0" * FILE_BYTES, "larger than 32 MiB"),
        (b"From: x@example.org\n\n", "no compound file"),
    ],
)
def test_reason(raw: bytes, reason: str) -> None:
    """What can't be read is refused with a reason."""
    with pytest.raises(OutlookError, match=reason):
        to_rfc822(raw)


def test_streams_in_circles() -> None:
    """A chain of sectors that leads back to itself ends by the stream's size, or is refused."""
    raw = bytearray(WHOLE)
    fat_at = struct.unpack_from("<L", raw, 76)[0]
    for sector in range(8):
        struct.pack_into("<L", raw, 512 * (fat_at + 1) + 4 * sector, sector)
    with contextlib.suppress(OutlookError):
        assert len(to_rfc822(bytes(raw))) < 10 * len(raw)


def test_directory_in_circles() -> None:
    """A folder that lies in itself is refused."""
    raw = bytearray(WHOLE)
    directory = 512 * (struct.unpack_from("<L", raw, 48)[0] + 1)
    struct.pack_into("<L", raw, directory + 128 + 68, 1)
    with pytest.raises(OutlookError, match="damaged"):
        to_rfc822(bytes(raw))


def test_many_streams() -> None:
    """More streams than a mail ever has are refused."""
    with pytest.raises(OutlookError, match="more than 8000 streams"):
        to_rfc822(compound({f"s{number}": b"" for number in range(8001)}))


def test_one_stream_many_times() -> None:
    """Streams that overlap, so that a small file would be read as a large one, are refused."""
    attachments = [{0x3707: f"{number}.txt", 0x370E: "text/plain", 0x3701: b"z" * 50_000} for number in range(20)]
    raw = bytearray(msg({0x1A: "IPM.Note"}, attachments=attachments))
    fat_at = struct.unpack_from("<L", raw, 76)[0]
    at, starts = 0, []
    while (at := raw.find(struct.pack("<L", 50_000) + b"\0\0\0\0", at)) >= 0:
        starts.append(struct.unpack_from("<L", raw, at - 4)[0])
        struct.pack_into("<L", raw, at, 500_000)
        at += 8
    # Each stream goes on with the next, and the last with the first.
    for index, start in enumerate(starts):
        end = start + -(-50_000 // 512) - 1
        struct.pack_into("<L", raw, 512 * (fat_at + 1) + 4 * end, starts[(index + 1) % len(starts)])
    with pytest.raises(OutlookError, match="larger than the file"):
        to_rfc822(bytes(raw))


def test_deeply_nested() -> None:
    """Messages in messages are read to a depth; those below are left out."""
    inner = tree({0x1A: "IPM.Note", 0x37: "innermost"}, head=24)
    for _ in range(50):
        inner = tree({0x1A: "IPM.Note", 0x37: "in between"}, attachments=[{0x3701: inner}], head=24)
    raw = to_rfc822(msg({0x1A: "IPM.Note", 0x37: "outermost"}, attachments=[{0x3701: inner}]))
    assert raw.count(b"in between") == 3
    assert b"innermost" not in raw


def test_memory() -> None:
    """A file of the largest size costs no more than some copies of it."""
    filler = b"\0" * (6 * 1024 * 1024)
    raw = msg({0x1A: "IPM.Note", 0x1000: "x"}, attachments=[{0x3707: "film.mp4", 0x3701: filler}])
    tracemalloc.start()
    to_rfc822(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(raw)


def test_damage_anywhere() -> None:
    """Whatever octets are changed, a message or OutlookError comes out, and nothing else."""
    chance = random.Random(1)
    refused = 0
    for _ in range(300):
        raw = bytearray(WHOLE)
        for _ in range(chance.choice((1, 3, 20))):
            raw[chance.randrange(8, len(raw))] = chance.choice((0, 1, 0x7F, 0xFE, 0xFF))
        try:
            to_rfc822(bytes(raw[: chance.choice((len(raw), len(raw), chance.randrange(len(raw))))]))
        except OutlookError:
            refused += 1
    assert 0 < refused < 300
