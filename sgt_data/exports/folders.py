"""The export that trainers of image-editing models read: folders of pictures, and every list beside
them.

OUTPUT/
  <proxy>/input/<key>.jpg           what the model is shown
  <proxy>/target/<key>.png          what it must draw
  <proxy>/target/<key>.txt          the instruction
  <proxy>/metadata.jsonl, README.md    for diffusers, SimpleTuner, and whatever else reads folders
                                    by Hugging Face's `datasets`
  <proxy>/diffsynth.csv             for DiffSynth-Studio
  <proxy>/musubi.jsonl              for musubi-tuner
  <proxy>/facts.jsonl               the JSON of each sample: decodes its target
  arguments.txt, musubi.toml, ai_toolkit.yaml, simpletuner.json      configurations

Extensions name the real formats. Lists hold paths relative to their own folder where the trainer
allows it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, closing

import orjson

from sgt_data.corpus.sample import Sample
from sgt_data.errors import RequestError
from sgt_data.exports import folder_configs
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.folder_configs import CAPTION, INPUT, TARGET, ProxyFolder
from sgt_data.exports.listed_paths import check_paths, listed_path
from sgt_data.exports.picture_limits import LOADERS_CLIP, is_16_bit_png
from sgt_data.exports.same_files import pair_names, same_files
from sgt_data.exports.trainer_sizes import (
    Size,
    Sizes,
    not_square,
    off_multiple,
    outside_buckets,
    simpletuner_resizes,
)
from sgt_data.files.urls import is_local

LISTS = ("metadata.jsonl", "diffsynth.csv", "musubi.jsonl", "facts.jsonl")
"""The lists of a proxy, a row per sample each, in the order of the corpus."""


class Folders(ExportFormat):
    """Folders and lists of trainers of image-editing models."""

    name = "folders"
    trainers = "diffusers, DiffSynth-Studio, musubi-tuner, ai-toolkit, SimpleTuner"
    takes = frozenset({"relative_to"})

    def __init__(self) -> None:
        self._folders: list[ProxyFolder] = []

    def check(self, export: Export) -> None:
        if is_local(export.root):
            check_paths(export)
        elif export.options.relative_to is not None:
            raise RequestError(
                f"relative_to is {export.options.relative_to}, and output is {export.root}: paths "
                "in an export at a URL are relative to the export; leave relative_to out"
            )

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        sizes: Counter[Size] = Counter()
        extensions: set[str] = set()
        place = _place(export, proxy)
        with ExitStack() as opened:
            lists = [opened.enter_context(export.files.open(f"{proxy}/{name}")) for name in LISTS]
            lists[1].write(_csv_line("image", "prompt", "edit_image", "kontext_images"))
            for sample in opened.enter_context(closing(export.samples(proxy))):
                picture, target = _put_files(export, sample)
                for file, row in zip(lists, _rows(sample, place, picture, target), strict=True):
                    file.write(row)
                sizes[sample.facts["size"]["width"], sample.facts["size"]["height"]] += 1
                extensions |= {f"input/*.{sample.input_extension}", f"target/*.{sample.extension}"}
                yield 1
        folder = ProxyFolder(proxy, place, sizes, tuple(sorted(extensions)))
        export.files.write(f"{proxy}/README.md", folder_configs.card(folder).encode())
        self._folders.append(folder)

    def finish(self, export: Export) -> dict[str, str]:
        folders = [folder for folder in self._folders if folder.sizes]
        _note_resizing(export, sum((Counter(folder.sizes) for folder in folders), Counter()))
        if not is_local(export.root):
            export.report.note(
                "paths in the configurations are relative to the export's folder: copy it to a "
                "local disk, and start the trainer in it"
            )
        return folder_configs.configs(folders)


def _place(export: Export, proxy: str) -> str:
    """The folder of a proxy, as configurations name it."""
    if not is_local(export.root):
        return proxy
    return listed_path(f"{export.root}/{proxy}", export.options)


def _put_files(export: Export, sample: Sample) -> tuple[str, str]:
    """Write the pictures and the instruction of a sample; returns the paths of the pictures."""
    files, proxy = export.files, sample.proxy
    picture, target = pair_names(sample.key, sample.extension, sample.input_extension)
    of_input, of_target = same_files(export, sample, pair_names)
    files.put(f"{proxy}/{picture}", sample.input, of_input)
    files.put(f"{proxy}/{target}", sample.target, of_target)
    files.put(f"{proxy}/target/{sample.key}.txt", sample.instruction.encode())
    if is_16_bit_png(sample.target) or is_16_bit_png(sample.input):
        export.report.note(f"{proxy}: {LOADERS_CLIP}")
    return picture, target


def _rows(sample: Sample, place: str, picture: str, target: str) -> tuple[bytes, ...]:
    """The rows of a sample in `LISTS`."""
    text = sample.instruction
    columns = {f"{INPUT}_file_name": picture, CAPTION: text, f"{TARGET}_file_name": target}
    paths = {"image_path": f"{place}/{target}", "control_path": f"{place}/{picture}"}
    return (
        orjson.dumps(columns) + b"\n",
        _csv_line(target, text, picture, picture),
        orjson.dumps({**paths, "caption": text}) + b"\n",
        orjson.dumps(dict(sample.facts)) + b"\n",
    )


def _csv_line(*fields: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue().encode()


def _note_resizing(export: Export, sizes: Sizes) -> None:
    """Note which trainers resize how many of the pictures, whatever is configured."""
    resized = {
        "instruct-pix2pix": not_square(sizes),
        "SimpleTuner": simpletuner_resizes(sizes),
        "diffusers' Kontext script": outside_buckets(sizes),
        "DiffSynth-Studio, musubi-tuner and ai-toolkit": off_multiple(sizes),
    }
    counts = ", ".join(f"{trainer} {count:,}" for trainer, count in resized.items() if count)
    if counts:
        export.report.note(
            f"of {sum(sizes.values()):,} samples these trainers resize: {counts}; resizing blends "
            "the colours of targets. pictures: {min_side: 512, max_side: 512, multiple_of: 512} in "
            "the manifest makes squares that all of them keep"
        )
