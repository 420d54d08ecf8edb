"""The nouns of bouncemilter: what a returned message is, what was found in it, and what is done with it.

Every name here stands in the database, in metrics labels, in rule files and in the JSON of
`bouncemilter classify --json`; changing one is a breaking change. A leaf: standard library only, no I/O.
"""

from bouncemilter.model.incident import Incident, IncidentDecision, IncidentKind
from bouncemilter.model.ledger import (
    Decision,
    Effect,
    Event,
    History,
    Mark,
    Probation,
    Sentence,
    Standing,
    Suppression,
)
from bouncemilter.model.report import (
    Envelope,
    RecipientVerdict,
    Report,
    ReportedRecipient,
    Returned,
    Ruling,
    Verdict,
)
from bouncemilter.model.sent import Sent, SentDays, Withheld, Withholding, address_hash
from bouncemilter.model.vocabulary import (
    CLASS_OF,
    Action,
    Category,
    Cause,
    Class,
    Defect,
    Disposition,
    Front,
    Kind,
    Phase,
    Scope,
    Source,
    Trust,
)

__all__ = [
    "CLASS_OF",
    "Action",
    "Category",
    "Cause",
    "Class",
    "Decision",
    "Defect",
    "Disposition",
    "Effect",
    "Envelope",
    "Event",
    "Front",
    "History",
    "Incident",
    "IncidentDecision",
    "IncidentKind",
    "Kind",
    "Mark",
    "Phase",
    "Probation",
    "RecipientVerdict",
    "Report",
    "ReportedRecipient",
    "Returned",
    "Ruling",
    "Scope",
    "Sent",
    "SentDays",
    "Sentence",
    "Source",
    "Standing",
    "Suppression",
    "Trust",
    "Verdict",
    "Withheld",
    "Withholding",
    "address_hash",
]
