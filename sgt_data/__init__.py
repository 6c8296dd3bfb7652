"""The data engine of Semantic Generative Tuning: SA-1B and COCO in, streamable corpora out.

This file is the public API: a function behind every verb of the command line, what it takes and
returns, and the errors it raises. A name is imported when it is first used.

Words:
    source: where pictures and annotations come from. slice: the part of a source that one task
        reads, a tar or a run of pictures. layer: what is known of a picture (masks, depth).
    proxy: a generative task. sample: one picture in one proxy: input, target, instruction, facts.
    shard: one tar of samples; the unit of work, of retry and of commit. receipt: the file that
        commits a shard. quarantine: the ledger of inputs that became no sample, with reasons.
    corpus: what a manifest builds. subset: a fraction of it. stream: what a trainer reads.

Rooms, from the lowest: files, pictures, segmentation, degradations, referring, prompts; scenes,
sources, annotators, proxies; corpus; engine; subsets; verify, preview, stream, questions, publish;
files beside this one are known to all: bounded_json, checks, errors, extras, facts, names,
notebook_html, overrides, plugins, progress, progress with its display, records, result, seeds,
shipped_manifests, suggestions and compiled (numba); `manifest` says what to build.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sgt_data.corpus.opened_corpus import Corpus
    from sgt_data.corpus.sample import Sample
    from sgt_data.doctor.check import Examination
    from sgt_data.doctor.examine import examine
    from sgt_data.engine.annotate_pictures import AnnotationReport, annotate_pictures
    from sgt_data.engine.build import build_corpus
    from sgt_data.engine.build_report import BuildReport
    from sgt_data.engine.cluster import IN_PROCESS, Cluster
    from sgt_data.engine.forecast import Forecast, forecast
    from sgt_data.engine.listing import list_inputs
    from sgt_data.errors import (
        AnnotationError,
        AnnotatorError,
        BuildError,
        CorpusError,
        CorpusMismatch,
        FileMissing,
        FilteredOut,
        InputError,
        ManifestError,
        OwnCodeError,
        PictureError,
        PluginError,
        RequestError,
        SgtDataError,
        SourceError,
        StorageError,
        StreamError,
    )
    from sgt_data.experiment.experiment_report import ExperimentReport
    from sgt_data.experiment.plan.experiment_plan import Plan
    from sgt_data.experiment.plan.load_plan import load_plan
    from sgt_data.experiment.run_experiment import run_experiment
    from sgt_data.exports.export import export_corpus
    from sgt_data.exports.export_options import ExportOptions
    from sgt_data.exports.export_report import ExportReport
    from sgt_data.files.storage_options import use_storage_options
    from sgt_data.manifest.manifest import Manifest, load_manifest, parse_manifest
    from sgt_data.plugins.registered import use_plugins
    from sgt_data.preview.contact_sheet import contact_sheet
    from sgt_data.progress import Progress
    from sgt_data.proxies.decoding import decode
    from sgt_data.publish.join import join_pictures
    from sgt_data.publish.join_report import JoinReport
    from sgt_data.publish.push import PushReport, push_corpus
    from sgt_data.questions.caption_plan import CaptionPlan
    from sgt_data.questions.question_plan import QuestionPlan
    from sgt_data.questions.write_captions import CaptionsReport, write_captions
    from sgt_data.questions.write_questions import QuestionsReport, write_questions
    from sgt_data.reference.example_picture import example_picture
    from sgt_data.reference.json_schemas import manifest_schema, plan_schema, train_schema
    from sgt_data.reference.kinds import (
        KindFacts,
        describe_annotator,
        describe_proxy,
        describe_source,
        list_kinds,
    )
    from sgt_data.reference.palette_facts import (
        PaletteFacts,
        describe_palette,
        list_palettes,
    )
    from sgt_data.result import Failure, Result
    from sgt_data.scenes.write_samples import SampleSummary, write_samples
    from sgt_data.scoring.intervals import Estimate
    from sgt_data.scoring.proxy_score import PictureScore, ProxyScore
    from sgt_data.scoring.score_drawings import score
    from sgt_data.scoring.score_result import Score
    from sgt_data.shipped_manifests import copy_manifest, shipped_manifests
    from sgt_data.stream.options import Ordering, Reading, Topology
    from sgt_data.stream.stream import Stream
    from sgt_data.subsets.open_corpus import open_corpus
    from sgt_data.subsets.rule import SubsetRule
    from sgt_data.subsets.subset import subset
    from sgt_data.subsets.subset_report import SubsetReport
    from sgt_data.training.config import TrainConfig, load_config
    from sgt_data.training.train import Trained, train
    from sgt_data.verify.check_corpus import verify_corpus
    from sgt_data.verify.findings import Verdict
    from sgt_data.view.report_file import CorpusReport, write_report
    from sgt_data.view.serve import Viewer, serve_corpus

_MODULES = {
    "corpus.opened_corpus": ("Corpus",),
    "corpus.sample": ("Sample",),
    "doctor.examine": ("examine",),
    "doctor.check": ("Examination",),
    "engine.annotate_pictures": (
        "AnnotationReport",
        "annotate_pictures",
    ),
    "engine.build": ("build_corpus",),
    "engine.build_report": ("BuildReport",),
    "engine.cluster": (
        "Cluster",
        "IN_PROCESS",
    ),
    "engine.forecast": (
        "Forecast",
        "forecast",
    ),
    "engine.listing": ("list_inputs",),
    "errors": (
        "AnnotationError",
        "AnnotatorError",
        "BuildError",
        "CorpusError",
        "CorpusMismatch",
        "FileMissing",
        "FilteredOut",
        "InputError",
        "ManifestError",
        "OwnCodeError",
        "PictureError",
        "PluginError",
        "RequestError",
        "SgtDataError",
        "SourceError",
        "StorageError",
        "StreamError",
    ),
    "experiment.experiment_report": ("ExperimentReport",),
    "experiment.plan.experiment_plan": ("Plan",),
    "experiment.plan.load_plan": ("load_plan",),
    "experiment.run_experiment": ("run_experiment",),
    "files.storage_options": ("use_storage_options",),
    "manifest.manifest": (
        "Manifest",
        "load_manifest",
        "parse_manifest",
    ),
    "plugins.registered": ("use_plugins",),
    "preview.contact_sheet": ("contact_sheet",),
    "progress": ("Progress",),
    "proxies.decoding": ("decode",),
    "publish.join": ("join_pictures",),
    "publish.join_report": ("JoinReport",),
    "publish.push": (
        "PushReport",
        "push_corpus",
    ),
    "questions.caption_plan": ("CaptionPlan",),
    "questions.question_plan": ("QuestionPlan",),
    "questions.write_captions": (
        "CaptionsReport",
        "write_captions",
    ),
    "questions.write_questions": (
        "QuestionsReport",
        "write_questions",
    ),
    "reference.example_picture": ("example_picture",),
    "reference.json_schemas": (
        "manifest_schema",
        "plan_schema",
        "train_schema",
    ),
    "reference.kinds": (
        "KindFacts",
        "describe_annotator",
        "describe_proxy",
        "describe_source",
        "list_kinds",
    ),
    "reference.palette_facts": (
        "PaletteFacts",
        "describe_palette",
        "list_palettes",
    ),
    "result": (
        "Failure",
        "Result",
    ),
    "scenes.write_samples": (
        "SampleSummary",
        "write_samples",
    ),
    "scoring.intervals": ("Estimate",),
    "scoring.proxy_score": (
        "PictureScore",
        "ProxyScore",
    ),
    "scoring.score_drawings": ("score",),
    "scoring.score_result": ("Score",),
    "shipped_manifests": (
        "copy_manifest",
        "shipped_manifests",
    ),
    "stream.options": (
        "Ordering",
        "Reading",
        "Topology",
    ),
    "stream.stream": ("Stream",),
    "subsets.open_corpus": ("open_corpus",),
    "subsets.rule": ("SubsetRule",),
    "subsets.subset": ("subset",),
    "subsets.subset_report": ("SubsetReport",),
    "exports.export": ("export_corpus",),
    "exports.export_options": ("ExportOptions",),
    "exports.export_report": ("ExportReport",),
    "training.config": (
        "TrainConfig",
        "load_config",
    ),
    "training.train": (
        "Trained",
        "train",
    ),
    "verify.check_corpus": ("verify_corpus",),
    "verify.findings": ("Verdict",),
    "view.report_file": (
        "CorpusReport",
        "write_report",
    ),
    "view.serve": (
        "Viewer",
        "serve_corpus",
    ),
}
"""By module, the public names that it has."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "IN_PROCESS",
    "AnnotationError",
    "AnnotationReport",
    "AnnotatorError",
    "BuildError",
    "BuildReport",
    "CaptionPlan",
    "CaptionsReport",
    "Cluster",
    "Corpus",
    "CorpusError",
    "CorpusMismatch",
    "CorpusReport",
    "Estimate",
    "Examination",
    "ExperimentReport",
    "ExportOptions",
    "ExportReport",
    "Failure",
    "FileMissing",
    "FilteredOut",
    "Forecast",
    "InputError",
    "JoinReport",
    "KindFacts",
    "Manifest",
    "ManifestError",
    "Ordering",
    "OwnCodeError",
    "PaletteFacts",
    "PictureError",
    "PictureScore",
    "Plan",
    "PluginError",
    "Progress",
    "ProxyScore",
    "PushReport",
    "QuestionPlan",
    "QuestionsReport",
    "Reading",
    "RequestError",
    "Result",
    "Sample",
    "SampleSummary",
    "Score",
    "SgtDataError",
    "SourceError",
    "StorageError",
    "Stream",
    "StreamError",
    "SubsetReport",
    "SubsetRule",
    "Topology",
    "TrainConfig",
    "Trained",
    "Verdict",
    "Viewer",
    "annotate_pictures",
    "build_corpus",
    "contact_sheet",
    "copy_manifest",
    "decode",
    "describe_annotator",
    "describe_palette",
    "describe_proxy",
    "describe_source",
    "examine",
    "example_picture",
    "export_corpus",
    "forecast",
    "join_pictures",
    "list_inputs",
    "list_kinds",
    "list_palettes",
    "load_config",
    "load_manifest",
    "load_plan",
    "manifest_schema",
    "open_corpus",
    "parse_manifest",
    "plan_schema",
    "push_corpus",
    "run_experiment",
    "score",
    "serve_corpus",
    "shipped_manifests",
    "subset",
    "train",
    "train_schema",
    "use_plugins",
    "use_storage_options",
    "verify_corpus",
    "write_captions",
    "write_questions",
    "write_report",
    "write_samples",
]

if find_spec("torch") is None:  # `import *` and `help` read every name of the list
    for _name in ("Trained", "run_experiment", "train"):
        __all__.remove(_name)


def __getattr__(name: str) -> Any:
    """A public name, from its module.

    Raises:
        LibraryMissing: the name needs a library that an extra brings.
    """
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    except ImportError as why:
        from sgt_data.extras import library_missing

        if (missing := library_missing(why)) is None:
            raise
        raise missing from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
