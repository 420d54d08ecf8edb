"""The return paths: two that are one, those too long for a token, and what SPF and Postfix make of them."""

from __future__ import annotations

from bouncemilter import domain, returnpath
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def faults(settings: Settings) -> Found:
    """Return paths that can't be told apart, and signed ones without room for a token."""
    yield from _doubles(settings)
    for index, path in enumerate(settings.return_path):
        if path.key_file and len(path.prefix) > returnpath.LONGEST_PREFIX:
            longest = returnpath.LONGEST_PREFIX
            yield f"return_path[{index}].prefix", f"a signed return path's prefix has at most {longest} characters"
        if path.key_file and len(path.domain) > returnpath.LONGEST_DOMAIN:
            longest = returnpath.LONGEST_DOMAIN
            yield f"return_path[{index}].domain", f"a signed return path's domain has at most {longest} characters"


def warnings(settings: Settings) -> Found:
    """Domains that don't align with those of From, and delimiters that Postfix can't have both."""
    for index, path in enumerate(settings.return_path):
        for sender in path.sender_domains:
            if domain.registrable(sender) != domain.registrable(path.domain):
                yield (
                    f"return_path[{index}].domain",
                    f"{path.domain} and {sender} share no registrable domain: SPF will not align for DMARC",
                )
        if path.delimiters != settings.return_path[0].delimiters:
            yield (
                f"return_path[{index}].delimiters",
                "differs from return_path[0]: Postfix has one default_verp_delimiters, and is shown the first",
            )


def _doubles(settings: Settings) -> Found:
    first: dict[tuple[str, str], int] = {}
    for index, path in enumerate(settings.return_path):
        before = first.setdefault((path.domain, path.prefix.lower()), index)
        if before != index:
            yield f"return_path[{index}]", f"the same domain and prefix as return_path[{before}]"
