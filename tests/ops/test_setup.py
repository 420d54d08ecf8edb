"""The script that installs what tests and demo need."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "setup/debian"


@pytest.mark.parametrize("installed", [False, True])
def test_other_mta(tmp_path: Path, installed: bool) -> None:
    """Where no package says so, a program `sendmail` is another mail server; a function of the script is none."""
    bash, awk = shutil.which("bash"), shutil.which("awk")
    assert bash
    assert awk
    (tmp_path / "awk").symlink_to(awk)
    for name in ("dpkg-query", *(["sendmail"] if installed else [])):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    functions = SCRIPT.read_text().partition('\ncd "$(dirname')[0]
    code = f"{functions}\nPATH={tmp_path}\nother_mta"
    done = subprocess.run([bash, "-c", code], capture_output=True, text=True, check=True, cwd=SCRIPT.parents[2])
    assert done.stdout.strip() == (str(tmp_path / "sendmail") if installed else "")
