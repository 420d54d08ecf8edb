"""Faults that no single key shows: contradictions between keys, and with the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from bouncemilter import address, dkim, domain, returnpath
from bouncemilter.endpoint import Endpoint
from bouncemilter.returnpath import Recognizer, keyfile
from bouncemilter.settings import mailboxes, signing
from bouncemilter.settings.streams import match, return_path_of
from bouncemilter.settings.types import MatchSettings, Settings

Found = Iterator[tuple[str, str]]
"""Key and text of each fault."""


def consistency(settings: Settings) -> Found:
    """Contradictions between keys."""
    yield from _shared_sockets(settings)
    yield from _free_mail(settings)
    yield from _double_return_paths(settings)
    yield from _double_dkim_keys(settings)
    yield from _forwarding_loop(settings)
    yield from _streams(settings)
    yield from _room_for_tokens(settings)
    yield from mailboxes.faults(settings)
    yield from _alerts_to_ourselves(settings)
    if 0 < settings.retention.address_days < settings.retention.events_days:
        yield "retention.address_days", "less than events_days: the events would still name the address"
    if settings.sink.enabled and not settings.sink.listener:
        yield "sink.listener", "the sink is enabled, but has no listener"
    if not settings.sink.enabled and not settings.milter.enabled and not settings.mailbox:
        yield "sink.enabled", "neither sink nor milter is enabled: no mail could come in"
    named = settings.return_path or settings.inbound.addresses or any(each.address for each in settings.mailbox)
    if not named:
        yield "return_path", "neither [[return_path]] nor inbound.addresses says which mail is yours"


def _alerts_to_ourselves(settings: Settings) -> Found:
    """Alerts that are read as returned mail, and nobody gets."""
    paths = signing.return_paths(settings)
    watched = [*settings.inbound.addresses, *(each.address for each in settings.mailbox if each.address)]
    ours = Recognizer(paths, watched)
    for index, each in enumerate(settings.alerts.mail_to):
        if ours.ownership(each) is not None:
            yield f"alerts.mail_to[{index}]", f"mail to {each} is taken here as returned mail: name a mailbox of people"
        elif not each.rpartition("@")[0].isascii():
            yield f"alerts.mail_to[{index}]", "only letters of ASCII before the @: not every mail server takes others"
    if not settings.alerts.mail_from.rpartition("@")[0].isascii():
        yield "alerts.mail_from", "only letters of ASCII before the @: not every mail server takes others"


def _alerts_refused(settings: Settings) -> Found:
    """Alerts that the sink refuses, which has nobody but return paths; from the null sender, so no bounce tells."""
    if not settings.sink.enabled:
        return
    domains = {address.domain_key(path.domain) for path in settings.return_path}
    for index, each in enumerate(settings.alerts.mail_to):
        if address.domain_key(each.rpartition("@")[2]) in domains:
            yield (
                f"alerts.mail_to[{index}]",
                f"{each} is in the domain of a return path: if that is routed to the sink, no alert arrives",
            )


def environment(settings: Settings) -> Found:
    """Files and folders that are named, but are not there or not usable."""
    state = settings.state_directory
    if not state.is_dir():
        yield "state_directory", f"no such folder: {state}"
    elif not os.access(state, os.W_OK | os.X_OK):
        yield "state_directory", f"can't be written to: {state}"
    rules = settings.classify.rules_directory
    if rules and not Path(rules).is_dir():
        yield "classify.rules_directory", f"no such folder: {rules}"
    hook = settings.hooks.on_change
    if hook and not (Path(hook[0]).is_file() and os.access(hook[0], os.X_OK)):
        yield "hooks.on_change", f"no program that may be run: {hook[0]}"
    yield from _key_files(settings)
    yield from _public_key_files(settings)
    yield from mailboxes.unusable(settings)
    for key, endpoint in sockets(settings):
        folder = Path(endpoint.path).parent
        if endpoint.path and not folder.is_dir():
            yield key, f"no such folder: {folder}"


def warnings(settings: Settings) -> Found:
    """What works, but is likely not meant."""
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
    for key, name in _own_names(settings):
        if domain.is_public_suffix(name):
            yield key, f"{name} is a public suffix: the domains of others lie below it"
    yield from _half_signed(settings)
    yield from _vain_policy(settings)
    yield from _closed_key_files(settings)
    yield from _open_streams(settings)
    yield from _alerts_refused(settings)
    yield from mailboxes.warnings(settings)
    if settings.web.enabled and not Endpoint.parse(settings.web.address).is_local:
        yield "web.address", "not a loopback address: anybody who reaches it can read the figures"
    if not settings.inbound.own_domains and settings.inbound.addresses:
        yield (
            "inbound.own_domains",
            "empty: no return to inbound.addresses can be tied to your mail, so none will count",
        )


def sockets(settings: Settings) -> Iterator[tuple[str, Endpoint]]:
    """Key and endpoint of every socket that will be opened."""
    if settings.sink.enabled:
        for index, listener in enumerate(settings.sink.listener):
            yield f"sink.listener[{index}].address", Endpoint.parse(listener.address)
    if settings.milter.enabled:
        yield "milter.socket", Endpoint.parse(settings.milter.socket)
    if settings.access.enabled:
        yield "access.address", Endpoint.parse(settings.access.address)
    if settings.web.enabled:
        yield "web.address", Endpoint.parse(settings.web.address)


def _vain_policy(settings: Settings) -> Found:
    """Rules by which nothing would ever be suppressed."""
    rules = settings.policy
    if rules.require == "token" and not any(path.key_file for path in settings.return_path):
        yield "policy.require", "token: no return path has a key_file, so no report will count"
    if (rules.soft_messages - 1) * rules.soft_spacing_hours > rules.window_days * 24:
        apart = f"{rules.soft_messages} messages, {rules.soft_spacing_hours} hours apart"
        yield "policy.soft_messages", f"{apart}, never fit into {rules.window_days} days"


def _half_signed(settings: Settings) -> Found:
    """Own domains whose mail is not signed, beside others whose mail is: there two forged reports still suppress."""
    signed = {name for path in settings.return_path if path.key_file for name in path.sender_domains}
    if not signed or settings.policy.require == "token":
        return
    for index, name in enumerate(settings.inbound.own_domains):
        if not any(f".{name}".endswith(f".{each}") for each in signed):
            words = (
                f"{name} is in the sender_domains of no signed return path: two forged reports about its mail suppress"
            )
            yield f"inbound.own_domains[{index}]", f'{words}; policy.require = "token" prevents that'


def _shared_sockets(settings: Settings) -> Found:
    users: list[tuple[str, Endpoint]] = []
    for key, endpoint in sockets(settings):
        first = next((before for before, taken in users if endpoint.clashes_with(taken)), "")
        if first:
            yield key, f"{endpoint if endpoint.path else f'port {endpoint.port}'} is already taken by {first}"
        users.append((key, endpoint))


def _forwarding_loop(settings: Settings) -> Found:
    """What people wrote would come back to us."""
    forward_to = settings.sink.forward_to
    if not forward_to or not settings.sink.enabled:
        return
    for index, listener in enumerate(settings.sink.listener):
        if forward_to == listener.address:
            yield "sink.forward_to", f"{forward_to} is the sink itself (sink.listener[{index}])"


def _own_names(settings: Settings) -> Found:
    """Key and name of every domain that is said to be ours."""
    for index, name in enumerate(settings.inbound.own_domains):
        yield f"inbound.own_domains[{index}]", name
    for index, path in enumerate(settings.return_path):
        yield f"return_path[{index}].domain", path.domain
        for at, name in enumerate(path.sender_domains):
            yield f"return_path[{index}].sender_domains[{at}]", name


def _free_mail(settings: Settings) -> Found:
    """Domains of free mailboxes: whoever took wp.pl for their own would take every report about it for their own."""
    for key, name in _own_names(settings):
        if name in free_mail_domains():
            yield key, f"{name} belongs to a provider of mailboxes, not to you"


@cache
def free_mail_domains() -> frozenset[str]:
    """The domains in freemail.txt."""
    text = resources.files("bouncemilter.settings").joinpath("freemail.txt").read_text("utf-8")
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


def _room_for_tokens(settings: Settings) -> Found:
    """Signed return paths that are too long."""
    for index, path in enumerate(settings.return_path):
        if path.key_file and len(path.prefix) > returnpath.LONGEST_PREFIX:
            longest = returnpath.LONGEST_PREFIX
            yield f"return_path[{index}].prefix", f"a signed return path's prefix has at most {longest} characters"
        if path.key_file and len(path.domain) > returnpath.LONGEST_DOMAIN:
            longest = returnpath.LONGEST_DOMAIN
            yield f"return_path[{index}].domain", f"a signed return path's domain has at most {longest} characters"


def _key_files(settings: Settings) -> Found:
    """Key files that are not there, not ours alone, or not understood."""
    for index, path in enumerate(settings.return_path):
        try:
            if path.key_file:
                keyfile.load(Path(path.key_file))
        except returnpath.KeyFileError as error:
            yield f"return_path[{index}].key_file", str(error)


def _public_key_files(settings: Settings) -> Found:
    """DKIM keys that are not there, or can't be used."""
    for index, each in enumerate(settings.dkim):
        try:
            dkim.load(each.domain, each.selector, Path(each.public_key_file))
        except dkim.PublicKeyError as error:
            yield f"dkim[{index}].public_key_file", str(error)


