"""Imports: what an undo must leave alone."""

from __future__ import annotations

from bouncemilter.model import Cause, Scope
from bouncemilter.store import Row

LIST = "l.example.pl"


async def test_undo_keeps_what_people_have_asked_for(store, make):
    """Who has left the list himself since it was imported stays off it when the import is undone; others don't."""
    people = ["anna@example.net", "ewa@example.net", "jan@example.net"]
    rows = [Row(line, key, key, Cause.UNSUBSCRIBE, None, Scope.LIST, LIST) for line, key in enumerate(people, start=1)]
    batch = await store.imports.begin(by="adam", file_name="x", format_="csv", skipped=0, rejected=0)
    assert [each.added async for each in store.imports.add(batch, "adam", rows)] == [3]
    left = make.suppressed(Cause.UNSUBSCRIBE, Scope.LIST, LIST)
    other = make.suppressed(Cause.UNSUBSCRIBE, Scope.LIST, "other.example.pl")
    await store.record([make.entry("a", left, people[0])])
    await store.record([make.entry("b", other, people[1])])
    assert [ended async for ended in store.imports.undo(batch, by="adam")] == [2]
    assert [ended async for ended in store.imports.undo(batch, by="adam")] == []
    standing = [(each.address_key, each.scope_value) for key in people for each in await store.suppressed(key)]
    assert standing == [(people[0], LIST), (people[1], "other.example.pl")]
