"""However a batch is divided, into parts or among processes, the model learns what the whole does.

A loss is a mean over the samples of the global batch; the oracle is one process with one part.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from training_data import config_of

from sgt_data.training.batch_parts import MEANS, counts_of, split_batch
from sgt_data.training.batches import open_stream
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig, document_of
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.gradient_step import GradientStep
from sgt_data.training.own_models import make_model
from sgt_data.training.train import train

torch.set_num_threads(1)

SIZES = {
    "even": ("questions=4", "drawings=8", "captions=4"),
    "uneven": ("questions=5", "drawings=3", "captions=7"),
    "a rank without captions": ("questions=3", "drawings=4", "captions=1"),
    "one sample each": ("questions=1", "drawings=1", "captions=0", "data.proxies=[panoptic]"),
}


def gradients(config: TrainConfig, processes: ProcessGroup) -> dict[str, Any]:
    """Means of the first batch, and the gradient of every weight."""
    batch = Collator()(open_stream(config, processes.rank, processes.world).batch(0))
    model = make_model(config)
    means = GradientStep(model, config, processes)(batch)
    sent = torch.tensor([float(means.get(name, 0.0)) for name in MEANS])
    weights = {name: weight.grad for name, weight in model.named_parameters()}
    return {"means": processes.sum(sent), **weights}


RANK = f"""
import json, sys, torch
sys.path.insert(0, {str(Path(__file__).parent)!r})
torch.set_num_threads(1)
from test_training_division import gradients
from sgt_data.training.config import parse_config
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.train import train
configs = [parse_config(each) for each in json.loads(sys.argv[1])]
with ProcessGroup.join() as processes:
    found = [gradients(config, processes) for config in configs[:-1]]
    if processes.is_first:
        torch.save(found, sys.argv[2] + "/found.pt")
train(configs[-1], sys.argv[2] + "/run")
"""


def same(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        if value is None:
            assert theirs[name] is None, name
        else:
            torch.testing.assert_close(theirs[name], value, rtol=2e-4, atol=2e-6, msg=name)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(training_data: dict[str, Any], tmp_path: Path) -> None:
    steps = ("steps=4", "log_every=1", "rate=0.001", "matrix_rate=0.005")
    configs = [
        config_of(training_data, *sizes, f"accumulate={count}")
        for sizes in SIZES.values()
        for count in (1, 4)
    ]
    configs.append(config_of(training_data, *SIZES["uneven"], *steps))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "--no-python", sys.executable, "-c", RANK,
        json.dumps([document_of(each) for each in configs]), str(tmp_path),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, timeout=200, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    alone = ProcessGroup(0, 1, torch.device("cpu"))
    for config, theirs in zip(configs, torch.load(tmp_path / "found.pt"), strict=False):
        same(gradients(config, alone), theirs)
    curve = train(configs[-1], tmp_path / "one").curve
    together = [
        json.loads(line) for line in (tmp_path / "run/curve.jsonl").read_text().splitlines()
    ]
    for mine, row in zip(curve, together, strict=True):
        assert {**row, "seconds": 0} == pytest.approx({**mine, "seconds": 0}, rel=1e-3)


@pytest.mark.parametrize("count", [2, 5, 100])
def test_parts_of_a_batch_add_up_to_the_whole(training_data: dict[str, Any], count: int) -> None:
    alone = ProcessGroup(0, 1, torch.device("cpu"))
    for sizes in SIZES.values():
        whole = gradients(config_of(training_data, *sizes), alone)
        same(whole, gradients(config_of(training_data, *sizes, f"accumulate={count}"), alone))


def test_no_part_of_a_batch_is_empty_and_none_is_lost(training_data: dict[str, Any]) -> None:
    config = config_of(training_data, "questions=2", "drawings=7", "captions=1")
    batch = Collator()(open_stream(config, 0, 1).batch(0))
    parts = [counts_of(part) for part in split_batch(batch, 5)]
    assert all(sum(counts.values()) for counts in parts) and len(parts) == 5
    assert {name: sum(counts[name] for counts in parts) for name in parts[0]} == {
        "answers": 2, "drawings": 7, "captions": 1,
    }  # fmt: skip
    assert len(list(split_batch(batch, 100))) == 7
