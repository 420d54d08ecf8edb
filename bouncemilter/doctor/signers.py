"""Other milters that the doctor knows."""

from __future__ import annotations

import re
from typing import Final

SIGNERS: Final = re.compile(r"dkim|rspamd|amavis|:8891\b|:11332\b", re.IGNORECASE)
"""The sockets of programs that sign: OpenDKIM, dkimpy-milter, Rspamd, and the ports that their packages suggest."""
