"""The export for trainers that read BAGEL's editing data: Parquet files of picture pairs.

OUTPUT/
  <proxy>/00000.parquet ...   the samples: columns in `edit_parquet`, sizes in `row_groups`
  parquet_info.json           row groups of each file
  dataset_info.json           entries of DATASET_INFO
  bagel-edit.yaml             the group of a data configuration, and the lines to change
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

import yaml

from sgt_data.errors import RequestError
from sgt_data.exports.bagel_questions import (
    DRAWINGS_PER_QUESTION,
    QUESTIONS_GROUP,
    QUESTIONS_SET,
    questions_entry,
    questions_stanza,
)
from sgt_data.exports.bagel_shares import note_shares
from sgt_data.exports.edit_files import WRITERS, EditFiles, file_path
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.listed_paths import check_paths, listed_path
from sgt_data.exports.picture_limits import LOADERS_CLIP, resizing_note
from sgt_data.exports.questions_folder import QuestionsFolder, open_questions
from sgt_data.exports.row_groups import PlannedFile, planned_files
from sgt_data.exports.stored_sizes import sizes_of_proxy
from sgt_data.files.read_ahead import read_ahead
from sgt_data.files.urls import is_local
from sgt_data.value_text import counted

GROUP = "unified_edit"
"""BAGEL's and NeMo Automodel's name for editing data in their registries."""

DEFAULT_RANKS, DEFAULT_WORKERS = 8, 4
"""A node of eight GPUs, and the workers that BAGEL's training has by default."""

NEEDS_ANSWERS = (
    "BAGEL's own training stops at the first sequence without an answer in words: export with "
    "--questions DIR, or put a mandatory group vlm_sft of your own beside this one"
)

PARQUET_INFO, DATASET_INFO, GROUPS = "parquet_info.json", "dataset_info.json", "bagel-edit.yaml"


class BagelEdit(ExportFormat):
    """Parquet files of edits, and BAGEL's configuration of them."""

    name = "bagel-edit"
    trainers = "BAGEL as published, NVIDIA NeMo Automodel"
    takes = frozenset({"ranks", "workers", "relative_to", "questions"})

    _questions: QuestionsFolder | None = None

    def __init__(self) -> None:
        self._files: dict[str, list[PlannedFile]] = {}

    def identity(self, options: ExportOptions) -> dict[str, Any]:
        ranks, workers = _topology(options)
        return {"ranks": ranks, "workers": workers}

    def check(self, export: Export) -> None:
        if export.options.questions is not None:
            self._questions = open_questions(export.options.questions)
        else:
            export.report.note(NEEDS_ANSWERS)
        if is_local(export.root):
            check_paths(export)
        elif self._questions is not None:
            raise RequestError(
                f"questions: they lie on this machine, and the export goes to {export.root}, where "
                "trainers do not find them; export to a local folder"
            )
        else:
            export.report.note(
                "the trainers read local folders: download the export, and start the training in "
                "its folder, to which the paths in its files are relative"
            )
        if note := resizing_note(export.corpus.header.manifest, min_side=512):
            export.report.note(note)
        for proxy in export.proxies:
            self._note_few(export, proxy)

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        ranks, workers = _topology(export.options)
        files = planned_files(sizes_of_proxy(export.corpus, proxy), ranks * workers)
        self._files[proxy] = files
        writer = EditFiles(export, proxy)
        with closing(read_ahead(writer.written, enumerate(files), WRITERS)) as all_written:
            for written in all_written:
                export.report.kept += written.is_kept
                export.report.written += not written.is_kept
                export.report.nbytes += written.nbytes
                if written.has_16_bits:
                    export.report.note(f"{proxy}: {LOADERS_CLIP}")
                yield written.samples

    def finish(self, export: Export) -> dict[str, str]:
        written = {proxy: files for proxy, files in self._files.items() if files}
        parquet_info = {
            _stated(export, file_path(proxy, number)): {
                "num_row_groups": len(planned.groups),
                "num_rows": planned.samples,
            }
            for proxy, files in written.items()
            for number, planned in enumerate(files)
        }
        entries = {
            f"sgt_{proxy}": {
                "data_dir": _stated(export, proxy),
                "num_files": len(files),
                "num_total_samples": export.report.samples[proxy],
                "parquet_info_path": _stated(export, PARQUET_INFO),
            }
            for proxy, files in written.items()
        }
        groups, info = _group(written), {GROUP: entries}
        self._with_questions(groups, info, export)
        return {
            PARQUET_INFO: json.dumps(parquet_info, indent=1) + "\n",
            DATASET_INFO: json.dumps(info, indent=1) + "\n",
            GROUPS: _head(export, written) + yaml.safe_dump(groups, sort_keys=False),
        }

    def _with_questions(self, groups: dict[str, Any], info: dict[str, Any], export: Export) -> None:
        """Add the questions to the groups and to the entries of `DATASET_INFO`."""
        if self._questions is None:
            return
        note_shares(export, {QUESTIONS_GROUP: self._questions.count}, *_topology(export.options))
        info[QUESTIONS_GROUP] = {QUESTIONS_SET: questions_entry(self._questions, export.options)}
        stanza = questions_stanza(self._questions, 1 / DRAWINGS_PER_QUESTION)
        groups[QUESTIONS_GROUP] = stanza | {"is_mandatory": True}

    def _note_few(self, export: Export, proxy: str) -> None:
        """Say where ranks and workers are more than the samples of a proxy."""
        ranks, workers = _topology(export.options)
        samples = sum(export.corpus.samples_per_shard(proxy))
        if 0 < samples < ranks * workers:
            export.report.note(
                f"{proxy} has {counted(samples, 'sample')}, fewer than {ranks} ranks x {workers} "
                f"workers = {ranks * workers}: alone it leaves workers without a row group, and "
                "BAGEL's loader waits for ever; train with fewer, and state them with --ranks and "
                "--workers"
            )


