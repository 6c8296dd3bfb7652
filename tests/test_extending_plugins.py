"""Plug-ins: named by a manifest, carried to workers, part of the identity, not run by a corpus."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from own_code import MEMBERS, built_with, manifest_with, pictures, written

import sgt_data
from sgt_data.cli.app import main
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS, Cluster
from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError, OwnCodeError, PluginError
from sgt_data.manifest.manifest import load_manifest, parse_manifest
from sgt_data.plugins.origins import origin_of
from sgt_data.plugins.registered import use_plugins
from sgt_data.verify.check_corpus import verify_corpus

TONE = "tone = grey * self.tones // 256"


def in_new_process(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python code in a process that has loaded no plug-in."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_reading_a_corpus_never_imports_what_it_names(tmp_path: Path) -> None:
    file = written("proxy", tmp_path)
    assert built_with("proxy", file).succeeded
    header = json.loads((tmp_path / "corpus" / "corpus.json").read_text())
    assert header["manifest"]["plugins"] == ["tone.py"]
    file.write_text("import pathlib\npathlib.Path('was-run').touch()\n" + file.read_text())
    code = (
        "import sgt_data, sgt_data.errors\n"
        "corpus = sgt_data.open_corpus('corpus')\n"
        "verdict = sgt_data.verify_corpus('corpus', deep=True)\n"
        "assert verdict.sound and verdict.not_decoded == {'tone': 2}, verdict\n"
        "stream = sgt_data.Stream({'corpus': ['tone']}, batch_size=2)\n"
        "assert sum(len(batch['samples']) for batch in stream) == 2\n"
        "(sample, _) = corpus.samples('tone')\n"
        "try: sgt_data.decode(sample.target, sample.facts)\n"
        "except sgt_data.errors.CorpusError as why: print(why)\n"
        "sgt_data.contact_sheet(corpus)\n"
    )
    done = in_new_process(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'tone', which is not installed" in done.stdout
    assert not (tmp_path / "was-run").exists()


def test_verify_decodes_by_plugins_that_a_person_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written("proxy", tmp_path)
    built_with("proxy", file)
    spoilt = written("proxy", tmp_path / "other", ('raise CorpusError("', 'raise KeyError("'))
    spoilt.write_text(spoilt.read_text().replace("!= levels", "== levels"))
    with pytest.raises(SystemExit) as end:
        main(["verify", str(tmp_path / "corpus"), "--deep", "--plugins", str(spoilt)])
    shown = capsys.readouterr().out
    assert end.value.code == 1
    assert "ToneProxy.decode: " in shown and "tone.py, line 45: KeyError" in shown
    with pytest.raises(SystemExit) as end:
        main(["verify", str(tmp_path / "corpus"), "--deep", "--plugins", str(file)])
    assert end.value.code == 0
    assert "not decoded" not in capsys.readouterr().out


@pytest.mark.parametrize("role", ["proxy", "source", "annotator"])
def test_changed_code_is_another_build(tmp_path: Path, role: str) -> None:
    file = written(role, tmp_path)
    built_with(role, file)
    assert built_with(role, file).built_shards == 0
    file.write_text(file.read_text() + "# changed\n")
    with pytest.raises(CorpusMismatch, match=r"plugin\.sha256"):
        built_with(role, file)


def test_members_travel_with_the_text_of_their_file(tmp_path: Path) -> None:
    """A worker on another machine has neither the file nor its module."""
    file = written("proxy", tmp_path)
    manifest = manifest_with("proxy", file, proxies=[{"type": "tone", "instructions": "edge_soft"}])
    (tmp_path / "manifest.pickle").write_bytes(pickle.dumps(manifest))
    file.unlink()
    code = (
        "import pickle, pathlib\n"
        "manifest = pickle.loads(pathlib.Path('manifest.pickle').read_bytes())\n"
        "proxy = manifest.proxies[0]\n"
        "print(type(proxy).__name__, proxy.tones, proxy.instruction_bank().name)\n"
    )
    done = in_new_process(code, tmp_path)
    assert done.stdout.split() == ["ToneProxy", "4", "edge_soft"], done.stderr


def test_ray_draws_the_same_bytes_and_names_the_same_mistakes(tmp_path: Path) -> None:
    manifest = manifest_with("proxy", written("proxy", tmp_path))
    build_corpus(manifest, tmp_path / "here", cluster=IN_PROCESS)
    broken = manifest_with("proxy", written("proxy", tmp_path / "b", (TONE, f"{TONE} + 1 // 0")))
    import ray

    with_ray = Cluster(workers=1)
    try:
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
        assert build_corpus(manifest, tmp_path / "ray", cluster=with_ray).succeeded
        with pytest.raises(OwnCodeError, match=r"tone.py, line 33: ZeroDivisionError"):
            build_corpus(broken, tmp_path / "broken", cluster=with_ray)
    finally:
        ray.shutdown()
    for file in ("tone/f-00000.tar", "index/tone/f-00000.parquet", "receipts/tone/f-00000.json"):
        assert (tmp_path / "ray" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()


def test_code_is_run_from_local_files_alone(tmp_path: Path) -> None:
    document = {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}]}
    for place in ("https://127.0.0.1/my_proxy.py", "memory://my_proxy.py", "zip::/a.zip/b.py"):
        with pytest.raises(PluginError, match="code is run from local files alone"):
            parse_manifest(document | {"plugins": [place], "proxies": [{"type": "edge"}]})
    import fsspec

    text = "name: a\nplugins: [my_proxy.py]\nsources: []\nproxies: []\n"
    with fsspec.open("memory://remote/m.yaml", "w") as out:
        out.write(text)
    with pytest.raises(PluginError, match="for manifests of this machine alone"):
        load_manifest("memory://remote/m.yaml")


def test_a_plugin_lies_beside_its_manifest(tmp_path: Path) -> None:
    written("proxy", tmp_path)
    (tmp_path / "m.yaml").write_text(
        "name: a\nplugins: [tone.py]\nsources: [{type: folder, pictures: /p}]\n"
        "proxies: [{type: tone, instructions: tone.txt}]\n"
    )
    assert load_manifest(tmp_path / "m.yaml").proxies[0].instruction_bank().name == "tone"
    with pytest.raises(PluginError, match=r"gone.py cannot be read: No such file"):
        load_manifest(tmp_path / "m.yaml", ["plugins=[gone.py]"])


def test_two_files_may_not_share_a_type_in_one_manifest(tmp_path: Path) -> None:
    files = [str(written("proxy", tmp_path / name)) for name in "ab"]
    Path(files[1]).write_text(Path(files[1]).read_text() + "\n")
    with pytest.raises(PluginError, match=r"plugins.1: .*the type 'tone' is that of ToneProxy in"):
        use_plugins(files)


def entry_points_of(folder: Path, distribution: str, points: dict[str, str]) -> None:
    """What pip installs of a package that has these entry points of proxies."""
    info = folder / f"{distribution}-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[sgt_data.proxies]", *lines, ""]))


def test_an_entry_point_that_fails_breaks_only_what_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgt_data.proxies.base import Proxy
    from sgt_data.proxies.registry import proxy_kinds

    file = written("proxy", tmp_path)
    (tmp_path / "toned.py").write_text(file.read_text().replace('"tone"', '"toned"'))
    (tmp_path / "not_there.py").write_text("import no_such_library\n")
    points = {"toned": "toned:ToneProxy", "gone": "not_there:Proxy", "half": "toned:CorpusError"}
    entry_points_of(tmp_path, "own-proxies", points)
    monkeypatch.syspath_prepend(tmp_path)
    proxy_kinds.cache_clear()
    try:
        document = {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}]}
        parse_manifest(document | {"proxies": [{"type": "edge"}]})
        assert "not_there" not in sys.modules and "toned" not in sys.modules
        toned = {"type": "toned", "instructions": "edge_soft"}
        kind = type(parse_manifest(document | {"proxies": [toned]}).proxies[0])
        assert issubclass(kind, Proxy)
        assert origin_of(kind) == {"package": "own-proxies", "version": "1.5"}
        with pytest.raises(ManifestError, match=r"not_there.py, line 1: .*no_such_library"):
            parse_manifest(document | {"proxies": [{"type": "gone"}]})
        assert proxy_kinds().usable("gone") is None and proxy_kinds().usable("toned") is kind
        assert "toned" in proxy_kinds() and "gone" not in list(proxy_kinds())
        broken = proxy_kinds().broken()
        assert broken.keys() == {"gone", "half"}
        assert "extends sgt_data.proxies.base.Proxy" in broken["half"]
    finally:
        proxy_kinds.cache_clear()


def test_layers_of_ones_own_go_from_source_to_proxy(tmp_path: Path) -> None:
    written("source", tmp_path)
    body = (
        f"{TONE}\n        import json\n"
        "        for x, y in json.loads(subject.layer_data('keypoints')):\n"
        "            tone[y, x] = self.tones - 1"
    )
    needs = "    needs: ClassVar[frozenset[str]] = frozenset({'keypoints'})\n    tones: int"
    written("proxy", tmp_path, (TONE, body), ("    tones: int", needs))
    folder = pictures(tmp_path)
    (folder / "1.json").write_text("[[3, 5]]")
    document = {
        "name": "own", "plugins": [tmp_path / "tone.py", tmp_path / "posed.py"],
        "max_quarantined": 1.0, "pictures": {"min_side": 32, "max_side": 32, "multiple_of": 16},
        "sources": [{"type": "posed", "name": "f", "pictures": folder}], **MEMBERS["proxy"],
    }  # fmt: skip
    report = sgt_data.build_corpus(parse_manifest(document), tmp_path / "c", cluster=IN_PROCESS)
    assert "there is no keypoints of this picture" in str(report.reasons[0])
    (sample,) = sgt_data.open_corpus(tmp_path / "c").samples("tone")
    tones = sgt_data.decode(sample.target, sample.facts)
    assert tones[5, 3] == 3 and (tones == 3).sum() == 1
    written("proxy", tmp_path / "p", ("    tones: int", needs.replace("keypoints", "keypoint")))
    document["plugins"] = [tmp_path / "p" / "tone.py", tmp_path / "posed.py"]
    with pytest.raises(ManifestError, match=r"needs the layer keypoint; .*did you mean keypoints"):
        parse_manifest(document)


def test_what_new_writes_passes_its_own_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for role, name in (("proxy", "line_art"), ("source", "rig"), ("annotator", "lidar"),
                       ("model", "small")):  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main(["new", role, name])
        assert end.value.code == 0
        shown = capsys.readouterr()
        assert f"{name}.py" in shown.out and f"next: pytest test_{name}.py" in shown.err
        lines = (tmp_path / f"{name}.py").read_text().splitlines()
        assert len(lines) < (80 if role == "model" else 60)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["proxi", "a"], "did you mean proxy?"),
        (["proxy", "LineArt"], "a-z, 0-9 and _"),
        (["proxy", "edge"], "built-in or installed proxy"),
        (["model", "torch"], "installed Python module"),
        (["model", "class"], "becomes that of a Python file"),
    ],
)
def test_new_refuses_names_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["new", *arguments])
    assert end.value.code == 2 and message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_new_replaces_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_rig.py").write_text("mine")
    with pytest.raises(SystemExit):
        main(["new", "source", "rig"])
    assert [path.name for path in tmp_path.iterdir()] == ["test_rig.py"]


def test_a_corpus_of_unknown_type_says_so_and_one_of_another_type_is_damaged(
    tmp_path: Path,
) -> None:
    file = written("proxy", tmp_path)
    built_with("proxy", file)
    place = tmp_path / "corpus" / "corpus.json"
    header = json.loads(place.read_text())
    header["manifest"]["proxies"][0]["type"] = "edge"
    place.write_text(json.dumps(header))
    findings = verify_corpus(tmp_path / "corpus", deep=True).findings
    assert any("its JSON says type 'tone', the manifest 'edge'" in str(each) for each in findings)
    with pytest.raises(CorpusError, match="use_plugins"):
        sgt_data.decode(b"", {"type": "never_registered"})


def test_a_push_without_pictures_asks_the_proxy_that_a_person_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its code nobody knows whether a target shows the picture, so it stays here."""
    file = written("proxy", tmp_path)
    assert built_with("proxy", file, inputs="shared").succeeded
    code = "import sys; from sgt_data.cli.app import main; main(sys.argv[1:])"
    push = [sys.executable, "-c", code, "push", "corpus", "o/n", "--dry-run"]
    refused = subprocess.run(push, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 2 and "every folder" in refused.stderr
    named = [*push, "--plugins", str(file)]
    done = subprocess.run(named, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "tone" in done.stdout, done.stderr


def test_a_proxy_without_lines_of_its_own_is_drawn_as_an_example(tmp_path: Path) -> None:
    (tmp_path / "flat.py").write_text(FLAT)
    code = "import sgt_data; sgt_data.use_plugins('flat.py'); " + (
        "print(sgt_data.example_picture('proxies', 'flat').width)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip().isdigit(), run.stderr


FLAT = """
from typing import Any, ClassVar, Literal

import numpy as np
from sgt_data.pictures.grey_png import encode_rough
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.records import DrawnTarget


class FlatProxy(Proxy):
    \"\"\"Proxy that draws grey.\"\"\"

    tier: ClassVar[Tier] = "low"
    placeholders: ClassVar[frozenset[str]] = frozenset({"thing"})
    type: Literal["flat"] = "flat"
    name: str = "flat"

    def draw(self, subject: Subject) -> DrawnTarget:
        levels = np.full((subject.picture.height, subject.picture.width), 99, np.uint8)
        return DrawnTarget(encode_rough(levels), "png", {"grey": 99}, words={"thing": "a dog"})

    @classmethod
    def decode(cls, target: bytes, facts: Any) -> Any:
        return facts["grey"]
"""
