"""What tests of pushes and joins share: a corpus with shared pictures, the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hub_server
import making
from hub_server import Hub

from sgt_data.corpus.paths import INPUT, REPOSITORY_FILES

SHARED: dict[str, Any] = {
    "inputs": "shared",
    "shard_samples": 12,
    "proxies": [
        {"type": "segmentation", "name": "entity", "variant": "entity"},
        {"type": "boxes"},
        {"type": "boxes", "name": "boxes-over-it", "look": "overlay"},
        {"type": "edge"},
        {"type": "reconstruction"},
        {"type": "denoise"},
    ],
}
DRAWN = ("entity", "boxes", "edge")
WITH_PICTURES = (INPUT, "boxes-over-it", "reconstruction", "denoise")


def corpus_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a repository that belong to its corpus."""
    return {path: data for path, data in files.items() if path not in REPOSITORY_FILES}


def files_in(corpus: Path) -> dict[str, bytes]:
    return corpus_files(making.files_in(corpus))


def started(hub: Hub, *arguments: object, code: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"{code}\nfrom sgt_data.cli.app import main; main()"]
    environment = {
        **os.environ, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": hub_server.TOKEN,
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def run(hub: Hub, *arguments: object, code: str = "") -> subprocess.CompletedProcess[str]:
    with started(hub, *arguments, code=code) as process:
        output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess([], process.returncode, output, errors)
