"""What SimpleTuner's data code reads from an export of folders.

    read_simpletuner.py PROXY,... EXPORT ...

Configuration, data sets, metadata, sampler and preparation of samples are SimpleTuner's. Its
factory, which puts them together, needs every model and is left out: this script does so, and takes
megapixels for `pixel_area` as the factory does. Prints by export and proxy: text, input and target
of each sample, in order.
"""

from __future__ import annotations

import json
import sys
import tempfile
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import torchvision_operators  # noqa: F401 - before torchvision is imported

_AUDIO = types.ModuleType("torchaudio")  # of no use to pictures, and has no build for CPUs
_AUDIO.__spec__ = ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = _AUDIO

from accelerate import Accelerator  # noqa: E402
from arguments import print_what_is_read  # noqa: E402
from pixels import of_picture  # noqa: E402
from simpletuner.helpers.data_backend.builders import create_backend_builder  # noqa: E402
from simpletuner.helpers.data_backend.config import create_backend_config  # noqa: E402
from simpletuner.helpers.image_manipulation.training_sample import TrainingSample  # noqa: E402
from simpletuner.helpers.metadata.backends.huggingface import (  # noqa: E402
    HuggingfaceMetadataBackend,
)
from simpletuner.helpers.multiaspect.sampler import MultiAspectSampler  # noqa: E402
from simpletuner.helpers.prompts import PromptHandler  # noqa: E402
from simpletuner.helpers.training.state_tracker import StateTracker  # noqa: E402

KONTEXT_ALIGNMENT = 64
"""`aspect_bucket_alignment` that SimpleTuner's FLUX.1 Kontext asks for."""


class DataSet:
    """A data set of `simpletuner.json`."""

    def __init__(self, stated: dict[str, Any], accelerator: Accelerator, scratch: str) -> None:
        assert stated["resolution_type"] == "pixel_area"
        megapixels = stated["resolution"] ** 2 / 1e6
        backend = {**stated, "resolution": megapixels, "resolution_type": "area"}
        read = create_backend_config(backend, {"caption_strategy": "filename"})
        builder = create_backend_builder(stated["type"], accelerator, None)
        self.files = builder.build(read)
        name, config, cache = stated["id"], read.to_dict()["config"], f"{scratch}/{stated['id']}"
        Path(cache).mkdir()
        StateTracker.set_data_backend_config(name, config)
        self.metadata = HuggingfaceMetadataBackend(
            id=name, instance_data_dir="", cache_file=f"{cache}/buckets",
            metadata_file=f"{cache}/metadata", data_backend=self.files, accelerator=accelerator,
            batch_size=1, resolution=megapixels, resolution_type="area",
            hf_config=stated["huggingface"],
        )  # fmt: skip
        self.sampler = MultiAspectSampler(
            id=name, metadata_backend=self.metadata, data_backend=self.files, model=None,
            accelerator=accelerator, batch_size=1, resolution=megapixels, resolution_type="area",
            caption_strategy=stated["caption_strategy"],
            conditioning_type=stated.get("conditioning_type"),
            source_dataset_id=stated.get("source_dataset_id"),
        )  # fmt: skip
        StateTracker.register_data_backend(
            {"id": name, "config": config, "data_backend": self.files, "sampler": self.sampler,
             "metadata_backend": self.metadata, "instance_data_dir": ""}
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.files.dataset)


def read(targets: DataSet, references: DataSet) -> list[list[str]]:
    found = []
    for number in range(len(targets)):
        path = f"{number}.jpg"
        text = PromptHandler.magic_prompt(
            image_path=path, use_captions=True, caption_strategy="huggingface",
            prepend_instance_prompt=False, data_backend=targets.files,
            sampler_backend_id=targets.files.id,
        )  # fmt: skip
        target = TrainingSample(targets.files.read_image(path), targets.files.id, {}, path)
        prepared = target.prepare()
        reference = references.sampler.get_conditioning_sample(path)
        assert reference is not None
        assert reference.caption == text
        shown = reference.prepare_like(target)
        found.append([text, of_picture(shown.image), of_picture(prepared.image)])
    return found


def read_export(export: str, proxies: list[str]) -> dict[str, Any]:
    listed = json.loads(Path(export, "simpletuner.json").read_text())
    stated = {entry["id"]: entry for entry in listed}
    accelerator = Accelerator(cpu=True)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        StateTracker.set_args(
            types.SimpleNamespace(
                aspect_bucket_alignment=KONTEXT_ALIGNMENT, aspect_bucket_rounding=2,
                output_dir=scratch, caption_strategy="huggingface",
            )
        )  # fmt: skip
        for proxy in proxies:
            (reference,) = stated[f"{proxy}-targets"]["conditioning_data"]
            targets = DataSet(stated[f"{proxy}-targets"], accelerator, scratch)
            references = DataSet(stated[reference], accelerator, scratch)
            found[proxy] = {"sampler": read(targets, references)}
    return found


if __name__ == "__main__":
    print_what_is_read(read_export)
