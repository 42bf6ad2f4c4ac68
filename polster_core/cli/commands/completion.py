"""`polster completion`."""

from __future__ import annotations

import click

from polster_core.cli import completion

_HELP = """Print what makes a shell complete commands, options, assets.

\b
bash  echo 'eval "$(polster completion bash)"' >> ~/.bashrc
zsh   echo 'eval "$(polster completion zsh)"' >> ~/.zshrc
fish  polster completion fish > ~/.config/fish/completions/polster.fish
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice([*completion.SHELLS]))
def command(*, shell: str) -> None:
    """Print it."""
    click.echo(completion.script(shell))
