"""`completion`: what a shell needs to complete our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_PROGRAM = "bouncemilter"
_VARIABLE = "_BOUNCEMILTER_COMPLETE"
"""As click names it after the program."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and their words in a shell.

    \b
    bash: bouncemilter completion bash > /etc/bash_completion.d/bouncemilter
    zsh:  bouncemilter completion zsh > /usr/share/zsh/vendor-completions/_bouncemilter
    fish: bouncemilter completion fish > /etc/fish/completions/bouncemilter.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    # The template alone: source() would ask the shell for its version first.
    complete = found(context.find_root().command, {}, _PROGRAM, _VARIABLE)
    click.echo(complete.source_template % complete.source_vars(), nl=False)
