"""`twin check` as a user sees it."""

from twin import kernels


def test_compiling_is_said_once(command, monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "CACHE", tmp_path / "kernels" / "new")
    said = [command("check", "city/patrol") for _ in range(2)]
    assert [code for code, _, _ in said] == [0, 0]
    assert ["compiling" in err for _, _, err in said] == [True, False]
    assert kernels.is_cold(), "a run has more to compile"
