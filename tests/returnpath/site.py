"""A signed return path for the tests of tokens."""

from __future__ import annotations

import datetime as dt

from bouncemilter.returnpath import Key, KeyRing, ReturnPath, SignedPath, Signer, Verifier

DAY = dt.date(2026, 11, 22)
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SECRET = bytes(range(32))


def key(number: int = 5, secret: bytes = SECRET, created: str = "2026-11-01") -> Key:
    return Key(number, dt.datetime.fromisoformat(f"{created}T00:00:00+00:00"), secret)


KEYS = KeyRing([key()])
PATH = ReturnPath("bounces.example.pl", "b")


def signer(path: ReturnPath = PATH, keys: KeyRing = KEYS, *, fold_local_part: bool = True) -> Signer:
    return Signer(path, keys, fold_local_part=fold_local_part)


def verifier(path: ReturnPath = PATH, keys: KeyRing = KEYS, *, fold_local_part: bool = True) -> Verifier:
    return Verifier([SignedPath(path, keys)], fold_local_part=fold_local_part)
