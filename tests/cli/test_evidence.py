"""Evidence says what was asked and answered, keeps to its schema, and names what was changed afterwards."""

import base64
import json
import shutil
import zlib
from pathlib import Path

import jsonschema
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("fpdf")

from twin.analysis.evidence import paper  # noqa: E402 - where its libraries are

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
ASKED = [
    "flows.command.reliability >= 99 % within 45 ms",
    "profile:uav-c2/waypoints for ball",
    "collisions = 0",
    "flows.command.survival_exceeded = 0 within 45 ms, survival 10 ms",
    "robots.ball.speed_max < 90 m/s",
]


@pytest.fixture
def signed(command, monkeypatch):
    """Return a command with a recording `run.h5` and a key of Ada's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path.cwd() / "config"))
    fixed = ("--set", "network.kind=fixed", "--set", "network.delay=20 ms", "--duration", "2 s")
    code, out, err = command("run", HEIGHT, "-o", "run.h5", *fixed, "--set", f"requirements={json.dumps(ASKED)}", "-q")
    assert code == 6, err
    assert command("evidence", "keygen", "Ada Lovelace, Example Ltd")[0] == 0
    return command


def verify(command, file="case.json", key="config/twin/evidence.pub"):
    code, out, err = command("evidence", "verify", file, "--key", key, "--json")
    return code, {one["what"]: one["state"] for one in json.loads(out)["findings"]}


def test_it_says_what_was_asked_answered_and_on_what_ground(signed):
    code, out, err = signed("evidence", "run.h5", "-o", "case.json")
    found = json.loads(Path("case.json").read_text())
    assert code == 6 and "inconclusive; written to case.json" in out
    assert signed("evidence", "run.h5", "-o", "strict.json", "--strict")[0] == 5
    code, out, err = signed("evidence", "schema")
    jsonschema.Draft202012Validator(json.loads(out)).validate(found)
    by_text = {one["requirement"]: one for one in found["requirements"]}
    assert [one["heading"] for one in found["requirements"]] == ["continuity", "latency", "latency", "latency",
                                                                 "operation", "operation"]  # fmt: skip
    c2 = by_text["flows.command[ball].reliability >= 99.9 % within 1 s"]
    assert c2["origin"]["clause"] == "7.2" and "not verified" in c2["checked"] and c2["answer"] == "inconclusive"
    assert by_text["collisions = 0"]["answers"][0]["ground"] == "in this run"
    (run,) = found["runs"]
    assert run["seed"] == 1 and run["world"] == "void" and run["packages"]["numpy"] and len(run["sha256"]) == 64
    assert "profiles/uav-c2.toml" in run["inputs"] and found["repeat"] == ["twin verify run.h5"]
    assert "Network" in found["limits"] and any("block errors" in item for item in found["limits"]["Network"])


@pytest.mark.parametrize("ending", ["json", "html", "pdf"])
def test_what_was_signed_is_good_and_names_its_owner(signed, ending):
    signed("evidence", "run.h5", "-o", f"case.{ending}")
    code, states = verify(signed, f"case.{ending}")
    assert code == 0 and states.pop("input flat.py", "good") == "good" and "changed" not in states.values()
    assert states[f"case.{ending}: signature"] == states["recording run.h5"] == "good"
    code, out, err = signed("evidence", "verify", f"case.{ending}", "--key", "config/twin/evidence.pub")
    assert "signed with the key of Ada Lovelace, Example Ltd" in " ".join(out.split())
    first = Path(f"case.{ending}").read_bytes()
    signed("evidence", "run.h5", "-o", f"case.{ending}", "--force")
    assert Path(f"case.{ending}").read_bytes() == first, "the same evidence is the same bytes"


def test_evidence_from_before_margins_stood_beside_answers_is_read(signed):
    from twin.analysis.evidence.case import case
    from twin.analysis.evidence.check import written_as
    from twin.analysis.evidence.limits import Limits
    from twin.analysis.evidence.signing import sign

    document = case([Path("run.h5")], Limits.of(ROOT))
    for asked in document["requirements"]:
        for one in asked["answers"]:
            del one["held"]
    for ending in ("json", "html"):
        Path(f"old.{ending}").write_bytes(written_as(Path(f"old.{ending}"), sign(document)))
        code, states = verify(signed, f"old.{ending}")
        assert states[f"old.{ending}: signature"] == "good"


def test_changed_data_are_named(signed):
    signed("evidence", "run.h5", "-o", "case.json")
    found = json.loads(Path("case.json").read_text())
    found["answer"] = "passed"
    Path("case.json").write_text(json.dumps(found))
    assert verify(signed) == (4, {"case.json: signature": "changed"})


def test_a_page_that_shows_other_things_than_its_data_is_named(signed):
    for ending, then, now in (("html", b"? inconclusive", b"? unclear"), ("pdf", b"%PDF-1.", b"%PDF-2.")):
        signed("evidence", "run.h5", "-o", f"case.{ending}")
        path = Path(f"case.{ending}")
        path.write_bytes(path.read_bytes().replace(then, now))
        code, states = verify(signed, path.name)
        assert code == 4 and states[f"case.{ending}: page"] == "changed"
        assert states[f"case.{ending}: signature"] == "good"


def test_a_changed_recording_is_named_and_one_that_is_gone_is_not_called_good(signed):
    signed("evidence", "run.h5", "-o", "case.json")
    content = bytearray(Path("run.h5").read_bytes())
    content[len(content) // 2] ^= 1
    Path("run.h5").write_bytes(content)
    code, states = verify(signed)
    assert code == 4 and states["recording run.h5"] == "changed"
    Path("run.h5").unlink()
    code, states = verify(signed)
    assert code == 0 and states["recording run.h5"] == "not here"


def test_another_key_did_not_sign_it(signed, monkeypatch):
    signed("evidence", "run.h5", "-o", "case.json")
    shutil.copytree("config", "mine")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path.cwd() / "other"))
    assert signed("evidence", "keygen", "Eve")[0] == 0
    code, out, err = signed("evidence", "verify", "case.json", "--key", "other/twin/evidence.pub")
    assert code == 4 and "not as the key of Eve signed it; it says: Ada Lovelace" in " ".join(out.split())


def test_keys_are_private_and_stay(signed):
    key = Path("config/twin/evidence.key")
    assert key.stat().st_mode & 0o777 == 0o600
    code, out, err = signed("evidence", "keygen", "Ada")
    assert code == 1 and "there is a key already" in err
    key.chmod(0o644)
    code, out, err = signed("evidence", "run.h5", "-o", "case.json")
    assert code == 1 and "others may read this key" in " ".join(err.split())
    code, out, err = signed("evidence", "run.h5", "-o", "case.json", "--unsigned")
    assert code == 6 and "not signed" in err


@pytest.mark.parametrize(("name", "content"), [("a.json", "{}"), ("a.json", "["), ("a.html", "<p>"), ("a.pdf", "%PDF")])
def test_what_is_no_evidence_is_refused(signed, name, content):
    Path(name).write_text(content)
    code, out, err = signed("evidence", "verify", name, "--key", "config/twin/evidence.pub")
    assert code == 1 and "expected evidence" in err


@pytest.mark.parametrize("content", ['{"format": "twin-evidence", "version": 1, "signed_by": [], "signature": 3}',
                                     '<script type="application/json" id="evidence">{"format": "twin-evidence", '
                                     '"version": 1, "signed_by": {"name": "Ada"}}</script>'])  # fmt: skip
def test_what_nobody_signed_is_not_looked_into(signed, content):
    name = "a.json" if content.startswith("{") else "a.html"
    Path(name).write_text(content)
    assert verify(signed, name) == (4, {f"{name}: signature": "changed"})


def test_data_of_a_paper_are_read_no_further_than_allowed():
    packed = base64.urlsafe_b64encode(zlib.compress(b'{"a": "' + b"x" * 1_000_000 + b'"}'))
    assert paper.data_of(b"twin-evidence:" + packed, 10_000) is None
    assert len(paper.data_of(b"twin-evidence:" + packed, 2_000_000)["a"]) == 1_000_000


def test_runs_that_were_asked_nothing_are_no_evidence(command):
    command("run", HEIGHT, "-o", "run.h5", "--duration", "1 s", "-q")
    code, out, err = command("evidence", "run.h5", "-o", "case.json", "--unsigned")
    assert code == 1 and "nothing was asked" in " ".join(err.split())


def test_each_partys_file_is_named_and_checked(signed):
    Path("carrier.toml").write_text('[network]\nkind = "fixed"\ndelay = "20 ms"\n[party]\nname = "Carrier AG"\n')
    mine = 'include = ["carrier.toml"]\n' + HEIGHT.read_text() + "[party]\nname = 'We'\n"
    Path("main.toml").write_text(mine)
    wanted = ("--set", 'requirements=["collisions = 0"]', "--duration", "1 s", "-q", "--trust")
    for folder in ("worlds", "agents"):
        shutil.copytree(ROOT / "tests/project" / folder, folder)
    code, out, err = signed("run", "main.toml", "-o", "both.h5", *wanted)
    assert code == 0, err
    signed("evidence", "both.h5", "-o", "case.json")
    parties = json.loads(Path("case.json").read_text())["runs"][0]["parties"]
    assert [(one["party"], one["file"]) for one in parties] == [("We", "main.toml"), ("Carrier AG", "carrier.toml")]
    assert verify(signed)[0] == 0
    Path("carrier.toml").write_text('[network]\nkind = "ideal"\n')
    code, states = verify(signed)
    assert code == 4 and states["scenario carrier.toml of Carrier AG"] == "changed"


def test_an_authority_may_ask_afterwards(signed):
    ask = ("--ask", "profile:tele-driving for ball", "--ask", "flows.telemetry.latency_max < 30 ms", "--ask", ASKED[0])
    code, out, err = signed("evidence", "run.h5", "-o", "case.json", *ask)
    found = json.loads(Path("case.json").read_text())
    answers = {one["requirement"]: one["answer"] for one in found["requirements"]}
    assert code == 6 and answers["flows.telemetry.latency_max < 30 ms"] == "passed" and len(answers) == 8
    assert answers["flows.command[ball].reliability >= 99.999 % within 20 ms"] == "inconclusive"
    assert found["runs"][0]["asked"] == ["flows.command[ball].reliability >= 99.999 % within 20 ms",
                                         "flows.telemetry.latency_max < 30 ms"]  # fmt: skip
    schema = json.loads(signed("evidence", "schema")[1])
    jsonschema.Draft202012Validator(schema).validate(found)
    assert verify(signed)[0] == 0, "the same answers come out again"
    for text, says in (("robots.ball.tracking_max < 1 m", "doesn't hold where"), ("x < 1", "--ask: found"),
                       ("flows.command[bal].lost = 0", "did you mean 'ball'")):  # fmt: skip
        code, out, err = signed("evidence", "run.h5", "-o", "other.json", "--ask", text)
        assert code == 2 and says in " ".join(err.split())


def test_what_is_asked_afterwards_is_answered_as_if_it_had_been_asked_before(signed):
    texts = ["flows.command.age_p99 < 60 ms", "rtt_p99 <= 40 ms", "flows.*.delivered > 90 % in any 0.5 s",
             "robots.ball[*].speed_max < 9 m/s", "events.contact = 0"]  # fmt: skip
    fixed = ("--set", "network.kind=fixed", "--set", "network.delay=20 ms", "--duration", "2 s", "--json")
    code, out, err = signed("run", HEIGHT, "-o", "b.h5", *fixed, "--set", f"requirements={json.dumps(texts)}")
    before = {one["requirement"]: one for one in json.loads(out)["requirements"]}
    signed("evidence", "run.h5", "-o", "case.json", *(word for text in texts for word in ("--ask", text)))
    (run,) = json.loads(Path("case.json").read_text())["runs"]
    after = {one["requirement"]: one for one in run["requirements"]}
    for text in texts:
        assert after[text] == before[text]
