"""`returnpath`: signed return paths by hand, and their keys."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import click

from bouncemilter import address
from bouncemilter.assembly.returnpaths import signed_paths
from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.model.sent import NAME_LENGTH
from bouncemilter.returnpath import (
    LIFE,
    Form,
    KeyFileError,
    KeyStillNeededError,
    Purpose,
    Refused,
    SignedPath,
    Signer,
    Verified,
    Verifier,
    keyfile,
)
from bouncemilter.settings import Settings

_PURPOSE = click.option(
    "--purpose",
    type=click.Choice([each.value for each in Purpose]),
    default=Purpose.RETURN.value,
    show_default=True,
    help="What the address is good for: an envelope sender, or List-Unsubscribe.",
)
_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("returnpath")
def command() -> None:
    """Sign return paths, verify them, and make and change their keys."""


@command.command("keygen")
@_FILE
def keygen(file: Path) -> None:
    """Make the key FILE of a return path, which only its owner can read; a file that is there is left alone.

    Made by root, it belongs to the owner of its folder: let that be the daemon's user.
    """
    try:
        keyfile.create(file, dt.datetime.now(dt.UTC))
    except KeyFileError as error:
        raise Failure(str(error), Exit.IO) from None
    show.line(f'{file}: made, with key 0; name it in the configuration: key_file = "{file.absolute()}"')


@command.command("rotate")
@_FILE
@configuration.option
@click.option("--force", is_flag=True, help="Drop the oldest key even if bounces to its tokens may still come.")
def rotate(file: Path, config: Path, *, force: bool) -> None:
    """Add a new key to FILE, which signs from the daemon's next reload on.

    The key that signed until now stays and verifies; the one before it goes, exit 1 if its tokens may still come back.
    """
    try:
        ring = keyfile.rotate(file, dt.datetime.now(dt.UTC), life=_life(file, config), force=force)
    except KeyStillNeededError as error:
        raise Failure(f"{error}; nothing was changed (--force drops it)", Exit.NO) from None
    except KeyFileError as error:
        raise Failure(str(error), Exit.DATA) from None
    show.line(
        f"{file}: key {ring.signing.id} signs, key {ring.keys[-1].id} verifies; now reload the daemon, on each host "
        "that has a copy of the file"
    )


@command.command("sign")
@click.argument("recipient")
@configuration.option
@click.option("--campaign", default="", help="The name of the mailing.")
@click.option(
    "--path", "wanted", default="", metavar="PREFIX@DOMAIN", help="The return path; else the first signed one."
)
@_PURPOSE
def sign(recipient: str, config: Path, campaign: str, wanted: str, purpose: str) -> None:
    """Print the signed return path of a message to RECIPIENT that is sent today."""
    settings, signed = _signed(config)
    found = _chosen(signed, wanted)
    signer = Signer(found.path, found.keys, fold_local_part=settings.policy.fold_local_part)
    today = dt.datetime.now(dt.UTC).date()
    try:
        show.line(signer.mint(recipient, campaign=campaign.strip()[:NAME_LENGTH], day=today, purpose=Purpose(purpose)))
    except ValueError:
        raise Failure(f"not an e-mail address: {show.cell(recipient)}", Exit.DATA) from None


@command.command("verify")
@click.argument("written", metavar="ADDRESS")
@configuration.option
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
    help="When it came back, in UTC where no zone is given; else now.",
)
@_PURPOSE
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(written: str, config: Path, at: dt.datetime | None, purpose: str, *, as_json: bool) -> None:
    """Say what the signed return path ADDRESS proves: exit 0 if it is genuine and good, 1 if not."""
    settings, signed = _signed(config)
    at = at or dt.datetime.now(dt.UTC)
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    verifier = Verifier(signed, fold_local_part=settings.policy.fold_local_part)
    found = verifier.verify(written, at=at, purpose=Purpose(purpose))
    if as_json:
        show.json_line({"address": written, **_facts(found)})
    else:
        for name, value in _facts(found).items():
            if value != "":
                show.line(f"{name:16}{show.cell(value)}")
    raise SystemExit(Exit.NO if isinstance(found, Refused) else Exit.OK)


def _facts(found: Verified | Refused) -> dict[str, object]:
    if isinstance(found, Refused):
        return {"valid": False, "reason": found.reason}
    return {
        "valid": True,
        "form": found.form,
        "recipient": found.recipient,
        **({"recipient_hash": found.recipient_hash} if found.form is Form.HASHED else {}),
        "path": str(found.path),
        "purpose": found.purpose,
        "campaign": f"{found.campaign:06x}" if found.campaign else "",
        "nonce": found.nonce,
        "day": found.day,
        "key_id": found.key_id,
    }


def _signed(config: Path) -> tuple[Settings, tuple[SignedPath, ...]]:
    """The settings and what they sign, at least one path."""
    settings = configuration.read(config, environment=False)
    try:
        signed = signed_paths(settings)
    except KeyFileError as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None
    if not signed:
        raise Failure(f"{config}: no [[return_path]] has a key_file", Exit.CONFIGURATION)
    return settings, signed


def _chosen(signed: tuple[SignedPath, ...], wanted: str) -> SignedPath:
    if not wanted:
        return signed[0]
    found = next((each for each in signed if str(each.path) == address.key(wanted)), None)
    if found is None:
        known = ", ".join(str(each.path) for each in signed)
        raise Failure(f"not a signed return path: {show.cell(wanted)} (those are: {known})", Exit.USAGE)
    return found


def _life(file: Path, config: Path) -> dt.timedelta:
    """How long the tokens of a key file live: the longest that the configuration says, or the default."""
    with contextlib.suppress(PermissionError):  # reading it will say so
        if not config.exists():
            return LIFE
    settings = configuration.read(config, environment=False)
    days = [
        path.token_days
        for path in settings.return_path
        if path.key_file and Path(path.key_file).resolve() == file.resolve()
    ]
    return dt.timedelta(days=max(days)) if days else LIFE
