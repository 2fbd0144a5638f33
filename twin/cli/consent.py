"""Before code of strangers runs: what it is, and the question whether it may; answers are remembered by content."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from twin.cli.console import err, say
from twin.project.foreign import own_words, runnables
from twin.project.guard import Guard, Runnable, TrustError, code, guard, is_project
from twin.project.project import Project, builtin_root, installed_robots
from twin.specs.scenario import Scenario, load_scenario

_LONGEST = 1 << 22  # bytes of the list of answers

def make_guard() -> Guard:
    """Return the guard of a command: it trusts what is built in or installed, and the project here if this is one."""
    here = Project.around(Path.cwd()).folder.resolve()
    built_in = [builtin_root().resolve() / name for name in ("worlds", "agents", "examples", "tests")]
    return Guard([*built_in, *installed_robots().values()], here if is_project(here) else None, _ask)


def consent(scenario: Scenario, project: Project, origin: Path, *, trust: bool, recorded: bool = False) -> None:
    """See to it that a scenario may run what it names, before anything of it does.

    A scenario of the project here is its author's own. So is its world, but not a command in a recording: that may
    come from anywhere, and is known only if it has run from here before.

    Raises:
        TrustError: the user doesn't agree, or can't be asked.
    """
    watch = guard()
    if watch is None:
        return
    wanted = runnables(scenario, project, watch)
    if not recorded and own_words(origin, watch):
        _remember(wanted)
        watch.trust_all()
    elif trust:
        watch.trust_all()
    else:
        watch.require(wanted)


def consent_cluster(file: Path, *, trust: bool) -> None:
    """See to it that a cluster.toml may call the class, and start the commands, that it names.

    Raises:
        TrustError: the user doesn't agree, or can't be asked.
    """
    watch = guard()
    if watch is None or not file.is_file():  # what is wrong with it is said by who opens it
        return
    wanted = [code(f"the cluster that {file} describes", [file])]
    if own_words(file, watch):
        _remember(wanted)
    elif trust:
        watch.agree(wanted)
    else:
        watch.require(wanted)


def trust_own(scenario_file: Path, project: Project) -> None:
    """Remember what a scenario runs that twin itself has just written: its user asked for it."""
    watch = guard()
    if watch is not None:
        scenario, _ = load_scenario(scenario_file)
        _remember(runnables(scenario, project, watch))


def _ask(items: Sequence[Runnable]) -> None:
    """Show what would run and ask; who has agreed to the same before is not asked.

    Raises:
        TrustError: the user doesn't agree, or can't be asked.
    """
    known = _remembered()
    new = [item for item in items if item.digest not in known]
    if not new:
        return
    listing = "".join(f"\n  {item.what}" for item in new)
    what = f"this would run, and is not of this project:{listing}"
    if not (sys.stdin.isatty() and err.is_terminal):
        raise TrustError(f"{what}\nif you trust it, say so by --trust, or run twin in its own project's folder")
    say(what, "yellow")
    if not click.confirm("Run it?", default=False, err=True):
        raise TrustError("not run")
    _remember(new)


def _file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "twin" / "trusted"


def _remembered() -> set[str]:
    file = _file()
    if not file.is_file() or file.stat().st_size > _LONGEST:
        return set()
    return {line.partition(" ")[0] for line in file.read_text(errors="replace").splitlines()}


def _remember(items: Sequence[Runnable]) -> None:
    new = {item.digest: item.what for item in items}
    if not new or not (missing := new.keys() - _remembered()):
        return
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        with open(_file(), "a") as file:
            file.writelines(f"{digest} {' '.join(new[digest].split())}\n" for digest in sorted(missing))
    except OSError as error:
        say(f"{_file()}: can't be written: {error.strerror}; you will be asked again", "yellow")
