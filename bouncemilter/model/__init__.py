"""The nouns of bouncemilter: what a returned message is, what was found in it, and what is done with it.

Every name here stands in the database, in metrics labels, in rule files and in the JSON of
`bouncemilter classify --json`; changing one is a breaking change. A leaf: standard library only, no I/O.
"""

from bouncemilter.model.ledger import (
    Decision,
    Effect,
    Event,
    History,
    Mark,
    Sentence,
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
    "Kind",
    "Mark",
    "Phase",
    "RecipientVerdict",
    "Report",
    "ReportedRecipient",
    "Returned",
    "Ruling",
    "Scope",
    "Sentence",
    "Source",
    "Suppression",
    "Trust",
    "Verdict",
]
