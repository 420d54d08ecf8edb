"""Addresses before their first mailing: whether they can exist, and whether they are worth the risk.

Nothing here talks to a mail server. To ask one with RCPT whether a mailbox exists, and then not to send, is what
address harvesters do: providers answer yes to all or no to all, greylist it, and put the host that asks on blocklists.
Their answer is worth less than the first bounce, and costs the reputation that the mailing needs.
"""

from bouncemilter.validation.check import Checker, Result
from bouncemilter.validation.mailhost import MailHosts, MailHostStatus, ResolverError
from bouncemilter.validation.reason import Reason, Validity, verdict, words
from bouncemilter.validation.risk import DomainFileError, disposable_domains

__all__ = [
    "Checker",
    "DomainFileError",
    "MailHostStatus",
    "MailHosts",
    "Reason",
    "ResolverError",
    "Result",
    "Validity",
    "disposable_domains",
    "verdict",
    "words",
]
