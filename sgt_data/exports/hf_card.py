"""README.md of an export for Hugging Face: configurations, columns, licences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data.corpus.front_matter import card_yaml
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.picture_licences import read_licences
from sgt_data.corpus.readme import as_line
from sgt_data.exports.hf_rows import card_features

_TAGS = ("sgt_data", "image-generation", "semantic-generative-tuning")


@dataclass(frozen=True, slots=True)
class ExportedProxy:
    """What was exported of a proxy.

    Attributes:
        name: of the proxy.
        samples: number of its samples.
        nbytes: bytes of its files.
        rgb: whether its pictures are decoded as RGB.
    """

    name: str
    samples: int
    nbytes: int
    rgb: bool


def card(corpus: Corpus, proxies: Sequence[ExportedProxy]) -> str:
    """The card, as Markdown; the same export always has the same card.

    Args:
        corpus: that was exported.
        proxies: of it, in the order of the corpus.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    held = [proxy for proxy in proxies if proxy.samples]
    files = {proxy.name: f"{proxy.name}/*.parquet" for proxy in held}
    licences = read_licences(corpus, [proxy.name for proxy in held]).pictures
    lines = [
        card_yaml(corpus.header, files, [_info(proxy) for proxy in held], _TAGS),
        f"# {as_line(corpus.header.name)}\n",
        "Training targets for image generation: picture + instruction in, target picture out. "
        "Exported from a corpus of `sgt_data`.\n",
        "| column | what |",
        "|---|---|",
        "| `input` | the picture that is given |",
        "| `target` | the picture to generate, as the corpus stores it |",
        "| `instruction` | the text |",
        "| `key`, `source`, `licence` | of the picture |",
        "| `facts` | JSON text; `sgt_data.decode(target, facts)` takes the target back |",
        "",
        "| proxy | samples | bytes |",
        "|---|---|---|",
        *(f"| `{proxy.name}` | {proxy.samples:,} | {proxy.nbytes:,} |" for proxy in held),
        "",
        "Licences of the pictures, each picture counted once:\n",
        "| licence | pictures |",
        "|---|---|",
        *(f"| {as_line(name)} | {pictures:,} |" for name, pictures in licences.items()),
        "",
        "**The pictures are in these files, and not everyone may pass them on**: SA-1B's licence "
        "does not allow it, and every picture of COCO has a licence of its own. `sgt-data push` "
        "publishes the corpus without its pictures; who has them puts them back.",
        "",
    ]
    if held:
        lines += [
            "```python",
            f'rows = datasets.load_dataset("FOLDER", "{held[0].name}", split="train")',
            "```",
            "",
        ]
    return "\n".join(lines)


def _info(proxy: ExportedProxy) -> dict[str, Any]:
    return {
        "config_name": proxy.name,
        "features": card_features(proxy.rgb),
        "splits": [{"name": "train", "num_bytes": proxy.nbytes, "num_examples": proxy.samples}],
        "download_size": proxy.nbytes,
        "dataset_size": proxy.nbytes,
    }
