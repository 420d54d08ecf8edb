"""`make demo`: bounces go into a real mail server, suppressions come out.

Needs nothing but the project's own environment. With root and Debian's Postfix, a private instance of it carries the
mail; without, the same mail is given to the daemon over raw LMTP and the raw milter protocol, and that is said.
"""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    try:
        # Here, because Ctrl-C may come while the imports still run.
        from tests.demo import story

        sys.exit(story.run())
    except KeyboardInterrupt:
        print("\nstopped; nothing was left running", file=sys.stderr)
        sys.exit(130)
    except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
        print(f"the demo failed: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        sys.exit(1)
