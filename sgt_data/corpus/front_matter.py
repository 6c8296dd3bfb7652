"""The YAML at the beginning of a README.md that makes a corpus a dataset for Hugging Face
`datasets` and the viewer of its Hub: a configuration per folder, its columns, how many samples.

Without it `datasets` takes the index, the most frequent kind of file, for the samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sgt_data.corpus.columns import columns_of
from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT, every_tar

_TAGS = ("sgt_data", "webdataset", "image-generation", "semantic-generative-tuning")
_TASKS: Mapping[str, str] = {
    "segmentation": "image-segmentation",
    "depth": "depth-estimation",
    "metric_depth": "depth-estimation",
}
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
"""Numbers of pictures with the name that the Hub has for fewer."""


def front_matter(corpus: Corpus, header: CorpusHeader) -> str:
    """The YAML of a corpus, between two lines of `---`.

    Args:
        corpus: a complete corpus, or a subset of one.
        header: of what the README.md describes; it may lack folders of the corpus.

    Raises:
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
    """
    files = {folder: every_tar(folder) for folder in folders_with_samples(header)}
    return card_yaml(header, files, [_info(corpus, header, folder) for folder in files], _TAGS)


def card_yaml(
    header: CorpusHeader,
    files: Mapping[str, str],
    infos: Sequence[Mapping[str, Any]],
    tags: Sequence[str],
) -> str:
    """The YAML of a card, between two lines of `---`: a configuration for each of some folders.

    Args:
        header: of the corpus that the card describes.
        files: glob of a folder's files, relative to the card; the first folder is the default.
        infos: columns and counts of each folder, as `dataset_info` has them.
        tags: of the card.
    """
    types = {proxy["name"]: proxy.get("type") for proxy in header.manifest["proxies"]}
    tasks = {_TASKS[types[folder]]: None for folder in files if types.get(folder) in _TASKS}
    configs: list[dict[str, Any]] = [
        {"config_name": folder, "data_files": [{"split": "train", "path": path}]}
        for folder, path in files.items()
    ]
    for config in configs[:1]:
        config["default"] = True
    most = max((info["splits"][0]["num_examples"] for info in infos), default=0)
    fields = {
        "license": "other",
        "pretty_name": " ".join(header.name.split()),
        "task_categories": ["image-to-image", *tasks],
        "size_categories": [next((name for size, name in _SIZES if most < size), "1B<n<10B")],
        "tags": list(tags),
        "configs": configs,
        "dataset_info": list(infos),
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n"


def folders_with_samples(header: CorpusHeader) -> list[str]:
    """The folders that hold samples: proxies in the order of the manifest, then shared inputs."""
    proxies: Sequence[str] = [proxy["name"] for proxy in header.manifest["proxies"]]
    return [folder for folder in (*proxies, INPUT) if header.totals.get(folder, {}).get("samples")]


def _info(corpus: Corpus, header: CorpusHeader, folder: str) -> dict[str, Any]:
    samples, nbytes = header.totals[folder]["samples"], header.totals[folder]["bytes"]
    return {
        "config_name": folder,
        "features": columns_of(corpus, folder),
        "splits": [{"name": "train", "num_bytes": nbytes, "num_examples": samples}],
        "download_size": nbytes,
        "dataset_size": nbytes,
    }
