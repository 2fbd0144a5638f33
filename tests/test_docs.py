"""Every command shown in README and docs works: one after another, page by page, in an empty folder.

A block of TOML whose first line is the name of a file, as `# patrol.toml`, is that file; one with a folder is part of a
project that isn't here. `just docs-whole` runs the commands on many runs at their full length, and compares what stands
below them as ```text with what they say.
"""

import json
import os
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")
FILE = re.compile(r"^```toml\n# ([^\s/]+\.toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAID = re.compile(r"^```sh\n([^\n]*)\n```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MANY = ("sweep", "margin", "rare", "sensitivity")
WHOLE = "TWIN_LONG" in os.environ
FOOTPRINTS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"height": 12},
         "geometry": {"type": "Polygon", "coordinates": [[[8, 50], [8.0003, 50], [8.0003, 50.0002], [8, 50]]]}}
    ],
}  # fmt: skip


def commands(page):
    """Return the `twin` commands of a page; other tools belong to set-up, which .ci/run goes through."""
    lines = [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines()]
    parts = [part.strip().removeprefix(".venv/bin/") for line in lines for part in line.split(" && ")]
    return [part for part in parts if part.startswith("twin ")]


def shortened(arguments):
    """Return a run's arguments with half a second instead of its full time; of many runs, few of a quarter of one."""
    if arguments[0] in MANY and arguments[1].endswith(".toml") and not WHOLE:
        points = "lhs:25" if arguments[0] == "sensitivity" else "lhs:3"
        fewer = {"--seeds": "1:2", "--max-runs": "10", "--trees": "3", "--design": points, "-j": "1"}
        pairs = zip(["", *arguments], arguments, strict=False)
        seeds = ["--seeds", "1:2"] if arguments[0] == "sweep" and "--seeds" not in arguments else []
        return [*(fewer.get(before, word) for before, word in pairs), *seeds, "--set", "duration=0.25 s"]
    if arguments[0] != "run" or arguments[1].startswith("-"):
        return arguments
    if "--duration" in arguments:
        at = arguments.index("--duration")
        arguments = arguments[:at] + arguments[at + 2 :]
    return [*arguments, "--duration", "0.5 s"]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_shown_works(page, command):
    if "buildings.geojson" in page.read_text():
        Path("buildings.geojson").write_text(json.dumps(FOOTPRINTS))
    for name, text in FILE.findall(page.read_text()):
        Path(name).write_text(text)
    said = dict(SAID.findall(page.read_text()))
    for line in commands(page):
        code, out, err = command(*shortened(shlex.split(line, comments=True)[1:]))
        good = (0, 4) if line.startswith("twin diff ") else (0, 5, 6)  # half a second may miss or not show it
        assert code in good, f"{line}\n{err}"
        if WHOLE and line in said:
            assert [word.rstrip() for word in out.strip("\n").splitlines()] == said[line].splitlines(), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = LINK.findall(page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_has_exactly_two_set_up_commands_before_the_variant():
    text = (ROOT / "README.md").read_text()
    before = text[: text.index("uv venv")]
    blocks = BLOCK.findall(before)
    assert [len(block.splitlines()) for block in blocks] == [1, 1, 1][: len(blocks)]
    assert sum(".venv" in block for block in blocks) == 2


def test_every_module_of_the_library_is_in_the_list_of_the_architecture():
    text = (ROOT / "docs/architecture.md").read_text()
    folders = [path.parent.name for path in ROOT.glob("twin/*/__init__.py")]
    modules = [path.name for path in ROOT.glob("twin/*.py") if path.stem != "__init__"]
    assert [name for name in modules if f"`{name}`" not in text] == []
    assert [name for name in folders if f"`{name}/`" not in text] == []
