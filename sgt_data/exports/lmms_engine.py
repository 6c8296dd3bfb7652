"""The export for lmms-engine's training of BAGEL: files of pictures, and conversations in Parquet.

OUTPUT/
  <proxy>/input/<key>.jpg       what the user shows
  <proxy>/target/<key>.png      what the assistant draws
  <proxy>.parquet               a row per sample: messages (JSON), key, facts (JSON)
  lmms-engine.yaml              the data sets of its configuration

Its `bagel_iterable` opens pictures by their paths alone, so the Parquet files of `bagel-edit`,
which hold them, are not for it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from sgt_data.corpus.sample import Sample
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.listed_paths import check_paths, listed_path
from sgt_data.exports.picture_limits import LOADERS_CLIP, is_16_bit_png, resizing_note
from sgt_data.exports.same_files import pair_names, same_files

SCHEMA = pa.schema([("messages", pa.string()), ("key", pa.string()), ("facts", pa.string())])

_GROUP_SAMPLES = 1000


class LmmsEngine(ExportFormat):
    """Conversations in which the assistant draws."""

    name = "lmms-engine"
    trainers = "lmms-engine (BAGEL)"
    takes = frozenset({"relative_to"})
    local_only = True

    def check(self, export: Export) -> None:
        check_paths(export)
        if note := resizing_note(export.corpus.header.manifest, min_side=512):
            export.report.note(note)

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        group: list[dict[str, str]] = []
        with (
            closing(export.samples(proxy)) as samples,
            export.files.open(f"{proxy}.parquet") as out,
            pq.ParquetWriter(
                pa.PythonFile(out, "w"), SCHEMA, use_dictionary=False, store_schema=False
            ) as rows,
        ):
            for sample in samples:
                _put_pictures(export, sample)
                group.append(_row(sample))
                if len(group) == _GROUP_SAMPLES:
                    rows.write_table(pa.Table.from_pylist(group, SCHEMA))
                    group.clear()
                yield 1
            if group:
                rows.write_table(pa.Table.from_pylist(group, SCHEMA))

    def finish(self, export: Export) -> dict[str, str]:
        folder = listed_path(export.root, export.options)
        datasets = [
            {"path": f"{folder}/{proxy}.parquet", "data_folder": folder, "data_type": "parquet"}
            for proxy, count in export.report.samples.items()
            if count
        ]
        path = listed_path(export.files.place("lmms-engine.yaml"), export.options)
        head = (
            "# For lmms-engine: in `dataset_config` of a configuration for BAGEL (dataset_type:\n"
            "# bagel_iterable, processor_type: bagel), two lines in place of `datasets`:\n"
            f"#     dataset_format: yaml\n#     dataset_path: {path}\n"
        )
        return {"lmms-engine.yaml": head + yaml.safe_dump({"datasets": datasets}, sort_keys=False)}


def _names(sample: Sample) -> tuple[str, str]:
    """Paths of a sample's input and target, below the export's folder."""
    shown, drawn = pair_names(sample.key, sample.extension, sample.input_extension)
    return f"{sample.proxy}/{shown}", f"{sample.proxy}/{drawn}"


def _row(sample: Sample) -> dict[str, str]:
    picture, target = ({"type": "image_url", "image_url": {"url": path}} for path in _names(sample))
    messages = [
        {"role": "user", "content": [picture, {"type": "text", "text": sample.instruction}]},
        {"role": "assistant", "content": [target]},
    ]
    return {
        "messages": orjson.dumps(messages).decode(),
        "key": sample.key,
        "facts": sample.facts_json.decode(),
    }


def _put_pictures(export: Export, sample: Sample) -> None:
    """Write both pictures, or links to files of the same bytes."""
    shown, drawn = _names(sample)
    of_input, of_target = same_files(export, sample, pair_names)
    export.files.put(shown, sample.input, of_input)
    export.files.put(drawn, sample.target, of_target)
    if is_16_bit_png(sample.target) or is_16_bit_png(sample.input):
        export.report.note(f"{sample.proxy}: {LOADERS_CLIP}")
