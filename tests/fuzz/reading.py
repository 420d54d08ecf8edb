"""`make fuzz`: coverage-guided fuzzing of reading and classifying (atheris), seeded with the test cases.

The one invariant: a Verdict whose JSON can be made, within the time limit, and no exception.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bouncemilter"]):
    from bouncemilter import classify, limits
    from bouncemilter.report import fingerprint
    from bouncemilter.report.reader import understand

CLASSIFIER = classify.builtin()
PATIENCE = 20 * limits.PARSE_SECONDS
"""Instrumented code is many times slower than what the limit is meant for."""


def one_input(mail: bytes) -> None:
    """Read `mail` with the reader that raises on our own faults, which `report.read` would hide."""
    started = time.process_time()
    verdict = CLASSIFIER.verdict(understand(mail[: limits.KEPT_BYTES], truncated=False))
    fingerprint(mail[: limits.KEPT_BYTES])
    json.dumps(verdict.to_dict()).encode("ascii")
    taken = time.process_time() - started
    if taken > PATIENCE:
        raise TimeoutError(f"{taken:.2f} s for {len(mail)} octets")


def main() -> None:
    """Run for as long as libFuzzer's own arguments say; new inputs go to build/fuzz."""
    corpus = Path("build/fuzz")
    corpus.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], str(corpus), "tests/report/cases", *sys.argv[1:]], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
