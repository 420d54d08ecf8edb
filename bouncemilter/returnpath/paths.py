"""Which envelope recipients are ours, and whom an unsigned VERP address names.

A return path is `PREFIX@DOMAIN` or `PREFIX+…@DOMAIN`; the domain and the prefix alone make it ours. What stands behind
the plus sign in an unsigned one is VERP as Postfix, Mailman, Sympa or qmail write it (see `foreign`); in a signed one a
token (see `token`), which VERP never looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bouncemilter import address
from bouncemilter.returnpath import foreign


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """One configured return path."""

    domain: str
    prefix: str
    """The local part before the delimiter, without it."""
    delimiters: str = "+="
    """What separates prefix and recipient, then the recipient's local part and domain (Postfix's default)."""
    sender_domains: tuple[str, ...] = ()
    """The From domains of the mail that carries this return path."""

    def __str__(self) -> str:
        return f"{self.prefix.lower()}@{address.domain_key(self.domain)}"


class Ownership(StrEnum):
    """What an envelope recipient is to us."""

    RETURN_PATH = "return_path"
    WATCHED = "watched"
    """An address of `inbound.addresses`."""
    PASSED = "passed"
    """postmaster@ or abuse@ of a return-path domain (RFC 5321 section 4.5.1, RFC 2142): handed on unread."""
    REVIEW = "review"
    """review@ of a return-path domain, to which people forward what they can't make out: handed on, and the mails that
    are attached are read."""


PASSED_LOCAL_PARTS = ("postmaster", "abuse")
"""Of any domain: never refused."""
REVIEW_LOCAL_PART = "review"
ROLES = (*PASSED_LOCAL_PARTS, REVIEW_LOCAL_PART)
"""Of a return-path domain: handed on to people."""


class PathIndex:
    """Finds the return path that a local part and a domain belong to."""

    def __init__(self, return_paths: Iterable[ReturnPath]) -> None:
        self._paths: Mapping[str, tuple[ReturnPath, ...]] = _by_domain(return_paths)

    @property
    def domains(self) -> frozenset[str]:
        """The return-path domains, as A-labels."""
        return frozenset(self._paths)

    def any_of(self, domain: str) -> str:
        """A return path of `domain`, an A-label; empty where it has none."""
        return next((str(path) for path in self._paths.get(domain, ())), "")

    def find(self, local: str, domain: str) -> ReturnPath | None:
        """The return path of `local`, in any case, at `domain`, an A-label."""
        for path in self._paths.get(domain, ()):
            prefix = path.prefix.lower()
            folded = local.lower()
            if folded == prefix or folded.startswith(prefix + path.delimiters[0]):
                return path
        return None


class Recognizer:
    """Tells our envelope recipients from all others, by form alone: never by age, signature or store."""

    def __init__(self, return_paths: Iterable[ReturnPath], watched: Iterable[str] = ()) -> None:
        paths = tuple(return_paths)
        self._paths = PathIndex(paths)
        self._watched = frozenset(address.key(each) for each in watched)
        self.names = (*sorted(f"{each.prefix}+@{each.domain}" for each in paths), *sorted(self._watched))
        """Return paths and watched addresses: equal where the same recipients are ours."""

    @property
    def domains(self) -> frozenset[str]:
        """The return-path domains, as A-labels."""
        return self._paths.domains

    def ownership(self, recipient: str) -> Ownership | None:
        """What `recipient` (with or without angle brackets) is to us; None where it is not ours."""
        key = address.key(recipient)
        if not key:
            return None
        if key in self._watched or self._wraps_watched(key):
            return Ownership.WATCHED
        local, _, domain = key.rpartition("@")
        if domain not in self._paths.domains:
            return None
        if self._paths.find(local, domain):
            return Ownership.RETURN_PATH
        if local == REVIEW_LOCAL_PART:
            return Ownership.REVIEW
        return Ownership.PASSED if local in PASSED_LOCAL_PARTS else None

    def _wraps_watched(self, key: str) -> bool:
        """Whether BATV or SRS has wrapped a watched address: the same mailbox, by whose envelope sender mail left."""
        return "=" in key and address.key(foreign.unwrap(key)) in self._watched

    def path(self, recipient: str) -> ReturnPath | None:
        """The return path that `recipient` belongs to, signed or not."""
        local, _, domain = address.key(recipient).rpartition("@")
        return self._paths.find(local, domain)

    def unproven(self, recipient: str) -> str:
        """What `recipient` is worth where no envelope has shown it: of an unsigned VERP return path, which anybody can
        write, the path alone; of another address at a return-path domain that domain's path.
        """
        path = self.path(recipient)
        if path is None:
            return self._paths.any_of(address.key(recipient).rpartition("@")[2]) or recipient
        return str(path) if self.verp_recipient(recipient) else recipient

    def sender_domain(self, recipient: str) -> str:
        """The domain (A-label) in whose name mail is sent that returns to `recipient`; empty where it is not ours.

        The first of the return path's sender domains, or the watched address's own domain.
        """
        local, _, domain = address.key(recipient).rpartition("@")
        path = self._paths.find(local, domain)
        if path:
            return address.domain_key(path.sender_domains[0]) if path.sender_domains else domain
        return domain if f"{local}@{domain}" in self._watched else ""

    def verp_recipient(self, recipient: str) -> str:
        """The address that an unsigned VERP return path names, or an empty string."""
        written, _, verp_domain = address.key(recipient, fold_local_part=False).rpartition("@")
        path = self._paths.find(written, verp_domain)
        if path is None:
            return ""
        extension = written[len(path.prefix) + 1 :]
        return foreign.named_recipient(extension, prefix=path.prefix, joiner=path.delimiters[1])


def _by_domain(return_paths: Iterable[ReturnPath]) -> dict[str, tuple[ReturnPath, ...]]:
    found: dict[str, tuple[ReturnPath, ...]] = {}
    for path in return_paths:
        domain = address.domain_key(path.domain)
        # The longest prefix first, so that `news-pl` is not read as `news`.
        paths = sorted((*found.get(domain, ()), path), key=lambda each: -len(each.prefix))
        found[domain] = tuple(paths)
    return found
