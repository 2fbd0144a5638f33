"""Every command's help reads well at 80 columns, and its examples are calls that the command takes."""

import shlex

import click
import pytest
from click.testing import CliRunner

from twin.cli import cli


def commands(group, path=()):
    """Yield every command with the words that call it."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            yield from commands(group.get_command(context, name), (*path, name))


COMMANDS = dict(commands(cli))


@pytest.fixture(params=COMMANDS, ids=lambda path: " ".join(("twin", *path)))
def path(request):
    return request.param


@pytest.fixture
def help_text(path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(cli, [*path, "--help"], prog_name="twin")
    assert result.exit_code == 0
    return result.output


def examples(text):
    lines = text.splitlines()
    return [line.strip() for line in lines[lines.index("  Examples:") + 1 :] if line.strip()]


def test_it_fits_80_columns(help_text):
    assert max(len(line) for line in help_text.splitlines()) <= 80


def test_it_says_what_the_command_does_and_every_option(path, help_text):
    command = COMMANDS[path]
    assert command.help and command.get_short_help_str(80).endswith((".", "?"))
    assert not path or not command.get_short_help_str(64).endswith("..."), "cut off in the list of commands"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help and parameter.help.endswith("."), parameter.name


def test_each_example_is_a_call_that_the_command_takes(path, help_text):
    calls = [shlex.split(example) for example in examples(help_text)]
    assert calls[0][: 1 + len(path)] == ["twin", *path]
    for words in calls:
        called = max((p for p in COMMANDS if tuple(words[1 : 1 + len(p)]) == p), key=len)
        COMMANDS[called].make_context(called[-1], words[1 + len(called) :])
