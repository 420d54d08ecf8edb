"""Running the checks and laying out what they found. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bouncemilter.doctor.check import Check, Context, Finding, Level, fail


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the doctor's table."""

    name: str
    finding: Finding

    def to_dict(self) -> dict[str, str]:
        """The object of `doctor --json`."""
        return {
            "check": self.name,
            "level": self.finding.level,
            "text": self.finding.text,
            "remedy": self.finding.remedy,
        }


async def examine(checks: Iterable[Check], context: Context) -> tuple[Row, ...]:
    """Run the checks one after the other. A check that cannot look has failed, and does not stop the next."""
    return tuple([Row(each.name, await _finding(each, context)) for each in checks])


def worst(rows: Iterable[Row]) -> Level:
    """The worst level; ok for no rows."""
    return max((row.finding.level for row in rows), key=list(Level).index, default=Level.OK)


def exit_code(rows: Iterable[Row]) -> int:
    """0 where nothing failed (warnings included), else 1."""
    return int(worst(rows) is Level.FAIL)


async def _finding(check: Check, context: Context) -> Finding:
    try:
        return await check.run(context)
    except TimeoutError:
        return fail("no answer in time", "Is the machine, or the service, overloaded or hung?")
    except PermissionError as error:
        return fail(f"cannot look: {error}", "Run doctor as root.")
    except Exception as error:  # noqa: BLE001  (one check that breaks must not hide what the others found)
        return fail(f"cannot look: {type(error).__name__}: {error}", "See the message; the other lines stand.")
