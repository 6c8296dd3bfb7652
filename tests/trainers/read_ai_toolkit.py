"""What ai-toolkit's data loader reads from an export of folders.

    read_ai_toolkit.py PROXY,... EXPORT ...

`ai_toolkit.yaml` is read by ai-toolkit's own code. The model is left out: its class states the
sizes, and latents are not cached, which needs its weights. Prints by export and proxy: text, input
and target of each sample, by key.
"""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import torchvision_operators  # noqa: F401 - before torchvision is imported

_AUDIO = types.ModuleType("torchaudio")  # of no use to pictures, and has no build for CPUs
_AUDIO.__spec__ = ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = _AUDIO

from arguments import print_what_is_read  # noqa: E402
from pixels import of_range, of_unit_range  # noqa: E402
from toolkit.config import get_config  # noqa: E402
from toolkit.data_loader import get_dataloader_from_datasets  # noqa: E402

KONTEXT: Any = types.SimpleNamespace(
    get_bucket_divisibility=lambda: 16,
    use_raw_control_images=False,
    encode_control_in_text_embeddings=False,
    text_embedding_space_version="flux_kontext",
    te_padding_side="right",
    model_config=types.SimpleNamespace(latent_space_version="flux1"),
    vae=None,
    unet=None,
)
"""What the data code asks of the model of `arch: flux_kontext`."""


def read(export: str) -> dict[str, dict[str, list[str]]]:
    config = get_config(f"{export}/ai_toolkit.yaml")
    (process,) = config["config"]["process"]
    assert process["model"]["arch"] == "flux_kontext"
    datasets = [
        {**dataset, "cache_latents_to_disk": False, "num_workers": 0, "prefetch_factor": None}
        for dataset in process["datasets"]
    ]
    loader = get_dataloader_from_datasets(datasets, process["train"]["batch_size"], KONTEXT)
    found: dict[str, dict[str, list[str]]] = {}
    for batch in loader:
        for item in batch.file_items:
            path = Path(item.path)
            found.setdefault(path.parents[1].name, {})[path.stem] = [
                item.caption, of_unit_range(item.control_tensor), of_range(item.tensor),
            ]  # fmt: skip
    return found


def read_export(export: str, proxies: list[str]) -> dict[str, Any]:
    found = read(export)
    return {proxy: {"loader": found[proxy]} for proxy in proxies}


if __name__ == "__main__":
    print_what_is_read(read_export)
