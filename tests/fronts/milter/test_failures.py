"""Our own faults: each costs a retry of our mail at most, and never anybody else's."""

import pytest

from tests.rig.milter import ACCEPT, CONTINUE, DISCARD

STAGES = ["connect", "mail", "rcpt", "data", "header", "eoh", "body", "eom"]


def faulty(milter, stage):
    client = milter.client()
    client.negotiate()
    client.connect(f"fault.{stage}.test")
    return client


@pytest.mark.parametrize("stage", STAGES)
def test_exception_with_mail_of_ours(milter, stage):
    """F11: whichever callback raises, mail of ours is put off or processed, counted and logged, never half read."""
    to = f"bounce+discard+fault-{stage}@bounces.test"
    before = milter.metrics()
    with faulty(milter, stage) as client:
        reply = client.message([f"<{to}>"])
    if stage == "connect":
        assert reply.code == DISCARD  # the client's address alone is missing
    elif stage == "rcpt":
        assert reply.code == ACCEPT  # nothing of ours is known
    else:
        assert reply.text == "451 4.3.0 Temporary failure, please try again later"
        assert not milter.trace("opened", to)
    after = milter.metrics()
    for name in (f"bouncemilter_milter_internal_errors_total {stage}", "bouncemilter_internal_errors_total milter"):
        assert after[name] > before.get(name, 0)
    assert [each for each in milter.trace("internal_error") if each["callback"] == stage]


@pytest.mark.parametrize("stage", STAGES)
def test_exception_with_ordinary_mail(milter, stage):
    """F11: whichever callback raises, ordinary mail goes on unchanged."""
    with faulty(milter, stage) as client:
        reply = client.message(["<anna@example.com>"])
    assert (reply.code, reply.modifications) == (ACCEPT, [])


@pytest.mark.parametrize("stage", ["abort", "close"])
def test_exception_at_the_end(milter, stage):
    """F11: a fault while a message is given up leaves no message held."""
    with faulty(milter, stage) as client:
        client.mail()
        client.rcpt("<bounce+discard+fault-end@bounces.test>")
        assert client.data().code == CONTINUE
        client.abort()
        assert client.message(["<bounce+discard+fault-next@bounces.test>"]).code == DISCARD
    assert not milter.trace("opened", "bounce+discard+fault-end@bounces.test")


def test_ownership_fails_for_one(milter):
    """F11: where it can't be told whose a recipient is, a message that is also ours is put off, never discarded."""
    with milter.session() as client:
        assert client.message(["<explode@example.com>"]).code == ACCEPT
        assert client.message(["<explode@example.com>", "<bounce+discard+beside@bounces.test>"]).deferred
        assert client.message(["<bounce+discard+next@bounces.test>"]).code == DISCARD


@pytest.mark.parametrize("word", ["open-fails", "process-fails", "settle-fails", "short"])
def test_pipeline_fails(milter, word):
    """F11: a pipeline that raises, or answers for too few, puts the message off without a word of why."""
    to = f"bounce+{word}+x@bounces.test"
    with milter.session() as client:
        reply = client.message([f"<{to}>", "<anna@example.com>"])
        assert client.message(["<bounce+discard+next@bounces.test>"]).code == DISCARD
    assert reply.text == "451 4.3.0 Temporary failure, please try again later"
    assert bool(milter.trace("left", to)) == (word != "open-fails")


def test_pipeline_hangs(start):
    """A pipeline that does not answer in time puts the message off; nobody else is held up, the session goes on."""
    milter = start(process_timeout=0.8)
    to = "bounce+hang+x@bounces.test"
    with milter.session() as client:
        assert client.message([f"<{to}>"]).deferred
        assert client.message(["<bounce+discard+after-hang@bounces.test>"]).code == DISCARD
    assert milter.trace("settled", to)[0]["dispositions"] == ["tempfail"]
    assert milter.trace("process_timeout")
    assert milter.trace("nudged")


def test_negotiation_fails(start):
    """F11: an MTA with which nothing can be agreed keeps all of its mail."""
    milter = start(negotiation_fails=True)
    with milter.client() as client:
        client.negotiate()
        assert client.connect().code == ACCEPT
    assert milter.trace("internal_error")[0]["callback"] == "negotiate"
