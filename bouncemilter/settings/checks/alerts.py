"""The alerts: mails to you that nobody would get."""

from __future__ import annotations

from bouncemilter import address
from bouncemilter.returnpath import Recognizer
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.sections import return_path
from bouncemilter.settings.types import Settings


def faults(settings: Settings) -> Found:
    """Alerts that are read as returned mail, and nobody gets."""
    paths = [return_path(each) for each in settings.return_path]
    watched = [*settings.inbound.addresses, *(each.address for each in settings.mailbox if each.address)]
    ours = Recognizer(paths, watched)
    for index, each in enumerate(settings.alerts.mail_to):
        if ours.ownership(each) is not None:
            yield f"alerts.mail_to[{index}]", f"mail to {each} is taken here as returned mail: name a mailbox of people"
        elif not each.rpartition("@")[0].isascii():
            yield f"alerts.mail_to[{index}]", "only letters of ASCII before the @: not every mail server takes others"
    if not settings.alerts.mail_from.rpartition("@")[0].isascii():
        yield "alerts.mail_from", "only letters of ASCII before the @: not every mail server takes others"


def warnings(settings: Settings) -> Found:
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
