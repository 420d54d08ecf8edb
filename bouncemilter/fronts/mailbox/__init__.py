"""A front: bounces that already lie in somebody's mailbox, read once (`ingest`) or every few minutes.

What was not recognised stays where it is. So does the rest, unless the options say otherwise. Here is what describes a
mailbox; `poll.Poll` reads it, and `front.MailboxFront` does so again and again: these need the pipeline.
"""

from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.options import After, MailboxOptions, Security, SourceKind
from bouncemilter.fronts.mailbox.secret import Secret
from bouncemilter.fronts.mailbox.summary import MessageOutcome, Summary

__all__ = [
    "After",
    "Fault",
    "MailboxError",
    "MailboxOptions",
    "MessageOutcome",
    "Secret",
    "Security",
    "SourceKind",
    "Summary",
]
