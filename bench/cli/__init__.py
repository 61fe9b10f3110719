"""The command line: one file per verb, imported when it is used; nothing here is heavier than click."""

from __future__ import annotations

import importlib
import sys
import traceback

import click

from bench import __version__
from bench.errors import BenchError
from bench.plugins import suggest

__all__ = ["main"]

VERBS = {
    "run": "Discover symmetries and score them.",
    "list": "List the plugins.",
    "show": "Show a plugin: parameters, paper, what it supports.",
    "status": "Say which records are fresh, and why others are not.",
    "data": "List, fetch and simulate the data.",
    "reproduce": "Repeat what papers report, and say what is reached.",
    "coordinates": "Draw the coordinates that a run has found.",
    "leaderboard": "Write leaderboard.md from the records.",
    "doctor": "Check this installation.",
}


class Verbs(click.Group):
    """Commands by name, each from bench/cli/<verb>.py."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        found: click.Command = importlib.import_module(f"bench.cli.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = suggest(args[0], VERBS)
            raise BenchError(f"no command '{args[0]}'{close} There are: {', '.join(VERBS)}", usage=True)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="bench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """A benchmark of symmetry discovery: methods, data and scores, run alike.

    \b
    bench run --method latent_flow --dataset rotated_digits
    bench list
    bench leaderboard
    """


def main() -> None:
    """Run the command line; a user's error is one line (or one for each error) and exit code 2."""
    try:
        code = cli.main(standalone_mode=False)
    except BenchError as error:
        _tell(str(error))
        code = 2 if error.usage else 1
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.UsageError as error:
        where = f" (try '{error.ctx.command_path} --help')" if error.ctx else ""
        _tell(error.format_message() + where)
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted")
        code = 130
    except OSError as error:
        if not error.filename:
            raise
        _tell(f"{error.filename}: {error.strerror}")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _tell(text: str) -> None:
    if "--debug" in sys.argv and sys.exc_info()[0] is not KeyboardInterrupt:
        traceback.print_exc()
    for line in text.splitlines():
        click.echo(f"error: {line}", err=True)
