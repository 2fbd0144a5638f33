"""The command line: one module per command, imported when it is called; no logic lives here."""

from __future__ import annotations

import errno
import logging
import os
import sys
from importlib import import_module

import click

import twin
from twin.errors import EXIT_ERROR, nearest
from twin.project.guard import Guard, guarded

_UNWRITTEN = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF)
COMMANDS = {
    "new": "twin.cli.new:new",
    "list": "twin.cli.listing:list_",
    "describe": "twin.cli.describe:describe",
    "run": "twin.cli.run:run",
    "check": "twin.cli.check:check",
    "sweep": "twin.cli.sweep:sweep",
    "verdict": "twin.cli.verdict:verdict",
    "margin": "twin.cli.margin:margin",
    "plan": "twin.cli.plan:plan",
    "rare": "twin.cli.rare:rare",
    "sensitivity": "twin.cli.sensitivity:sensitivity",
    "runs": "twin.cli.runs:runs",
    "info": "twin.cli.info:info",
    "plot": "twin.cli.plot:plot",
    "follow": "twin.cli.follow:follow",
    "sensing": "twin.cli.sensing:sensing",
    "replay": "twin.cli.replay:replay",
    "report": "twin.cli.report:report",
    "evidence": "twin.cli.evidence:evidence",
    "verify": "twin.cli.verify:verify",
    "events": "twin.cli.events:events",
    "compare": "twin.cli.compare:compare",
    "diff": "twin.cli.diff:diff",
    "export": "twin.cli.export:export",
    "recover": "twin.cli.recover:recover",
    "world": "twin.cli.world:world",
    "channel": "twin.cli.channel:channel",
    "schema": "twin.cli.schema:schema",
    "warmup": "twin.cli.warmup:warmup",
}


def examples(*lines: str) -> str:
    """Return the end of a command's help: commands to try, one a line."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


TRUST = click.option("--trust", is_flag=True, help="Run the code it names without asking.")


class LazyGroup(click.Group):
    """A group whose commands are imported by name when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant; of an unknown one, say which is nearest."""
        if args[0] in COMMANDS or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"no command {args[0]!r}{nearest(args[0], COMMANDS)}", ctx)


@click.group(
    cls=LazyGroup,
    context_settings={"max_content_width": 80, "help_option_names": ["-h", "--help"]},
    epilog=examples("twin run city/patrol", "twin list scenarios", "twin new my-site"),
)
@click.version_option(twin.__version__)
def cli() -> None:
    """Will this fleet, on this site, over this 6G network, stay under control?

    Robots, rigid bodies, a radio channel and a packet network step together on
    one clock; each run is recorded in one HDF5 file.
    """


class _Said(logging.Handler):
    """Says what the library warns of as commands say things."""

    def emit(self, record: logging.LogRecord) -> None:
        from twin.cli.console import say

        say(record.getMessage(), "yellow")


def _guard() -> Guard:
    from twin.cli.consent import make_guard

    return make_guard()


def _unwritten(error: OSError) -> int:
    """Say that stdout is full; who has closed it doesn't listen any more. Return the exit code."""
    from twin.cli.console import say

    with open(os.devnull, "w") as nowhere:  # what is left would be tried once more at the end
        os.dup2(nowhere.fileno(), 1)
    if error.errno == errno.EPIPE:
        return 128 + 13  # as SIGPIPE would end it
    say(f"error: stdout can't be written: {error.strerror}", "red")
    return EXIT_ERROR


def main() -> None:
    """Run the command line; errors that a user can mend end it with a message and their exit code."""
    logging.getLogger("twin").handlers = [_Said(logging.WARNING)]
    try:
        with guarded(_guard):
            code = cli.main(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITTEN:
            raise
        code = _unwritten(error)
    except Exception as error:
        from twin.cli.console import report

        code = report(error)
    sys.exit(code if isinstance(code, int) else 0)
