"""The files for clusters: images, KubeRay, Ray's launcher, SLURM."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
import yaml
from corpora import both_sources, both_sources_document, file_digests
from ports import free_port
from ray.autoscaler._private.util import prepare_config, validate_config

from sgt_data import IN_PROCESS, build_corpus

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
JOB_SCRIPT = DOCKER / "slurm" / "build-corpus.sbatch"


def _instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Instructions with their arguments, in order; continued lines are joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]


def test_images_keep_the_rules_of_images() -> None:
    steps = _instructions(DOCKER / "Dockerfile")
    stages = {rest.split(" AS ")[1] for word, rest in steps if word == "FROM"}
    bases = {rest.split(" AS ")[0] for word, rest in steps if word == "FROM"} - stages
    assert bases == {"$BASE"}
    (base,) = (rest for word, rest in steps if word == "ARG" and rest.startswith("BASE="))
    assert re.fullmatch(r"BASE=\S+:[\w.-]+@sha256:[0-9a-f]{64}", base)
    assert not {word for word, _ in steps} & {"ADD", "ENTRYPOINT", "MAINTAINER"}
    for word, rest in steps:
        if word == "WORKDIR":
            assert rest.startswith("/")
        if word == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        if word == "RUN" and "pip " in rest:
            assert rest.count("--no-cache-dir") == len(re.findall(r"pip (install|wheel)", rest))
            # nothing is installed whose version is not pinned
            assert "--constraint constraints.txt" in rest or "--no-deps" in rest
        if word == "CMD":
            assert isinstance(json.loads(rest), list)


@pytest.mark.parametrize("image", ["cpu", "cuda"])
def test_an_image_runs_as_a_user_by_number(image: str) -> None:
    """KubeRay's `runAsNonRoot` compares numbers."""
    steps = _instructions(DOCKER / "Dockerfile")
    start = next(i for i, (word, rest) in enumerate(steps) if rest.endswith(f" AS {image}"))
    own = []
    for word, rest in steps[start + 1 :]:
        if word == "FROM":
            break
        own.append((word, rest))
    assert own[-1] == ("USER", "1000")


def test_an_edit_of_the_code_installs_no_dependency_anew() -> None:
    """Stages in which dependencies are installed get no file of the package."""
    stage, copied = "", dict[str, list[str]]()
    parents, installing = dict[str, str](), set[str]()
    for word, rest in _instructions(DOCKER / "Dockerfile"):
        if word == "FROM":
            parent, stage = rest.split(" AS ")
            parents[stage] = parent
        elif word == "COPY":
            copied.setdefault(stage, []).extend(shlex.split(rest)[:-1])
        elif word == "RUN" and "--requirement" in rest:
            installing.add(stage)
    assert installing == {"packages", "cuda-packages"}
    for stage in installing:
        while stage in parents:
            names = copied.get(stage, [])
            assert not {"sgt_data", "manifests", "pipelines", "pyproject.toml", "."} & set(names)
            stage = parents[stage]


