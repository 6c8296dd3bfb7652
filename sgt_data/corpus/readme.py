"""README.md of a corpus: says what the folder is, to people and to Hugging Face `datasets`.

A build writes it last. It follows from the corpus alone, and a README.md of a person's own is kept.
"""

from __future__ import annotations

from sgt_data.corpus.front_matter import folders_with_samples, front_matter
from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT, README_FILE
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.errors import FileMissing
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.files.writing import write_atomic

_MARKER = "<!-- Written by sgt-data"
MARKER = f"{_MARKER}, which writes it anew; without this line it is kept. -->"
"""A line of every README.md that this package writes; one that lacks it was written by a person."""

_SIGNS = "\\`*_[]<>|#"


def is_ours(readme: bytes) -> bool:
    """Whether a README.md was written by this package, and not by a person."""
    return _MARKER.encode() in readme


def write_readme(corpus: Corpus) -> None:
    """Write the README.md of a complete corpus, unless a person has written one.

    Raises:
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
        StorageError: it cannot be written.
    """
    place = below(corpus.url, README_FILE)
    text = readme_text(corpus).encode()
    try:
        present = read_bytes(place)
    except FileMissing:
        present = None
    if present != text and (present is None or is_ours(present)):
        write_atomic(place, text)


def readme_text(corpus: Corpus) -> str:
    """The README.md of a complete corpus, as Markdown."""
    header = corpus.header
    folders = folders_with_samples(header)
    rows = [f"| `{folder}` | {header.totals[folder]['samples']:,} |" for folder in folders]
    return "\n".join(
        (
            f"{front_matter(corpus, header)}\n{MARKER}\n",
            f"# {as_line(header.name)}\n",
            f"{described(header, INPUT in folders)}\n",
            "| folder | samples |",
            "|---|---|",
            *rows,
            "",
            "```python",
            'corpus = sgt_data.open_corpus("FOLDER")  # this folder, wherever it lies',
            *(
                f'rows = datasets.load_dataset("FOLDER", "{folder}", split="train")'
                for folder in folders[:1]
            ),
            "```\n",
            "`sgt-data push` publishes a corpus with a card of its own.",
            "",
        )
    )


def described(header: CorpusHeader, shared_inputs: bool) -> str:
    """What a sample of a corpus is made of, as a paragraph of Markdown.

    Args:
        header: of the corpus, which may lack folders whose pictures were not passed on.
        shared_inputs: whether pictures lie once below `input/`.
    """
    picture = "" if INPUT in header.left_out else "`KEY.input.jpg`, "
    once = (
        " Pictures lie once below `input/`, a configuration of its own; samples of proxies that "
        "condition on the clean picture have none, and are joined with it by `__key__`."
    )
    return (
        "Training targets for image generation: picture + instruction in, target picture out. A "
        f"corpus of `sgt_data`, as WebDataset tars: {picture}`KEY.target.png` (or `.jpg`), "
        "`KEY.txt` (the instruction), `KEY.json` (all it takes to decode the target)."
        f"{once if shared_inputs else ''}{_reverses(header)}"
    )


def _reverses(header: CorpusHeader) -> str:
    """Where the pictures of reversed proxies are; empty where there are none."""
    bases = bases_of(header.manifest)
    if not bases:
        return ""
    pairs = ", ".join(f"`{proxy}` of `{base}`" for proxy, base in bases.items())
    return (
        f" Some proxies are the reverse of another ({pairs}): their tars hold `KEY.txt` and "
        "`KEY.json` alone. Their input is the target of that proxy, and their target its input; "
        "the shards have the same names, and samples are joined by `__key__`."
    )


def as_line(text: object) -> str:
    """Text on one line of Markdown, in which none of its signs has a meaning."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in plain)


def as_code(text: object) -> str:
    """Text as code within a line of Markdown."""
    plain = " ".join(str(text).split()).replace("`", "'")
    return f"`{plain}`"
