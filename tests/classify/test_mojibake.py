"""Text read in a wrong charset, and words whose letters became question marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.classify.mojibake import mended

_POLISH = "Wiadomość nie spełnia wymagań, użytkownik odrzucił treść"


@pytest.mark.parametrize("codec", ["utf-8", "iso-8859-2", "windows-1250"])
def test_polish_read_as_latin_1(codec: str) -> None:
    """Whatever the octets were, read as latin-1 they are read again as Polish."""
    assert mended(_POLISH.encode(codec).decode("latin-1")) == _POLISH


@pytest.mark.parametrize("codec", ["cp1252", "cp1250"])
def test_utf_8_read_as_windows(codec: str) -> None:
    """UTF-8 that was read in a charset of Windows is UTF-8 again."""
    assert mended("użytkownik, źródło, ślad".encode().decode(codec)) == "użytkownik, źródło, ślad"


@pytest.mark.parametrize("codec", ["windows-1251", "koi8-r"])
def test_russian_read_as_latin_1(codec: str) -> None:
    """Cyrillic octets are no East Asian text, however even their runs are."""
    said = "550 Пользователь не найден на сервере"
    assert mended(said.encode(codec).decode("latin-1")) == said


@pytest.mark.parametrize(
    "said",
    [
        "550 Użytkownik nie istnieje",
        "550 Empfänger für Ihr Postfach",
        "Cette boîte a été fermée à clé, où ça ?",
        "¿Por qué? dirección",
        "pääsy estetty",
        "550 Nincs ilyen felhasználó",
        "550 Пользователь не найден",
        "552 メールボックスの容量が超過しています",
        "see https://example.com/mail?p=NoSuchUser, why??",
    ],
)
def test_what_is_whole_stays(said: str) -> None:
    """Text that was read rightly is not touched."""
    assert mended(said) == said


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("550 Nie ma takiego u??ytkownika", "user_unknown"),
        ("550 Nie ma takiego u\ufffdytkownika", "user_unknown"),
        ("552 Skrzynka jest pe?na", "mailbox_full"),
        ("552 Skrzynka jest przepe??niona", "mailbox_full"),
        ("554 Tre???? wiadomo??ci uznana za spam", "content_blocked"),
        ("550 Empf??nger unbekannt", "user_unknown"),
    ],
)
def test_question_marks_hide_no_known_word(said: str, category: str) -> None:
    """Postfix writes a question mark for every octet that is not ASCII."""
    assert classify.builtin().rule(Reply(said)).category == category


@given(st.text(max_size=200))
def test_never_raises(said: str) -> None:
    """Any text is mended or left; ASCII without question marks is left."""
    found = mended(said)
    if said.isascii() and "?" not in said:
        assert found == said
