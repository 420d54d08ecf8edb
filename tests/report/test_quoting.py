"""What a person wrote, apart from what is quoted."""

import pytest

from bouncemilter.report.quoting import written


@pytest.mark.parametrize(
    "quoted",
    [
        "> stare\n> słowa\n",
        "W dniu 6.01.2025 o 10:00, Sklep pisze:\n> stare\n",
        "W dniu pon., 6 sty 2025 o 10:00 Sklep z bardzo długą nazwą\n<sklep@example.pl> napisał(a):\n\n> stare\n",
        "On Mon, 6 Jan 2025 at 10:00, Shop <shop@example.com> wrote:\n> stare\n",
        "Am 06.01.2025 um 10:00 schrieb Laden:\n> stare\n",
        "-----Original Message-----\nFrom: Shop\nstare\n",
        "________________________________\nOd: Sklep\nWysłane: poniedziałek\nstare\n",
        "Od: Sklep <sklep@example.pl>\nWysłano: poniedziałek, 6 stycznia\nDo: Jan\nstare\n",
        "-- \nJan, Firma stare\n",
    ],
)
def test_quotations_are_left_out(quoted: str) -> None:
    """Whatever way a mail program quotes, only the author's own lines are left."""
    assert written("nowe\n\n" + quoted) == "nowe"


def test_answer_below() -> None:
    """An answer below a line-by-line quotation is the author's own."""
    assert written("W dniu 6.01.2025 Sklep pisze:\n> stare\n> słowa\n\nnowe\n") == "nowe"
