"""The unit, its user and its folder, as systemd's own tools read them."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "bouncemilter.service"
DROP_IN = SYSTEMD / "bouncemilter.service.d-postfix.conf"


def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(each) for each in argv], capture_output=True, text=True, check=False)


def installed(tmp_path: Path, *drop_ins: Path) -> Path:
    """The unit as installed, but with a command that exists here."""
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", UNIT.read_text()))
    folder = tmp_path / f"{UNIT.name}.d"
    folder.mkdir()
    for each in drop_ins:
        (folder / each.name).write_text(each.read_text())
    return unit


def assignments() -> dict[str, str]:
    return dict(re.findall(r"(?m)^([A-Z]\w+)=(.*)$", UNIT.read_text()))


def test_the_unit_and_the_daemon_agree() -> None:
    """No notify-reload, unknown to systemd 252; a wrong configuration (78) is not tried again; there is a watchdog."""
    found = assignments()
    assert found["Type"] == "notify"
    assert found["ExecReload"] == "kill -HUP $MAINPID"
    assert found["Restart"] == "on-failure"
    assert found["RestartPreventExitStatus"] == "78"
    assert int(found["WatchdogSec"]) > 0
    assert found["StateDirectory"] == found["RuntimeDirectory"] == found["User"] == "bouncemilter"


def test_group_postfix_is_left_to_the_postfix_host() -> None:
    """A unit that names group postfix, or Postfix's folder, would not start on a Sendmail host."""
    settings = [line for line in UNIT.read_text().splitlines() if line.startswith(("Supplementary", "ReadWrite"))]
    assert settings == []


@pytest.mark.servers
@pytest.mark.parametrize("drop_ins", [(), (DROP_IN,)], ids=["sendmail", "postfix"])
def test_exposure(tmp_path: Path, drop_ins: tuple[Path, ...]) -> None:
    """systemd-analyze finds the unit valid, without unknown settings, and its exposure at most 1.5 of 10."""
    unit = installed(tmp_path, *drop_ins)
    verified = run("systemd-analyze", "verify", unit)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    # The drop-in is appended: --offline=true reads one file. Lists add up, as they do with a drop-in.
    unit.write_text(unit.read_text() + "".join(each.read_text() for each in drop_ins))
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
    assert done.returncode == 0, done.stdout + done.stderr
    exposure = re.search(r"Overall exposure level for bouncemilter\.service: ([\d.]+)", done.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= 1.5


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bare host's root folder with bouncemilter's user and folder files."""
    for name, folder in (("sysusers", "sysusers.d"), ("tmpfiles", "tmpfiles.d")):
        target = tmp_path / "etc" / folder / "bouncemilter.conf"
        target.parent.mkdir(parents=True)
        target.write_text((SYSTEMD / f"bouncemilter.{name}").read_text())
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\n")
    made = run("systemd-sysusers", f"--root={tmp_path}", "bouncemilter.conf")
    assert made.returncode == 0, made.stderr
    return tmp_path


def access(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.servers
def test_folder_on_a_postfix_host(root: Path) -> None:
    """The sockets lie in a folder open to group postfix, which each of them gets; the state is the daemon's own."""
    with (root / "etc/group").open("a") as groups:
        groups.write("postfix:x:1234:\n")
    done = run("systemd-tmpfiles", f"--root={root}", "--create", "bouncemilter.conf")
    assert done.returncode == 0, done.stderr
    folder = root / "var/spool/postfix/bouncemilter"
    owner = re.search(r"(?m)^bouncemilter:x:(\d+):(\d+):", (root / "etc/passwd").read_text())
    assert owner is not None
    user, group = int(owner[1]), int(owner[2])
    assert access(folder) == (0o2750, user, 1234)
    assert access(root / "var/lib/bouncemilter") == (0o750, user, group)


@pytest.mark.servers
def test_no_folder_on_a_sendmail_host(root: Path) -> None:
    """Without group postfix only the state folder is made, and systemd-tmpfiles-setup takes the exit as success."""
    done = run("systemd-tmpfiles", f"--root={root}", "--create", "bouncemilter.conf")
    assert done.returncode == 65  # EX_DATAERR
    assert [each.name for each in (root / "var").rglob("*")] == ["lib", "bouncemilter"]
