"""Templates: what differs between two recipients is out, what tells one refusal from another stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.classify.template import LENGTH, Normaliser

_NORMALISER = Normaliser(["spamhaus.org", "protection.outlook.com"])


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("550 5.1.1 <Jan.Nowak@example.pl>: user unknown", "550 5.1.1 <addr>: user unknown"),
        ("550 jan@example.net...User unknown", "550 <addr>...user unknown"),
        ("host mx3.example.pl[192.0.2.1] said: 550 no", "host <host><ip> said: 550 no"),
        ("connect to [2001:db8::1]:25: refused", "connect to <ip>:#: refused"),
        ("smtp; 552 5.2.2 Skrzynka jest pełna", "552 5.2.2 skrzynka jest pelna"),
        ("try again in 300 seconds", "try again in # seconds"),
        ("550 more than 500 messages", "550 more than # messages"),
        ("user sent 200 of 250 e-mails", "user sent # of # e-mails"),
        ("said: 550 messages like this", "said: 550 messages like this"),
        ("blocked using zen.spamhaus.org", "blocked using *.spamhaus.org"),
        ("(AM5EUR02FT013.eop-EUR02.prod.protection.outlook.com)", "(*.protection.outlook.com)"),
        ("queued as 4XyZ1b2c3d9Qrs", "queued as <id>"),
        ("rejected (S3150) OFR_417 [TSS04]", "rejected (s3150) ofr_417 [tss04]"),
        ("see https://bl.example.org/lookup?ip=192.0.2.1", "see https://bl.example.org/lookup?ip=#"),
        ("https://support.google.com/mail/?p=NoSuchUser", "https://support.google.com/mail/?p=nosuchuser"),
        ("RESOLVER.ADR.RecipNotFound; not found", "resolver.adr.recipnotfound; not found"),
        ("User doesn’t exist &lt;a@example.com&gt;", "user doesn't exist <addr>"),
        ("The <b>mailbox</b> is full<br/>", "the mailbox is full"),
        ("recip=\nient unknown", "recipient unknown"),
        (
            "550-5.1.1 The account does not\n550-5.1.1 exist. Try\n550 5.1.1 again",
            "550 5.1.1 the account does not exist. try again",
        ),
        (
            "550-Verification failed 550-No such user 550 Sender verify failed",
            "550 verification failed no such user sender verify failed",
        ),
        ("", ""),
    ],
)
def test_template(text: str, template: str) -> None:
    """Each kind of variable part is replaced by its name."""
    assert _NORMALISER.template(text) == template


@settings(max_examples=300)
@given(st.text(max_size=900))
def test_any_text_has_a_bounded_template_on_one_line(text: str) -> None:
    """Whatever comes in, the template is one line within its limit, and a ruling comes out."""
    template = _NORMALISER.template(text)
    assert len(template) <= LENGTH
    assert "\n" not in template
    assert classify.builtin().rule(Reply(text)).rule


@given(
    st.sampled_from(["550 5.1.1 <{}@example.com>: User unknown", "452 <{}@example.org> is over quota"]),
    st.from_regex(r"[a-z]{1,12}(\.[a-z0-9]{1,8})?", fullmatch=True),
)
def test_replies_to_different_recipients_share_a_template(reply: str, local: str) -> None:
    """The same refusal of two recipients is one template."""
    assert _NORMALISER.template(reply.format(local)) == _NORMALISER.template(reply.format("someone"))
