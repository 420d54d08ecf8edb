"""What DNS says of the return paths and of the From domains: can bounces come, and does mail pass SPF and DMARC?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bouncemilter import dkim
from bouncemilter import domain as domains
from bouncemilter.address import domain_key
from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.dns.lookup import UnansweredError

# RFC 7208 section 12, as far as the shape of a term goes: a mechanism with its qualifier, or a modifier.
_MECHANISM = re.compile(r"[-+~?]?(all|include|a|mx|ptr|ip4|ip6|exists)([:/].*)?\Z", re.IGNORECASE)
_MODIFIER = re.compile(r"[a-z][a-z0-9._-]*=\S*\Z", re.IGNORECASE)
_POLICIES: Final = ("none", "quarantine", "reject")
"""RFC 7489 section 6.3: without one of them a record is only read for the sake of its reports (section 6.6.3)."""
_NAMING: Final = ("include", "a", "mx", "ptr", "ip4", "ip6", "exists")


@dataclass(frozen=True, slots=True)
class MailExchanger:
    """A return-path domain has an MX, so that remote hosts' bounces can come (RFC 5321 section 5.1)."""

    domain: str
    name: str = "MX of the return path"

    async def run(self, context: Context) -> Finding:
        """Ask for MX, and for addresses where there is none."""
        try:
            found = await context.lookup(self.domain, "MX")
            if found:
                return self._judged(found)
            addresses = await context.lookup(self.domain, "A") or await context.lookup(self.domain, "AAAA")
        except UnansweredError as error:
            return unchecked(error)
        remedy = f"{self.domain}. IN MX 10 and this host's name"
        if addresses:
            return warn(f"{self.domain} has no MX: bounces go to its own address, {addresses[0]}", remedy)
        return warn(f"{self.domain} has neither MX nor address: no bounce of another host can come", remedy)

    def _judged(self, found: tuple[str, ...]) -> Finding:
        by_preference = sorted(found, key=lambda each: int(each.partition(" ")[0]))
        hosts = [each.partition(" ")[2].rstrip(".") for each in by_preference]
        if not any(hosts):
            text = f"{self.domain} says that it takes no mail (MX 0 ., RFC 7505)"
            return fail(text, f"{self.domain}. IN MX 10 and this host's name")
        return ok(f"{self.domain} has the MX {', '.join(hosts)}")


@dataclass(frozen=True, slots=True)
class Spf:
    """A return-path domain has one SPF record, which names hosts and says what others are (RFC 7208)."""

    domain: str
    name: str = "SPF of the return path"

    async def run(self, context: Context) -> Finding:
        """Ask for TXT, and read the record as far as its shape goes."""
        try:
            texts = await context.lookup(self.domain, "TXT")
        except UnansweredError as error:
            return unchecked(error)
        records = [each for each in texts if each.lower() == "v=spf1" or each.lower().startswith("v=spf1 ")]
        remedy = f'{self.domain}. IN TXT "v=spf1 mx ~all", with all hosts that send'
        if len(records) != 1:
            found = f"{len(records)} SPF records, which counts as none" if records else "no SPF record"
            return warn(f"{self.domain} has {found}", remedy)
        complaint = spf_complaint(records[0])
        if complaint:
            return warn(f"SPF of {self.domain} {complaint}: {records[0]}", remedy)
        return ok(f"SPF of {self.domain}: {records[0]}")


@dataclass(frozen=True, slots=True)
class Dmarc:
    """A From domain's DMARC takes the return path's domain for its own (RFC 7489 section 3.1.2)."""

    sender: str
    path: str
    """The domain of the return path that the mail of `sender` carries."""
    name: str = "DMARC of the sender"

    async def run(self, context: Context) -> Finding:
        """Ask for the record of the domain, then of the registered domain above it."""
        sender, path = domain_key(self.sender), domain_key(self.path)
        organisation = domains.registrable(sender)
        try:
            record = await _dmarc(context, sender) or await _dmarc(context, organisation)
        except UnansweredError as error:
            return unchecked(error)
        if not record:
            text = f"{sender} has no DMARC record: large providers refuse bulk mail without one"
            return warn(text, f'_dmarc.{organisation}. IN TXT "v=DMARC1; p=none"')
        tags = _tags(record)
        if tags.get("p", "").lower() not in _POLICIES:
            text = (
                f"DMARC of {sender} has no policy (p=none, quarantine or reject), which counts as no record: {record}"
            )
            return warn(text, f'_dmarc.{organisation}. IN TXT "v=DMARC1; p=none"')
        strict = tags.get("aspf", "r").lower() == "s"
        if strict and path != sender:
            text = f"DMARC of {sender} says aspf=s, and its return path is in {path}: SPF never counts, only DKIM does"
            return warn(text, f"aspf=r; or a return path in {sender} itself")
        if organisation != domains.registrable(path):
            text = f"{path} is not below {organisation}: SPF never counts for DMARC of {sender}, only DKIM does"
            return warn(text, f"A return path in {organisation} or below it")
        return ok(f"SPF of {path} counts for DMARC of {sender}")


@dataclass(frozen=True, slots=True)
class Dkim:
    """The DKIM record that the world sees is the key that we know (RFC 6376 section 3.6.1)."""

    key: dkim.Key
    name: str = "DKIM of the sender"

    async def run(self, context: Context) -> Finding:
        """Ask for the record, and compare."""
        name = f"{self.key.selector}._domainkey.{self.key.domain}"
        try:
            records = await context.lookup(name, "TXT")
        except UnansweredError as error:
            return unchecked(error)
        if len(records) != 1:
            found = f"{len(records)} records, where one is allowed" if records else "no DKIM record"
            return fail(f"{name} has {found}: no signature with this key verifies", "Publish the signer's public key")
        try:
            published = dkim.parse(self.key.domain, self.key.selector, records[0].encode())
        except ValueError as error:
            return fail(f"the DKIM record of {name} is of no use: {error}", "Publish the signer's public key")
        if published != self.key:
            return fail(f"{name} publishes another key than public_key_file", "Which of the two does the signer use?")
        return ok(f"{name} publishes the key of public_key_file")


def unchecked(error: UnansweredError) -> Finding:
    """DNS is not there: that is no finding about the domain."""
    return warn(f"not checked: {error}", "Is the resolver up? --resolver HOST:PORT asks another one.")


def spf_complaint(record: str) -> str:
    """What is wrong with an SPF record; empty for a good one."""
    terms = record.split()[1:]
    broken = [each for each in terms if not _MECHANISM.match(each) and not _MODIFIER.match(each)]
    if broken:
        return f"can't be read at {broken[0]}"
    names = {found[1].lower() for each in terms if (found := _MECHANISM.match(each))}
    redirected = any(each.lower().startswith("redirect=") for each in terms)
    if redirected:
        return ""
    if not names.intersection(_NAMING):
        return "names no host"
    if not any(each.lower() in ("-all", "~all") for each in terms):
        return "does not end in -all or ~all"
    return ""


async def _dmarc(context: Context, domain: str) -> str:
    """The record of one name; empty where there is none, or more than one (RFC 7489 section 6.6.3)."""
    texts = await context.lookup(f"_dmarc.{domain}", "TXT")
    records = [each for each in texts if re.match(r"v\s*=\s*DMARC1\s*(;|\Z)", each)]
    return records[0] if len(records) == 1 else ""


def _tags(record: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
