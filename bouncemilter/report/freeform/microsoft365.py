"""Microsoft 365's page with a card, without its delivery-status part.

Your message to user@example.com couldn't be delivered.

Status code: 550 5.1.10

Recipient Address:  user@example.com
Reported error:  550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient user@example.com not found by SMTP address lookup
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="microsoft365",
    marks=("reported error:", "zgłoszony błąd:", "gemeldeter fehler:", "error notificado:"),
    entries=compiled(
        rf"^[ \t]*(?:Recipient Address|Adres adresata|Empf[äa]ngeradresse|Dirección del destinatario):[ \t]*{ADDRESS}",
        rf"^Your message to {ADDRESS} (?:couldn.t|could not) be delivered",
    ),
    shared=compiled(rf"(?:Reported error|Zgłoszony błąd|Gemeldeter Fehler|Error notificado):[ \t]*{PARAGRAPH}"),
)
