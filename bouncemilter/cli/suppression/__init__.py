"""`suppression`: the list of addresses that are not written to."""

from __future__ import annotations

import click

from bouncemilter.cli.suppression import changing, editing, exporting, importing, listing


@click.group("suppression")
def command() -> None:
    """The suppression list: addresses that are not written to, each with its evidence."""


for _each in (
    listing.list_,
    listing.check,
    editing.add,
    editing.remove,
    exporting.export,
    importing.import_,
    changing.changes,
):
    command.add_command(_each)
