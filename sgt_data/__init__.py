"""The data engine of Semantic Generative Tuning: SA-1B and COCO in, WebDataset corpora of
generative proxy tasks out."""

from typing import TYPE_CHECKING, Any

from sgt_data.build.builder import BuildReport, build_corpus
from sgt_data.build.masks import AnnotationReport, annotate_pictures
from sgt_data.build.subset import SubsetReport, subset, subset_ladder
from sgt_data.corpus.reader import Corpus, StoredSample, open_corpus
from sgt_data.corpus.verify import verify_corpus
from sgt_data.decoding import decode
from sgt_data.manifest import Manifest, load_manifest
from sgt_data.publish.push import PushReport, push_corpus

if TYPE_CHECKING:
    from sgt_data.stream.stream import Stream

__all__ = [
    "AnnotationReport",
    "BuildReport",
    "Corpus",
    "Manifest",
    "PushReport",
    "StoredSample",
    "Stream",
    "SubsetReport",
    "annotate_pictures",
    "build_corpus",
    "decode",
    "load_manifest",
    "open_corpus",
    "push_corpus",
    "subset",
    "subset_ladder",
    "verify_corpus",
]


def __getattr__(name: str) -> Any:
    """`Stream` on demand: a torch dataset where torch is, which takes seconds to import."""
    if name == "Stream":
        from sgt_data.stream.stream import Stream

        return Stream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
