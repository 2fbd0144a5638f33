"""`twin evidence`: what runs show, signed, for those who must decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli import TRUST, examples

if TYPE_CHECKING:
    from twin.analysis.evidence.check import Places
    from twin.specs.requirement import Requirement


class _Evidence(click.Group):
    """A group whose first command needs no name: `twin evidence RUN... -o FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command where none was given; `--matrix` is `matrix`."""
        if args and args[0] == "--matrix":
            args = ["matrix", *args[1:]]
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["of", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Evidence,
    epilog=examples(
        "twin evidence keygen 'Ada Lovelace, Example Ltd'",
        "twin evidence run.h5 -o case.html",
        "twin evidence a.h5 b.h5 -o case.pdf --ask profile:uav-c2/waypoints",
        "twin evidence run.h5 sweeps/patrol sweeps/patrol-margin -o case.pdf",
        "twin evidence verify case.html --key ada.pub",
        "twin evidence --matrix city/patrol --network slow=slow.toml",
    ),
)
def evidence() -> None:
    """Write what was asked of runs and what was answered, and sign it.

    `twin evidence RUN|STUDY... -o FILE` writes .html, .json or .pdf: requirements and
    where they stand, answers and what they rest on, digests of code, world and
    recordings, what the models leave out, and how to repeat it.
    """


@evidence.command(
    short_help="Write evidence of recordings; the name may be left out.",
    epilog=examples("twin evidence of run.h5 -o case.html"),
)
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN|STUDY...")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File, .html, .json or .pdf.")
@click.option("--ask", multiple=True, metavar="REQUIREMENT|profile:NAME",
              help="Ask this of the recordings as well; repeatable.")  # fmt: skip
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05,
              show_default=True, help="Of a sweep: fewer runs than this share may violate a requirement.")  # fmt: skip
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True,
              help="Of a sweep: how surely that is to be shown.")  # fmt: skip
@click.option("--title", default="", help="Title; the scenarios' descriptions if not given.")
@click.option("--unsigned", is_flag=True, help="Don't sign it.")
@click.option("--strict", is_flag=True, help="Treat inconclusive requirements as failed.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def of(
    recordings: tuple[Path, ...], output: Path, ask: tuple[str, ...], title: str, unsigned: bool, strict: bool,
    force: bool, **shares: float,
) -> int:  # fmt: skip
    """Write evidence of recordings RUN... and folders of studies to a file.

    A STUDY is the folder of a sweep, a margin, a sensitivity or a rare event,
    or its name below sweeps/: what its runs show stands in the evidence, with
    its pictures. Exit codes: 0 passed, 5 failed, 6 inconclusive. The extra `evidence` must be
    installed.
    """
    from twin.cli.console import out, say
    from twin.cli.rows import study_folder
    from twin.cli.studies import study_of
    from twin.cli.verdicts import verdict_code
    from twin.extras import needed
    from twin.project.project import builtin_root

    with needed("evidence", "cryptography"), needed("evidence", "fpdf"):
        from twin.analysis.evidence.case import case
        from twin.analysis.evidence.check import written_as
        from twin.analysis.evidence.limits import Limits
        from twin.analysis.evidence.signing import sign
    from twin.analysis.written import written

    asked = _questions(ask, recordings[0])
    runs = [path for path in recordings if not path.is_dir() and study_folder(path) is None]
    studies = [study_of(path, shares) for path in recordings if path not in runs]
    document = case(runs, Limits.of(builtin_root()), title, asked, studies)
    if unsigned:
        say("not signed: nobody can tell whether it was changed", "yellow")
    else:
        document = sign(document)
    content = written_as(output, document)
    with written(output, "wb", force=force) as file:
        file.write(content)
    out.print(f"{document['answer']}; written to {output}", markup=False)
    return verdict_code(document, strict=strict)


def _questions(ask: tuple[str, ...], beside: Path) -> tuple[Requirement, ...]:
    """Return what is asked besides, profiles of the project around a recording unfolded."""
    from twin.project.profiles import expanded
    from twin.project.project import Project
    from twin.specs.profile import parse_entry

    try:
        entries = [parse_entry(text) for text in ask]
    except ValueError as error:
        raise click.UsageError(f"--ask: {error}") from error
    return expanded(entries, Project.of(beside))


@evidence.command(epilog=examples("twin evidence keygen 'Ada Lovelace, Example Ltd'"))
@click.argument("owner")
def keygen(owner: str) -> int:
    """Make a key to sign with.

    OWNER is the name that its public part says.

    The private part goes into your configuration folder, readable by you alone.
    Hand out the public part by a way that its readers trust.
    """
    from twin.cli.console import out
    from twin.extras import needed

    with needed("evidence", "cryptography"):
        from twin.analysis.evidence.signing import make_key
    private, public = make_key(owner)
    out.print(f"private: {private}\npublic:  {public}", markup=False)
    return 0


@evidence.command(epilog=examples("twin evidence verify case.html --key ada.pub"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Public key that you trust.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def verify(file: Path, key: Path, as_json: bool) -> int:
    """Check that FILE is what the owner of a key signed.

    Recordings, studies, profiles and the parts of scenarios that it names are checked
    where they are found: beside FILE, or in the project here. Exit codes: 0
    good, 4 something was changed.
    """
    from dataclasses import asdict

    from rich.text import Text

    from twin.cli.console import out, print_json
    from twin.errors import EXIT_DIFFERS
    from twin.extras import needed

    with needed("evidence", "cryptography"), needed("evidence", "fpdf"):
        from twin.analysis.evidence.check import BAD, GOOD, check
    from twin.cli.studies import again

    found = list(check(file, key, _places(file), again))
    bad = any(one.state == BAD for one in found)
    if as_json:
        print_json({"good": not bad, "findings": [asdict(one) for one in found]})
        return EXIT_DIFFERS if bad else 0
    for one in found:
        look = {GOOD: "green", BAD: "bold red"}.get(one.state, "yellow")
        out.print(Text(f"{one.state:9}", look).append(f"{one.what}", "default").append(f"  {one.detail}", "dim"))
    return EXIT_DIFFERS if bad else 0


@evidence.command(
    short_help="Run scenarios over several networks: which can do it?",
    epilog=examples("twin evidence matrix city/patrol --network slow=slow.toml"),
)
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--network", "networks", multiple=True, required=True, metavar="PRESET|NAME=FILE",
              help="Preset of carriers, or file with a table [network]; repeatable.")  # fmt: skip
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Change a value; repeatable.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the table to a file, .md.")
@TRUST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def matrix(
    scenarios: tuple[str, ...], networks: tuple[str, ...], overrides: tuple[str, ...], output: Path | None,
    trust: bool, as_json: bool, force: bool,
) -> int:  # fmt: skip
    """Run each SCENARIO over several networks: which can do it, and what flips.

    Each cell is one whole run; nothing is recorded.
    """
    from dataclasses import asdict

    from twin.analysis.written import written
    from twin.cli.compiling import told
    from twin.cli.consent import consent
    from twin.cli.console import out, print_json, say
    from twin.project.project import find_scenario
    from twin.runs.matrix import as_markdown, network_of
    from twin.runs.matrix import matrix as run_matrix
    from twin.specs.scenario import load_scenario

    tables = {name: None if file is None else network_of(file) for name, file in map(_named, networks)}
    for reference in scenarios:
        project, path = find_scenario(reference)
        consent(load_scenario(path, overrides)[0], project, path, trust=trust)
    with told():
        rows = run_matrix(scenarios, tables, overrides, say)
    text = as_markdown(rows)
    if output is not None:
        with written(output, force=force) as file:
            file.write(text)
    if as_json:
        print_json({"rows": [asdict(row) | {"flips": row.flips} for row in rows]})
    else:
        out.print(text, markup=False, soft_wrap=True)
    return 0


def _named(text: str) -> tuple[str, Path | None]:
    from twin.errors import nearest
    from twin.specs.presets import PRESETS

    name, equals, file = text.partition("=")
    if (equals and not (name and file)) or (not equals and name not in PRESETS):
        presets = f"{', '.join(PRESETS)}{nearest(name, PRESETS)}"
        raise click.UsageError(f"--network: found {text!r}; allowed: NAME=FILE, or a preset of carriers: {presets}")
    return name, Path(file) if equals else None


@evidence.command(
    short_help="Print the JSON schema of evidence.", epilog=examples("twin evidence schema")
)
def schema() -> int:
    """Print the JSON schema of evidence, for those who read or write it."""
    from importlib.resources import files

    click.echo((files("twin.analysis.evidence") / "evidence-1.schema.json").read_text(encoding="utf-8"), nl=False)
    return 0


def _places(file: Path) -> Places:
    """Return what finds a file that evidence names: beside it, or in the project around it or here."""
    from twin.errors import TwinError
    from twin.project.project import Project

    project = Project.of(file)

    def place(name: str, world: str) -> Path | None:
        found = [file.parent / name, project.recordings / Path(name).name, project.file(Path(name))]
        found += [folder / name for folder in sorted(project.folder.glob("worlds/*/scenarios"))]
        if world:
            try:
                found.append(project.world(world) / name)
            except TwinError:
                return None  # which is said: not here, not checked
        return next((path for path in found if path.is_file()), None)

    return place
