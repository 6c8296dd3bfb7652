"""What several test files stand on: real data where there is some, and drawn samples."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_server
import pytest
from hypothesis import settings
from training_data import write_training_data

from sgt_data.plugins.registered import forget_plugins
from sgt_data.scenes.write_samples import write_samples

SAMPLE_IMAGES = 12

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # as in a job of a shell's background; commands that are started here must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that at the end no process waits for one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def plugins_end_with_a_test() -> Iterator[None]:
    """Plug-ins hold for a process, in which other tests run as well."""
    yield
    forget_plugins()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real samples in their original formats, named by `SGT_REAL_DATA`."""
    named = os.environ.get("SGT_REAL_DATA")
    if not named or not Path(named).is_dir():
        pytest.skip("SGT_REAL_DATA names no folder of real data")
    return Path(named)


@pytest.fixture(scope="session")
def sample_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures in SA-1B's and COCO's own forms: `sa1b/*.tar` and `coco/`."""
    root = tmp_path_factory.mktemp("sources") / "samples"
    write_samples(str(root), SAMPLE_IMAGES, seed=1, size=(320, 240), pictures_per_tar=6)
    return root


@pytest.fixture(scope="session")
def training_data(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Fields of `data` in a training configuration: a corpus, questions and captions."""
    return write_training_data(sample_sources, tmp_path_factory.mktemp("training"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_server.Hub]:
    """A small Hugging Face Hub in this process, which the client of the Hub talks to."""
    with hub_server.used(monkeypatch) as server:
        yield server
