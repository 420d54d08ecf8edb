"""The campaign of a return path, read without any key."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.returnpath import Key, KeyRing, ReturnPath, Signer, campaign_hash, written_campaign

DAY = dt.date(2026, 11, 22)
KEYS = KeyRing([Key(5, dt.datetime(2026, 11, 1, tzinfo=dt.UTC), bytes(range(32)))])


@pytest.mark.parametrize("path", [ReturnPath("bounces.own.test", "b"), ReturnPath("r.own.test", "news-pl.x", "-=")])
@pytest.mark.parametrize("recipient", ["jan@example.com", "o'neil@example.com", "a=b+c@ex-ample.com"])
@pytest.mark.parametrize("campaign", ["wiosna", "Lato 2026", ""])
def test_every_form(path: ReturnPath, recipient: str, campaign: str) -> None:
    """Each form of a token names the campaign that it was minted for, in any case of letters."""
    signer = Signer(path, KEYS)
    minted = [
        signer.mint(recipient, campaign=campaign, day=DAY),
        signer.mint_message(campaign=campaign, day=DAY).address,
    ]
    for each in minted:
        local = each.rpartition("@")[0]
        assert written_campaign(local) == written_campaign(local.upper()) == campaign_hash(campaign)


@pytest.mark.parametrize(
    "local", ["", "b", "b+jan=example.com", "bounce-12-jan=wp.pl", "b+" + "a" * 35, "b+x=y=" + "a" * 26]
)
def test_no_token(local: str) -> None:
    """Unsigned VERP and what only looks like a token name none."""
    assert written_campaign(local) == 0


@given(st.text(alphabet="ab27=+-.@żZ", max_size=80))
def test_anything(local: str) -> None:
    """Whatever it is, a number of 24 bits comes out."""
    assert 0 <= written_campaign(local) < 1 << 24
