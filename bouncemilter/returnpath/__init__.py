"""Return paths: which envelope recipients are ours, whom they name, and the signature that proves it. A leaf.

    from bouncemilter.returnpath import ReturnPath, SignedPath, Signer, Verified, Verifier, keyfile

    path = ReturnPath("bounces.example.pl", "b")
    keys = keyfile.load(Path("/etc/bouncemilter/keys/b.key"))
    sender = Signer(path, keys).mint("jan@example.com", campaign="spring", day=date.today())
    found = Verifier([SignedPath(path, keys)]).verify(sender, at=datetime.now(UTC))
    assert isinstance(found, Verified) and found.matches("Jan@Example.com")

`token` has the layout, `keyfile` the format of key files, `foreign` the forms of other software.
"""

from bouncemilter.returnpath.keyfile import KeyFileError, KeyStillNeededError
from bouncemilter.returnpath.keys import Key, KeyRing
from bouncemilter.returnpath.layout import LONGEST_DOMAIN, LONGEST_PREFIX, Form, written_campaign
from bouncemilter.returnpath.paths import PASSED_LOCAL_PARTS, ROLES, Ownership, Recognizer, ReturnPath
from bouncemilter.returnpath.seal import Purpose
from bouncemilter.returnpath.token import (
    LIFE,
    LONGEST_LIFE,
    MintedMessage,
    Reason,
    Refused,
    SignedPath,
    Signer,
    Verified,
    Verifier,
    campaign_hash,
)

__all__ = [
    "LIFE",
    "LONGEST_DOMAIN",
    "LONGEST_LIFE",
    "LONGEST_PREFIX",
    "PASSED_LOCAL_PARTS",
    "ROLES",
    "Form",
    "Key",
    "KeyFileError",
    "KeyRing",
    "KeyStillNeededError",
    "MintedMessage",
    "Ownership",
    "Purpose",
    "Reason",
    "Recognizer",
    "Refused",
    "ReturnPath",
    "SignedPath",
    "Signer",
    "Verified",
    "Verifier",
    "campaign_hash",
    "written_campaign",
]
