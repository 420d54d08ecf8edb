"""A change of the list, as list software is told of it. The keys are a contract."""

from __future__ import annotations

from bouncemilter.store import Told


def change_object(told: Told) -> dict[str, object]:
    """One JSON object; times are ISO 8601 in UTC."""
    change, found = told.change, told.change.suppression
    return {
        "seq": change.seq,
        "at": change.at.isoformat(),
        "operation": change.operation.value,
        "address": found.address,
        "address_key": found.address_key,
        "scope": found.scope.value,
        "scope_value": found.scope_value,
        "cause": found.cause.value,
        "category": found.category.value if found.category else None,
        "class": found.category.class_.value if found.category else None,
        "since": found.created_at.isoformat(),
        "expires_at": found.expires_at.isoformat() if found.expires_at else None,
        "by": change.by,
        "note": change.note,
        "suppressed": told.suppressed,
        "everywhere": told.everywhere,
    }
