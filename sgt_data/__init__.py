"""The data engine of Semantic Generative Tuning: SA-1B and COCO in, WebDataset corpora of
generative proxy tasks out."""

from typing import TYPE_CHECKING, Any

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.engine.annotate_pictures import AnnotationReport, annotate_pictures
from sgt_data.engine.build import BuildReport, build_corpus
from sgt_data.manifest import Manifest, load_manifest
from sgt_data.proxies.decoding import decode
from sgt_data.publish.push import PushReport, push_corpus
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.subsets.opening import open_corpus
from sgt_data.subsets.subset import SubsetReport, subset, subset_ladder
from sgt_data.verify.corpus import verify_corpus

if TYPE_CHECKING:
    from sgt_data.stream.stream import Stream

__all__ = [
    "AnnotationReport",
    "BuildReport",
    "Corpus",
    "Manifest",
    "Ordering",
    "PushReport",
    "Reading",
    "Sample",
    "Stream",
    "SubsetReport",
    "Topology",
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
