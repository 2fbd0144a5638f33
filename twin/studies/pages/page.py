"""A page of HTML on the folder of a study, complete in itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import twin
from twin.analysis.parts import PICTURE_STYLE, Part, Section, Table
from twin.analysis.report_tables import table
from twin.analysis.verdicts import MARKS
from twin.analysis.written import written
from twin.studies.pages.study import Study


def write_page(study: Study, path: Path, *, force: bool = False) -> None:
    """Write the page on a study.

    Raises:
        TwinError: the file exists and `force` is off, or can't be written.
    """
    with written(path, force=force) as file:
        file.write(page(study))


def page(study: Study) -> str:
    """Return the page: it has no script, and a policy in it forbids the browser to ask for anything."""
    contents = "".join(f'<a href="#{one.name}">{escape(one.title.partition(":")[0])}</a>' for one in study.sections)
    look = {None: "open", "inconclusive": "open"}.get(study.answer, study.answer)
    answer = "no verdict" if study.answer is None else f"{MARKS[study.answer]} {study.answer}"
    facts = f"{study.runs} runs" if study.runs else "a study of many runs"
    head = (f"<div class=run><span class='badge {look}'>{answer}</span><b>{escape(study.name)}</b>"
            f"<span>{facts}</span></div>")  # fmt: skip
    return Template(_asset("study.html")).substitute(
        title=escape(study.title), style=_asset("report.css") + PICTURE_STYLE, contents=contents, head=head,
        sections="\n".join(map(_section, study.sections)), version=escape(twin.__version__),
    )  # fmt: skip


def _section(section: Section) -> str:
    parts = "".join(map(_part, section.parts))
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{parts}</section>'


def _part(part: Part) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    if isinstance(part, Table):
        bad = [look == "failed" for look in part.looks]
        return table(part.header, part.rows, bad, look="made" if len(part.header) == 2 else "cards")
    return part.html


def _asset(name: str) -> str:
    return (files("twin.analysis") / "templates" / name).read_text(encoding="utf-8")