def _double_dkim_keys(settings: Settings) -> Found:
    first: dict[tuple[str, str], int] = {}
    for index, each in enumerate(settings.dkim):
        before = first.setdefault((each.domain, each.selector), index)
        if before != index:
            yield f"dkim[{index}]", f"the same domain and selector as dkim[{before}]"


def _closed_key_files(settings: Settings) -> Found:
    """Key files that root can read and the daemon can't, as the owner of the state folder."""
    for index, path in enumerate(settings.return_path):
        if not path.key_file or keyfile.is_credential(Path(path.key_file)):
            continue
        try:
            owner, daemon = (each.stat().st_uid for each in (Path(path.key_file), settings.state_directory))
        except OSError:
            continue
        if owner != daemon:
            yield f"return_path[{index}].key_file", "its owner is not that of state_directory: can the daemon read it?"


def _double_return_paths(settings: Settings) -> Found:
    first: dict[tuple[str, str], int] = {}
    for index, path in enumerate(settings.return_path):
        before = first.setdefault((path.domain, path.prefix.lower()), index)
        if before != index:
            yield f"return_path[{index}]", f"the same domain and prefix as return_path[{before}]"


def _streams(settings: Settings) -> Found:
    """Streams that can't be told apart, match everything, or name a return path that is not there."""
    first: dict[str, int] = {}
    for index, stream in enumerate(settings.stream):
        before = first.setdefault(stream.name, index)
        if before != index:
            yield f"stream[{index}].name", f"{stream.name} is already the name of stream[{before}]"
        if stream.match == MatchSettings():
            yield f"stream[{index}].match", "empty: say whose mail it is, else incoming mail belongs to the stream, too"
        if stream.return_path and return_path_of(settings, stream) is None:
            yield f"stream[{index}].return_path", f"no [[return_path]] is {stream.return_path}"


def _open_streams(settings: Settings) -> Found:
    """Streams that a stranger's mail from outside can belong to, or that nothing looks at."""
    if settings.stream and not settings.milter.enabled:
        yield "milter.enabled", "false: the mail of the streams is not signed"
    if settings.access.enabled and not settings.stream:
        yield "access.enabled", "true, but no [[stream]] says which mail is held against the suppressions"
    for index, stream in enumerate(settings.stream):
        path = return_path_of(settings, stream)
        if path is not None and not path.key_file:
            yield f"stream[{index}].return_path", f"{stream.return_path} has no key_file: the mail leaves unsigned"
        if (stream.match.sender or stream.match.sender_domain) and not match(stream.match).says_who:
            yield (
                f"stream[{index}].match",
                "anybody can write an envelope sender: add daemon_name, sasl_login, client or local_user",
            )
