"""What is meant by `--stream`, `--sender` and `--list`: the stream of that name, and the mailing that will be sent."""

from __future__ import annotations

from bouncemilter.assembly.streams import streams
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.enforcement import Mailing
from bouncemilter.settings import Settings
from bouncemilter.stream import Stream, StreamKind


def named(settings: Settings, name: str) -> Stream:
    """The stream of this name. Failure 2 where there is none."""
    known = {each.name: each for each in streams(settings)}
    if name not in known:
        raise Failure(f"no [[stream]] is named {name} (there are: {', '.join(known) or 'none'})", Exit.USAGE)
    return known[name]


def mailing(settings: Settings, name: str, sender: str, list_id: str) -> Mailing:
    """What will be sent; with nothing given, bulk mail of nobody and no list. Failure 2 as above."""
    stream = named(settings, name) if name else Stream("", StreamKind.BULK)
    return Mailing(stream, (sender,) if sender else stream.sender_domains, list_id or stream.list_id)
