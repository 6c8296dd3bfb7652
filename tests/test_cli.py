"""The command line: exit codes, what goes where, and messages that say what would be right."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from corpora import both_sources_document
from PIL import Image


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sgt_data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def manifest(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "manifest.yaml"
    path.write_text(yaml.safe_dump(both_sources_document(sample_sources, shard_samples=6)))
    return path


@pytest.fixture(scope="module")
def corpus(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("cli") / "corpus"
    done = run("build", manifest, "--output", output, "--workers", 0)
    assert done.returncode == 0, done.stderr
    return output


def test_the_version_is_that_of_the_package() -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"sgt-data {version('sgt-data')} (corpus format 1.")
    assert f"Ray {version('ray')}" in done.stdout


def test_help_names_every_command_and_loads_no_large_library() -> None:
    code = (
        "import sys\n"
        "from sgt_data.cli.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as ended: assert not ended.code\n"
        "large = {'ray', 'torch', 'duckdb', 'matplotlib', 'transformers', 'huggingface_hub'}\n"
        "print('loaded:', sorted(large & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert done.endswith("loaded: []\n")
    commands = (
        "build", "verify", "info", "preview", "annotate", "export", "push", "scale", "questions",
        "sample", "train", "experiment",
    )  # fmt: skip
    assert all(f"\n  {command} " in done for command in commands)


def test_json_is_one_line_on_standard_output(manifest: Path, tmp_path: Path) -> None:
    done = run("build", manifest, "--output", tmp_path / "c", "--workers", 0, "--json")
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    report = json.loads(line)
    assert report["succeeded"]
    assert report["totals"]["entity"]["samples"] == 24


def test_a_dry_run_prints_the_plan_and_writes_nothing(manifest: Path, tmp_path: Path) -> None:
    output = tmp_path / "never"
    done = run("build", manifest, "--output", output, "--dry-run", "--json")
    assert done.returncode == 0
    rows = {(row["source"], row["proxy"]): row for row in json.loads(done.stdout)["plan"]}
    assert rows["sa1b", "entity"]["pictures"] == 12
    assert rows["coco", "semantic"]["shards"] == 2
    assert all(row["exact"] and row["output_bytes"] > 0 for row in rows.values())
    assert not output.exists()
    assert "pictures" in run("build", manifest, "--output", output, "--dry-run").stdout


def test_a_wrong_manifest_is_a_wrong_request(manifest: Path, tmp_path: Path) -> None:
    done = run("build", manifest, "--output", tmp_path, "--set", "proxies.entity.palette=blue")
    assert done.returncode == 2
    assert "proxies.0.palette" in done.stderr and "'blue'" in done.stderr
    assert "tab20" in done.stderr
    assert not done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("frobnicate",), "frobnicate"),
        (("build", "nowhere.yaml"), "--output"),
        (("build", "nowhere.yaml", "--output", "x"), "there is no manifest"),
        (("verify", "nowhere", "--depp"), "--depp"),
        (("sample", "x", "--images", "many"), "--images"),
    ],
)
def test_a_wrong_request_exits_2_without_a_traceback(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert not list(tmp_path.iterdir())


def test_a_missing_source_says_which_field_to_set(manifest: Path, tmp_path: Path) -> None:
    done = run("build", manifest, "--output", tmp_path / "c", "--set", "sources.coco.root=/none")
    assert done.returncode == 2
    assert "sources.coco.FIELD" in done.stderr and "/none/annotations" in done.stderr


def test_a_changed_seed_is_refused_by_name(corpus: Path, manifest: Path) -> None:
    done = run("build", manifest, "--output", corpus, "--workers", 0, "--set", "seed=5")
    assert done.returncode == 2
    assert "seed: in the corpus 0, now 5" in done.stderr


def test_too_much_damage_fails_loudly(manifest: Path, tmp_path: Path, sample_sources: Path) -> None:
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    first = min((sample_sources / "coco" / "train2017").iterdir())
    (lonely / first.name).write_bytes(first.read_bytes())
    arguments = ("--workers", 0, "--set", f"sources.coco.pictures={lonely}")
    done = run("build", manifest, "--output", tmp_path / "c", *arguments)
    assert done.returncode == 1
    assert "panoptic: 91.7% of the inputs are damaged, max_quarantined allows 5.0%" in done.stderr
    assert "quarantine/panoptic" in done.stderr
    again = run("build", manifest, "--output", tmp_path / "c", *arguments, "--max-quarantined", 1)
    assert again.returncode == 0


def test_verify_answers_by_exit_code(corpus: Path, tmp_path: Path) -> None:
    assert run("verify", corpus, "--deep").returncode == 0
    missing = run("verify", tmp_path)
    assert missing.returncode == 2
    assert "no corpus" in missing.stderr


def test_info_counts_by_proxy_and_source(corpus: Path) -> None:
    document = json.loads(run("info", corpus, "--json").stdout)
    assert document["complete"]
    assert document["source_totals"]["entity"]["coco"]["inputs"] == 12
    assert "semantic" in run("info", corpus).stdout


def test_preview_draws_a_sheet(corpus: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    assert run("preview", corpus, "-o", sheet, "--per-source", 2).returncode == 0
    with Image.open(sheet) as image:
        assert image.mode == "RGB"
        assert len(image.getcolors(1 << 24) or []) > 1000


def test_sample_writes_both_forms(tmp_path: Path) -> None:
    done = run("sample", tmp_path / "s", "--images", 2, "--width", 160, "--height", 120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s" / "sa1b" / "sa_000000.tar").exists()
    assert len(list((tmp_path / "s" / "coco" / "train2017").glob("*.jpg"))) == 2


@pytest.mark.parametrize("name", ["coco-instance", "coco-panoptic", "coco-semantic"])
def test_ready_coco_manifests_build_real_pictures(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    manifests = Path(__file__).parent.parent / "manifests"
    output = tmp_path / name
    root = f"sources.coco.root={real_data / 'coco'}"
    done = run(
        "build", manifests / f"{name}.yaml", "--output", output, "--workers", 0, "--set", root,
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["totals"]["segmentation"]
    assert totals["inputs"] == (128 if name == "coco-instance" else 100)
    assert totals["damaged"] == 0
    assert totals["inputs"] == totals["samples"] + totals["filtered"]
    assert run("verify", output, "--deep").returncode == 0


def test_ready_sa1b_manifests_build_real_pictures(real_data: Path, tmp_path: Path) -> None:
    manifests = Path(__file__).parent.parent / "manifests"
    tars = f"sources.sa1b.tars={real_data}/sa1b/sa_*.tar"
    for name in ("sa1b-190k", "sa1b-full"):
        arguments = ("build", manifests / f"{name}.yaml", "--output", tmp_path / name)
        done = run(*arguments, "--workers", 0, "--set", tars, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["totals"]["segmentation"]["samples"] == 4
