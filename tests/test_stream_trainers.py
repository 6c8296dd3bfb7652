"""Lightning and Hugging Face's Trainer take the stream as it is, and resume it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from corpora import both_sources
from torch import nn
from torch.utils.data import DataLoader

import sgt_data
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.stream.batch import Batch
from sgt_data.stream.transforms import Pictures

provide_torchvision_operators()


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("trainers") / "corpus"
    assert sgt_data.build_corpus(
        both_sources(sample_sources, 5), str(place), cluster=sgt_data.IN_PROCESS
    ).succeeded
    return str(place)


def stream_of(corpus: str) -> sgt_data.Stream:
    return sgt_data.Stream(
        {corpus: ["entity", "panoptic"]}, mixture={"entity": 2, "panoptic": 1}, batch_size=6,
        transform=Pictures(),
    )  # fmt: skip


def collated(batch: Batch) -> dict[str, torch.Tensor]:
    """Mean colours of inputs and targets [B, 3], and what was seen."""
    return {
        "pixel_values": torch.stack(
            [one["input"].float().mean((1, 2)) for one in batch["samples"]]
        ),
        "labels": torch.stack([one["target"].float().mean((1, 2)) for one in batch["samples"]]),
        "step": torch.tensor(batch["step"]),
    }


def given(corpus: str, steps: int) -> list[torch.Tensor]:
    """What the stream itself gives."""
    stream = stream_of(corpus)
    return [collated(stream.batch(step))["pixel_values"] for step in range(steps)]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.seen: list[torch.Tensor] = []

    def forward(
        self, pixel_values: torch.Tensor, labels: torch.Tensor, step: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        self.seen.append(pixel_values.clone())
        found = self.layer(pixel_values / 255)
        return {"loss": (found - labels / 255).square().mean(), "logits": found}


# its warnings are classes of its own, which another process would have to import to show
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("workers", [0, 2])
def test_lightning_trains_on_it_and_resumes(corpus: str, tmp_path: Path, workers: int) -> None:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()

        def training_step(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return self.model(**batch)["loss"]

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    class Data(lightning.LightningDataModule):
        """A stream has a state of its own; Lightning saves it with the model."""

        def __init__(self) -> None:
            super().__init__()
            self.stream = stream_of(corpus)

        def train_dataloader(self) -> DataLoader[Any]:
            return DataLoader(
                self.stream, batch_size=None, num_workers=workers, collate_fn=collated
            )

        def state_dict(self) -> dict[str, Any]:
            state = self.stream.state_dict()
            return {**state, "step": self.trainer.global_step}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.stream.load_state_dict(state)

    def trained(steps: int, checkpoint: str | None) -> tuple[list[torch.Tensor], str]:
        trainer = lightning.Trainer(
            max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False,
            enable_model_summary=False, default_root_dir=tmp_path, enable_checkpointing=False,
        )  # fmt: skip
        module = Module()
        trainer.fit(module, datamodule=Data(), ckpt_path=checkpoint, weights_only=False)
        place = str(tmp_path / f"{steps}.ckpt")
        trainer.save_checkpoint(place)
        return module.model.seen, place

    first, checkpoint = trained(3, None)
    rest, _ = trained(5, checkpoint)
    expected = given(corpus, 5)
    assert all(map(torch.equal, first, expected[:3])) and len(first) == 3
    assert all(map(torch.equal, rest, expected[3:])) and len(rest) == 2


def test_hugging_faces_trainer_trains_on_it_and_resumes(corpus: str, tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    class StreamTrainer(Trainer):
        def get_train_dataloader(self) -> DataLoader[Any]:
            return DataLoader(self.train_dataset, batch_size=None, collate_fn=collated)

    def trained(steps: int, resume: bool) -> list[torch.Tensor]:
        model, stream = Model(), stream_of(corpus)
        if resume:  # one number is all there is to know
            stream.load_state_dict({**stream.state_dict(), "step": 3})
        arguments = TrainingArguments(
            output_dir=str(tmp_path), max_steps=steps, report_to=[], use_cpu=True,
            disable_tqdm=True, save_strategy="steps", save_steps=3, logging_strategy="no",
            ignore_data_skip=True,
        )  # fmt: skip
        trainer = StreamTrainer(model=model, args=arguments, train_dataset=stream)
        trainer.train(resume_from_checkpoint=resume)
        return model.seen

    first, rest, expected = trained(3, False), trained(5, True), given(corpus, 5)
    assert all(map(torch.equal, first, expected[:3])) and len(first) == 3
    assert all(map(torch.equal, rest, expected[3:])) and len(rest) == 2
