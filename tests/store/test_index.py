"""The index of suppressions alone: it answers as a set of keys would, whatever is added and removed."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.store.index import Loading, SuppressionIndex

KEYS = st.sampled_from([f"user{number}@example.pl" for number in range(40)])
STEPS = st.lists(st.tuples(st.sampled_from(["add", "add everywhere", "remove"]), KEYS))


@pytest.fixture(autouse=True, scope="module")
def few_parts():
    """So that parts are as crowded as they are with millions of addresses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bouncemilter.store.index.PARTS", 16)
        patch.setattr("bouncemilter.store.index._SHIFT", 64 - 4)
        yield


def loaded(rows) -> SuppressionIndex:
    loading = Loading()
    loading.extend(rows)
    loading.sort()
    index = SuppressionIndex()
    index.replace(loading, 7)
    return index


@given(st.dictionaries(KEYS, st.booleans()), STEPS)
def test_as_a_dictionary(start, steps):
    """Loaded, then changed in any order, it knows exactly the keys that a dictionary does, and their reach."""
    index, model = loaded(start.items()), dict(start)
    for step, key in steps:
        if step == "remove":
            index.remove(key)
            model.pop(key, None)
        else:
            index.add(key, everywhere=step == "add everywhere")
            model[key] = step == "add everywhere"
    for number in range(40):
        key = f"user{number}@example.pl"
        assert (index.contains(key), index.everywhere(key)) == (key in model, model.get(key, False))
    assert len(index) == len(model)


@given(st.dictionaries(st.text(), st.booleans(), max_size=300), st.text())
def test_any_text(start, other):
    """Keys of any characters are found, in each of the parts."""
    index = loaded(start.items())
    assert all(index.contains(key) and index.everywhere(key) is reach for key, reach in start.items())
    assert index.contains(other) == (other in start)


def test_neighbours():
    """Keys whose hashes share a part and are neighbours, negative ones too, are kept apart."""

    class Key(str):
        __slots__ = ("number",)

        def __hash__(self) -> int:
            return self.number

    def key(number: int) -> Key:
        made = Key(f"{number}@example.pl")
        made.number = number
        return made

    edges = [-(2**63), -(2**63) + 2, -4, 0, 2, 4, 2**52 - 2, 2**52, 2**62, 2**63 - 2]
    # Python takes 61 bits of a hash that is written in Python; those beyond are other numbers, and still distinct.
    keys = [key(number) for number in edges]
    distinct = {hash(each) & ~1: each for each in keys}
    index = loaded((each, False) for each in list(distinct.values())[::2])
    for each in list(distinct.values())[1::2]:
        index.add(each, everywhere=True)
    for place, each in enumerate(distinct.values()):
        assert (index.contains(each), index.everywhere(each)) == (True, bool(place % 2))
    for each in distinct.values():
        index.remove(each)
    assert not len(index)
    assert not any(index.contains(each) for each in distinct.values())


def test_empty():
    """Before anything is loaded it says so; nothing is in it, and taking away what is not there changes nothing."""
    index = SuppressionIndex()
    index.remove("a@example.pl")
    assert (index.loaded, index.seq, len(index), index.contains("a@example.pl")) == (False, 0, 0, False)


def test_readers_beside_the_writer():
    """While others come and go in the same parts, a reader on another thread never misses a key that stays."""
    staying = [f"stays{number}@example.pl" for number in range(20_000)]
    index = loaded((key, True) for key in staying)
    missed, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            missed.extend(key for key in staying if not index.everywhere(key))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(20_000):
        index.add(f"comes{number}@example.pl", everywhere=False)
        if number % 2:
            index.remove(f"comes{number}@example.pl")
    again = Loading()
    again.extend((key, True) for key in staying)
    again.sort()
    index.replace(again, 9)
    stop.set()
    for reader in readers:
        reader.join()
    assert missed == []
    assert (len(index), index.seq) == (len(staying), 9)