def test_an_image_installs_what_the_project_requires() -> None:
    done = subprocess.run(
        [sys.executable, DOCKER / "requirements.py", ROOT / "pyproject.toml", "s3,annotate"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {*project["dependencies"], *extras["s3"], *extras["annotate"]}
    assert set(done.stdout.splitlines()) == wanted


def _kuberay(name: str) -> Any:
    return yaml.safe_load((DOCKER / "kuberay" / name).read_text())


def _cluster(document: Any) -> Any:
    spec = document["spec"]
    return spec["rayClusterSpec"] if document["kind"] == "RayJob" else spec


@pytest.mark.parametrize("name", ["rayjob.yaml", "raycluster.yaml"])
def test_kuberay_starts_a_cluster_of_this_ray_without_root(name: str) -> None:
    document = _kuberay(name)
    assert document["apiVersion"] == "ray.io/v1"
    cluster = _cluster(document)
    assert cluster["rayVersion"] == ray.__version__
    assert cluster["authOptions"] == {"mode": "token"}
    groups = cluster["workerGroupSpecs"]
    for group in groups:
        assert {"groupName", "minReplicas", "maxReplicas", "template"} <= set(group)
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in [cluster["headGroupSpec"], *groups]:
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 1000
        (container,) = pod["containers"]
        name, _, tag = container["image"].partition(":")
        assert tag not in ("", "latest")
        # what Ray believes to have is what the node gives it
        assert container["resources"]["requests"] == container["resources"]["limits"]


def test_a_rayjob_runs_a_command_that_the_image_has() -> None:
    words = shlex.split(_kuberay("rayjob.yaml")["spec"]["entrypoint"])
    assert words[0] == "python"
    folder, script = words[1].rsplit("/", 1)
    assert ("COPY", f"pipelines {folder}") in _instructions(DOCKER / "Dockerfile")
    assert (ROOT / "pipelines" / script).is_file()
    assert words[2] == "sa1b-full"
    assert (ROOT / "manifests" / "sa1b-full.yaml").is_file()
    assert words[-1] == "sources.sa1b.tars=s3://bucket/sa1b/sa_{000000..000999}.tar"
    # a shell that expands braces runs the line first: KubeRay's `bash -c`
    seen = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {_kuberay('rayjob.yaml')['spec']['entrypoint']}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout.split() == words


def test_rays_launcher_takes_the_cluster_file() -> None:
    document = yaml.safe_load((DOCKER / "ray-up" / "cluster.yaml").read_text())
    validate_config(prepare_config(document))
    starts = document["head_start_ray_commands"] + document["worker_start_ray_commands"]
    assert all(command.count("ray ") for command in starts)
    with pytest.raises(Exception, match="nonsense"):
        validate_config(prepare_config({**document, "nonsense": 1}))


SRUN = """#!/bin/bash
# runs a step's command on this machine, once for each node of the step
nodes=1
while [ $# -gt 0 ]; do
  case $1 in
    --nodes=*) nodes=${1#--nodes=}; shift ;;
    --*) shift ;;
    *) break ;;
  esac
done
for ((i = 0; i < nodes; i++)); do "$@" & done
trap 'kill $(jobs -p) 2> /dev/null' TERM
wait; wait
"""


@pytest.fixture
def slurm(sample_sources: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a job of SLURM whose nodes are all this machine: SLURM is not there."""
    commands = tmp_path / "bin"
    commands.mkdir()
    scontrol = f'#!/bin/bash\necho "$@" >> {tmp_path}/scontrol.txt\n'
    for name, script in (("srun", SRUN), ("scontrol", scontrol)):
        (commands / name).write_text(script)
        (commands / name).chmod(0o755)
    document = both_sources_document(sample_sources, shard_samples=1)
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(document))
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        yield {
            **os.environ,
            "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SLURM_JOB_ID": "17",
            "SLURM_CPUS_PER_TASK": "1",
            "SLURMD_NODENAME": "node1",
            "SGT_HEAD_IP": "127.0.0.1",
            "SGT_RAY_FOLDER": folder,
        }


def _job(slurm: dict[str, str], tmp_path: Path, nodes: int) -> subprocess.Popen[str]:
    environment = {**slurm, "SLURM_NNODES": str(nodes), "SGT_RAY_PORT": str(free_port())}
    return subprocess.Popen(
        ["bash", JOB_SCRIPT, "manifest.yaml", "--output", "corpus"], env=environment, text=True,
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_job_of_slurm_that_is_queued_again_builds_the_same_corpus(
    slurm: dict[str, str], sample_sources: Path, tmp_path: Path
) -> None:
    output, reference = tmp_path / "corpus", tmp_path / "reference"
    build_corpus(both_sources(sample_sources, shard_samples=1), str(reference), cluster=IN_PROCESS)
    undisturbed = file_digests(reference)
    first = _job(slurm, tmp_path, nodes=1)
    while not any(output.glob("receipts/*/*.json")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    first.send_signal(signal.SIGUSR1)  # SLURM's, before the time of the job ends
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 0, said
    assert (tmp_path / "scontrol.txt").read_text() == "requeue 17\n"
    assert len(file_digests(output)) < len(undisturbed)

    second = _job(slurm, tmp_path, nodes=2)
    said, _ = second.communicate(timeout=180)
    assert second.returncode == 0, said
    assert file_digests(output) == undisturbed
    folder = slurm["SGT_RAY_FOLDER"]
    assert not [p for p in psutil.process_iter(["cmdline"]) if folder in str(p.info["cmdline"])]


def test_a_job_of_slurm_is_queued_again() -> None:
    subprocess.run(["bash", "-n", JOB_SCRIPT], check=True)
    for option in ("--requeue", "--signal=B:USR1@120", "--no-kill", "--open-mode=append"):
        assert f"#SBATCH {option}\n" in JOB_SCRIPT.read_text()
