"""Brings the pages and files that live beside docs/ into the site, and points links at where they are there."""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "recordings/README.md")
LINKED = re.compile(r"(\]\()(?!https?://|#)([^)#\s]+)")


def on_files(files, config):
    """Add the pages of the repository, and each file and folder that a page links to."""
    for page in PAGES:
        files.append(File.generated(config, page, abs_src_path=str(ROOT / page)))
    for page in list(files.documentation_pages()):
        for _, target in LINKED.findall(Path(page.abs_src_path).read_text(encoding="utf-8")):
            path = (Path(page.abs_src_path).parent / target).resolve()
            if path.is_file() and path.suffix != ".md" and not path.is_relative_to(ROOT / "docs"):
                name = path.relative_to(ROOT).as_posix()
                if name not in files.src_uris:
                    files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Return the page with links as they are in the site; those to folders name the folder only."""
    source = Path(page.file.abs_src_path).parent

    def there(link):
        path = (source / link[2]).resolve()
        if path.is_dir() or not path.is_relative_to(ROOT):
            return f"{link[1]}{path.name}"
        where = path.relative_to(ROOT).as_posix().removeprefix("docs/")
        return link[1] + posixpath.relpath(where, posixpath.dirname(page.file.src_uri) or ".")

    folders = re.compile(r"\[([^\]]*)\]\((?!https?://|#)([^)#\s]+)\)")
    plain = folders.sub(lambda m: m[0] if not (source / m[2]).is_dir() else f"`{m[1].strip('`')}`", markdown)
    return LINKED.sub(there, plain)
