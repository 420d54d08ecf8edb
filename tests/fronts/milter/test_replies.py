"""From dispositions to the reply at the end of a message: pure."""

import milter
import pytest

from bouncemilter.fronts.milter.negotiation import ACTIONS, Negotiated
from bouncemilter.fronts.milter.replies import Ending, ending
from bouncemilter.model import Disposition

D, P, T = Disposition.DISCARD, Disposition.PASS, Disposition.TEMPFAIL
OURS = {"<a>": "a", "<b>": "b"}
FULL = Negotiated(ACTIONS)
NO_DELRCPT = Negotiated(ACTIONS & ~milter.DELRCPT)


@pytest.mark.parametrize(
    ("dispositions", "others", "negotiated", "expected"),
    [
        ((D, D), False, FULL, Ending(milter.DISCARD, (D, D))),
        ((D, D), True, FULL, Ending(milter.ACCEPT, (D, D), ("<a>", "<b>"))),
        ((D, P), False, FULL, Ending(milter.ACCEPT, (D, P), ("<a>",))),
        ((P, P), False, FULL, Ending(milter.ACCEPT, (P, P))),
        ((D, T), True, FULL, Ending(milter.TEMPFAIL, (T, T))),
        ((P, T), False, FULL, Ending(milter.TEMPFAIL, (T, T))),
        ((D, D), False, NO_DELRCPT, Ending(milter.DISCARD, (D, D))),
        ((D, D), True, NO_DELRCPT, Ending(milter.ACCEPT, (P, P))),
        ((D, P), False, NO_DELRCPT, Ending(milter.ACCEPT, (P, P))),
    ],
)
def test_ending(dispositions, others, negotiated, expected):
    """F20: nobody but consumed recipients loses the message, and one tempfail is a tempfail for all."""
    assert ending(OURS, dispositions, others=others, negotiated=negotiated) == expected


def test_as_many_dispositions_as_recipients():
    """An answer for too few recipients is an error, not a guess."""
    with pytest.raises(ValueError, match="shorter"):
        ending(OURS, (D,), others=False, negotiated=FULL)


@pytest.mark.parametrize(
    ("end", "tagged"),
    [
        (Ending(milter.ACCEPT, (D, P), ("<a>",)), True),
        (Ending(milter.ACCEPT, (D, D), ("<a>", "<b>")), False),
        (Ending(milter.TEMPFAIL, (T, T)), False),
    ],
)
def test_tagged(end, tagged):
    """Our header goes only on mail that reaches a recipient of ours."""
    assert end.tagged is tagged