def _topology(options: ExportOptions) -> tuple[int, int]:
    """Ranks, and workers of each."""
    return options.ranks or DEFAULT_RANKS, options.workers or DEFAULT_WORKERS


def _stated(export: Export, path: str) -> str:
    """A path as the trainers' files state it: of a download, where the export is not local."""
    if not is_local(export.root):
        return path
    return listed_path(export.files.place(path), export.options)


def _group(written: dict[str, list[PlannedFile]]) -> dict[str, Any]:
    """The group of BAGEL's data configuration."""
    stanza = {
        "dataset_names": [f"sgt_{proxy}" for proxy in written],
        "image_transform_args": {
            "image_stride": 16,
            "max_image_size": 1024,
            "min_image_size": 512,
        },
        "vit_image_transform_args": {
            "image_stride": 14,
            "max_image_size": 518,
            "min_image_size": 224,
        },
        "is_mandatory": True,
        "num_used_data": [len(files) for files in written.values()],
        "weight": 1.0,
    }
    return {GROUP: stanza} if written else {}


def _head(export: Export, written: dict[str, list[PlannedFile]]) -> str:
    """What a person changes, as comments of the configuration."""
    ranks, workers = _topology(export.options)
    info, groups = _stated(export, DATASET_INFO), _stated(export, GROUPS)
    lines = [
        "BAGEL as published: one line at the end of data/dataset_info.py,",
        f"    import json; [DATASET_INFO[name].update(sets) for name, sets in "
        f"json.load(open({info!r})).items()]",
        "and this file for the training:",
        f"    --dataset_config_file {groups}",
        "NeMo Automodel: two lines of the recipe, below `dataset:`, before `dataset_info:`,",
        f"    dataset_info_path: {info}",
        f"    grouped_datasets_path: {groups}",
        f"Row groups are made for {ranks} ranks x {workers} workers:",
        *(
            f"    sgt_{proxy}: {counted(groups, 'row group')}, {counted(len(files), 'file')}"
            for proxy, files in written.items()
            for groups in [sum(len(planned.groups) for planned in files)]
        ),
        f"num_used_data of {GROUP} counts files: twice the number gives a data set twice as often.",
        *(() if export.options.questions else (NEEDS_ANSWERS,)),
    ]
    if export.options.relative_to is not None:
        lines.append(f"Paths are relative: start the training in {export.options.relative_to}.")
    return "".join(f"# {line}\n" for line in lines)
