"""The data engine of Semantic Generative Tuning: SA-1B and COCO in, WebDataset corpora of
generative proxy tasks out."""

from sgt_data.build.builder import BuildReport, build_corpus
from sgt_data.build.masks import AnnotationReport, annotate_pictures
from sgt_data.corpus.reader import Corpus, StoredSample, open_corpus
from sgt_data.corpus.verify import verify_corpus
from sgt_data.decoding import decode
from sgt_data.manifest import Manifest, load_manifest

__all__ = [
    "AnnotationReport",
    "BuildReport",
    "Corpus",
    "Manifest",
    "StoredSample",
    "annotate_pictures",
    "build_corpus",
    "decode",
    "load_manifest",
    "open_corpus",
    "verify_corpus",
]
