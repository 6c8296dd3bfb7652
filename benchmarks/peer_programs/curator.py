"""NeMo Curator: `FilePartitioningStage`, then a stage of our own that draws and writes.

Its readers and writers of pictures do not fit: `ImageReaderStage` reads pictures without their
annotations, by DALI, and `ImageWriterStage` writes JPEGs of quality 92 alone. Curator's checkpoints
need a Ray cluster that outlives the program; a rerun goes by the shards that are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from job import Job, write_shard
from nemo_curator.backends.ray_data import RayDataExecutor
from nemo_curator.pipeline import Pipeline
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.file_partitioning import FilePartitioningStage
from nemo_curator.stages.resources import Resources
from nemo_curator.tasks import FileGroupTask


@dataclass
class DrawStage(ProcessingStage[FileGroupTask, FileGroupTask]):  # type: ignore[misc]
    """Writes the shard of each tar, which gets its name when it is whole."""

    job: Job
    name: str = "draw"
    resources: Resources = field(default_factory=lambda: Resources(cpus=1.0))

    def inputs(self) -> tuple[list[str], list[str]]:
        return [], []

    def outputs(self) -> tuple[list[str], list[str]]:
        return [], []

    def process(self, task: FileGroupTask) -> FileGroupTask:
        shards = [str(write_shard(self.job, tar)) for tar in task.data]
        return FileGroupTask(dataset_name=task.dataset_name, data=shards, _metadata=task._metadata)


def main() -> None:
    job = Job.of_arguments()
    stages = [
        FilePartitioningStage(list(job.tars), files_per_partition=1, file_extensions=[".tar"]),
        DrawStage(job),
    ]
    Pipeline("benchmark", stages=stages).run(RayDataExecutor())


if __name__ == "__main__":
    main()
