import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import twin
from twin.numerics import kernels

ROOT = Path(__file__).resolve().parents[2]


def python(code, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("first", ["import numba", "from twin.numerics import kernels"])
def test_the_cache_folder_is_named_by_the_sources(tmp_path, first):
    code = (
        f"{first}; import numba; from twin.numerics import kernels;"
        "print(kernels.sources_digest(kernels.kernel_sources()), numba.config.CACHE_DIR)"
    )
    digest, folder = python(code, TWIN_CACHE=str(tmp_path)).split()
    assert Path(folder) == tmp_path / "kernels" / "all" / digest


def test_a_changed_source_changes_the_digest(tmp_path, monkeypatch):
    package = tmp_path / "twin"
    package.mkdir()
    (package / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(kernels, "__file__", str(package / "numerics" / "kernels.py"))
    before = kernels.sources_digest()
    assert kernels.sources_digest() == before
    (package / "a.py").write_text("x = 2\n")
    changed = kernels.sources_digest()
    (package / "a.py").rename(package / "b.py")
    assert len({before, changed, kernels.sources_digest()}) == 3


def test_built_in_projects_are_no_sources(tmp_path, monkeypatch):
    package = tmp_path / "twin"
    (package / "_builtin").mkdir(parents=True)
    (package / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(kernels, "__file__", str(package / "numerics" / "kernels.py"))
    before = kernels.sources()
    (package / "_builtin" / "agent.py").write_text("x = 1\n")
    assert kernels.sources() == before and len(before) == 1


def test_compiled_code_depends_on_what_modules_with_kernels_import(tmp_path, monkeypatch):
    package = tmp_path / "twin"
    package.mkdir()
    (package / "a.py").write_text("from twin.b import X\nfrom twin.numerics.kernels import kernel\n")
    (package / "b.py").write_text("X = 1\n")
    (package / "c.py").write_text("import twin.a\n")
    monkeypatch.setattr(kernels, "__file__", str(package / "numerics" / "kernels.py"))
    assert list(kernels.kernel_sources()) == ["twin.a", "twin.b"]


def test_a_module_stands_on_what_it_imports_and_on_nothing_else():
    texts = {
        "twin.a": "from twin.b import (\n    X,\n)\n",
        "twin.b": "from twin.package import c\n",
        "twin.d": "from twin.numerics.kernels import kernel\n",
        "twin.package.__init__": "",
        "twin.package.c": "",
        "twin.package.e": "",
    }
    under = list(kernels.sources_under(["twin.a"], texts))
    assert under == ["twin.a", "twin.b", "twin.package.__init__", "twin.package.c"]


def test_a_kernel_is_cached_by_its_own_module_and_a_users_by_all():
    from twin.numerics import rotation  # any module with kernels

    folder = kernels.cache_folder(rotation.__name__)
    assert folder.parent == kernels.HOME / rotation.__name__ and rotation.__name__ in kernels.kernel_sources()
    stored = [value for value in vars(rotation).values() if hasattr(value, "_cache")]
    assert stored and all(folder in Path(each._cache.cache_path).parents for each in stored)
    assert kernels.cache_folder("twin_plugins.mine") == kernels.CACHE


def test_a_kernel_releases_the_lock_and_divides_like_numpy():
    @kernels.kernel
    def quotient(a, b):
        return a / b

    assert quotient(1.0, 0.0) == float("inf")
    assert quotient.targetoptions["nogil"] and not quotient.targetoptions.get("parallel")


def test_older_caches_of_a_module_go_but_for_the_newest(tmp_path):
    for age in range(6):
        (tmp_path / "kernels" / "twin.link" / str(age)).mkdir(parents=True)
        os.utime(tmp_path / "kernels" / "twin.link" / str(age), (1e9 - age, 1e9 - age))
    python("from twin.numerics import kernels; kernels.tidy()", TWIN_CACHE=str(tmp_path))
    assert {folder.name for folder in (tmp_path / "kernels" / "twin.link").iterdir()} == {"0", "1", "2"}


def test_numba_is_set_before_it_is_used():
    assert str(kernels.CACHE) == numba.config.CACHE_DIR
    assert Path(twin.__file__).parent == Path(kernels.__file__).parents[1]
