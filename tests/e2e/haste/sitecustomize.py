"""A host that looks at itself five times a second, and tries again as soon: loaded into the daemon by PYTHONPATH."""

import datetime as dt
from typing import Any

from bouncemilter.alert import watch
from bouncemilter.daemon import alerting

changed: tuple[tuple[Any, str, Any], ...] = (
    (alerting, "LOOK_SECONDS", 0.2),
    (watch, "FIRST_RETRY", dt.timedelta(seconds=0.2)),
    (watch, "LAST_RETRY", dt.timedelta(seconds=0.2)),
)
for module, name, value in changed:
    setattr(module, name, value)
