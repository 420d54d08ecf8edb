"""What holds for all tests. No example of a property is timed, since a busy machine proves nothing.

Some tests take long: they start processes, or count in thousands. `make test` runs them, `make check` does not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parent
SLOW = (
    "cli/test_commands.py",
    "cli/test_export.py",
    "cli/test_forget.py",
    "cli/test_import.py",
    "cli/test_incident.py",
    "cli/test_ingest.py",
    "cli/test_manpage.py",
    "cli/test_odd_lists.py",
    "cli/test_report.py",
    "cli/test_rules.py",
    "cli/test_scrub.py",
    "cli/test_serve.py",
    "cli/test_spool.py",
    "cli/test_store.py",
    "cli/test_suppression.py",
    "cli/test_suppression_filters.py",
    "cli/test_unusable_files.py",
    "cli/test_why.py",
    "daemon/test_alerting.py",
    "daemon/test_hook.py",
    "daemon/test_lifecycle.py",
    "daemon/test_reload.py",
    "doctor/test_domains.py",
    "fronts/mailbox",
    "fronts/milter",
    "hostile",
    "pipeline/test_confirmation.py",
    "pipeline/test_dkim.py",
    "pipeline/test_forged.py",
    "pipeline/test_review.py",
    "products",
    "returnpath/test_token_properties.py",
    "statistics",
    "store/test_erasure.py",
    "store/test_follower.py",
    "store/test_incidents.py",
    "store/test_writer.py",
    "web",
)
"""Files and folders below this one."""


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """What a daemon or a command sets up for its own process is as before after each test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    slow = [ROOT / each for each in SLOW]
    for item in items:
        if any(each == item.path or each in item.path.parents for each in slow):
            item.add_marker(pytest.mark.slow)
