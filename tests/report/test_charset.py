"""Guesses of charsets that nobody declared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.report.charset import LOOKED_AT, guess
from bouncemilter.text import decode

POLISH = "Wiadomość nie została dostarczona, ponieważ skrzynka jest pełna. Źródło błędu: żądanie"
CZECH = "Zpráva nebyla doručena, protože schránka příjemce je plná; důvod chyby níže"
RUSSIAN = "Письмо не доставлено, так как пользователь не существует"
CHINESE = "您的邮件无法送达到指定的地址，请检查后重新发送"
JAPANESE = "メールを配信できませんでした。宛先のユーザーが存在しません"
KOREAN = "메일을전달할수없습니다수신자가존재하지않습니다"


@pytest.mark.parametrize(
    ("words", "charset"),
    [
        (POLISH, "iso-8859-2"),
        (POLISH, "windows-1250"),
        (POLISH, "utf-8"),
        (CZECH, "iso-8859-2"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "utf-8"),
        (CHINESE, "gb2312"),
        (JAPANESE, "iso-2022-jp"),
        (JAPANESE, "euc-jp"),
        (KOREAN, "euc-kr"),
        ("Votre message n'a pas pu être délivré à son destinataire", "iso-8859-1"),
        ("Ihre Nachricht an Müller & Söhne wurde größtenteils verworfen", "iso-8859-1"),
        ("plain", "us-ascii"),
    ],
)
def test_words_come_out(words: str, charset: str) -> None:
    """A sentence in a charset that is not declared is read as it was written."""
    raw = words.encode(charset)
    assert decode(raw, guess(raw)) == words


def test_cut_within_a_character() -> None:
    """UTF-8 that is cut where no more is looked at stays UTF-8."""
    raw = b"a" + ("ł" * LOOKED_AT).encode()
    assert guess(raw) == ""


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    """Any bytes have a guess that can be decoded."""
    assert isinstance(decode(raw, guess(raw)), str)
