"""How much each loss of a run changes its trunk: norms of gradients, at its last checkpoint.

    python benchmarks/gradient_shares.py experiment/proxies/runs/entity-seed0-…

For each loss, with its weight: the mean norm of the gradient of a batch, and the norm of the mean
of all batches' gradients, which is what stays when their noise cancels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import orjson
import torch
from torch import Tensor

from sgt_data.training.batches import epoch_batches, open_stream
from sgt_data.training.checkpoint import CHECKPOINTS, newest_path
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig, parse_config
from sgt_data.training.own_models import make_model


def gradients_of(run: Path, batches: int) -> dict[str, Tensor]:
    """By loss, the gradients of the trunk's weights [batches, weights]."""
    config = parse_config(orjson.loads((run / "config.json").read_bytes()))
    model = make_model(config)
    checkpoint = newest_path(run / CHECKPOINTS)
    if checkpoint is None:
        raise SystemExit(f"{run} has no checkpoint; train the run first")
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["model"])
    trunk = [weight for name, weight in model.named_parameters() if name.startswith("trunk.")]
    stream, collate = open_stream(config, 0, 1), Collator(config.data.wrong_targets)
    gradients: dict[str, list[Tensor]] = {}
    for _, batch in zip(range(batches), epoch_batches(stream, 0), strict=False):
        losses = model(collate(batch).to(torch.device("cpu")))
        for name, weight in weights_of(config).items():
            if name in losses:
                parts = torch.autograd.grad(
                    weight * losses[name], trunk, retain_graph=True, materialize_grads=True
                )
                gradients.setdefault(name, []).append(torch.cat([part.flatten() for part in parts]))
    return {name: torch.stack(of_batches) for name, of_batches in gradients.items()}


def weights_of(config: TrainConfig) -> dict[str, float]:
    """The weight of each loss."""
    return {
        "answers": 1.0,
        "drawings": config.drawing_weight,
        "captions": config.caption_weight,
    }


def main() -> None:
    """Print a line for each loss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run with its checkpoints")
    parser.add_argument("--batches", type=int, default=32)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    for name, gradients in gradients_of(options.run, options.batches).items():
        batch, mean = gradients.norm(dim=1).mean(), gradients.mean(dim=0).norm()
        print(f"{name}: {batch:.4f} of a batch, {mean:.4f} of the mean of {len(gradients)} batches")


if __name__ == "__main__":
    main()
