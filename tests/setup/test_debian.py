"""What `make` does to the machine: packages are never left half installed, and no mail server is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("debian")
# Waits for `go` amid the installation, as dpkg takes its time.
APT_GET = """\
#!/bin/sh
echo "$*" >>{0}/calls
case "$*" in
*--download-only*) exit 0 ;;
*" install "*) touch {0}/begun; while [ ! -e {0}/go ]; do sleep 0.05; done; touch {0}/finished ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a Debian machine without a compiler and with exim4, where we are root."""
    commands = {
        "apt-get": APT_GET.format(tmp_path),
        "apt-cache": "#!/bin/sh\n",
        "id": "#!/bin/sh\necho 0\n",
        "dpkg-query": "#!/bin/sh\necho installed exim4-daemon-light mail-transport-agent\n",
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CC": "/nonexistent/cc"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_interrupted_amid_dpkg(number: signal.Signals, machine: dict[str, str], tmp_path: Path) -> None:
    """Ctrl-C, or a terminal that goes away, lets dpkg finish and then ends the setup."""
    setup = subprocess.Popen([SCRIPT, "build", sys.executable], env=machine, start_new_session=True)
    try:
        while not (tmp_path / "begun").exists():
            assert setup.poll() is None
            time.sleep(0.02)
        os.killpg(setup.pid, number)
    finally:
        (tmp_path / "go").touch()
    assert setup.wait(60) == {signal.SIGINT: 130, signal.SIGHUP: 143}[number]
    assert (tmp_path / "finished").exists()


def test_demo_beside_another_mail_server(machine: dict[str, str], tmp_path: Path) -> None:
    """The demo goes on without Postfix where that would replace the installed mail server."""
    done = subprocess.run([SCRIPT, "demo"], env=machine, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "calls").exists()
