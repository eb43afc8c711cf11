"""What every test shares: shape checks at run time, and the real clips."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from checked import install as install_checks

# Before anything imports torch: waiting for a second thread costs more than the tests' small tensors.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Must run before anything imports vidnas: from here on every type and shape is checked at each call.
install_checks()

pytest_plugins = ["ctrl_c", "made_runs", "own_primitives", "quick"]


class Clock:
    """The time in seconds that `time.perf_counter` tells."""

    def __init__(self) -> None:
        self.now_sec = 0.0

    def sleep(self, sec: float) -> None:
        self.now_sec += sec


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that goes only when told."""
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now_sec)
    return clock


@pytest.fixture(autouse=True, scope="session")
def idle_machine() -> Iterator[None]:
    """What is said does not depend on what else the machine does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidnas.training.cores.Others.busy_cores", lambda _others: 0.0)
        yield


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """no_kernels(): from here on everything is computed as where there is no compiler."""
    return lambda: monkeypatch.setattr("vidnas.nn.native.library._library", lambda _real: None)


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """set_threads(number): of PyTorch and of the kernels, until the end of the test."""
    import torch

    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("VIDNAS_TEST_DATA"):
        skip = pytest.mark.skip(reason="VIDNAS_TEST_DATA does not name a folder of real clips")
        for item in items:
            if item.get_closest_marker("dataset"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real clips: ucf101_5, weizmann_4 and the official split lists."""
    return Path(os.environ["VIDNAS_TEST_DATA"])


@pytest.fixture(scope="session")
def tiny_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in clips, but few and short: 3 groups of 2 training clips a class, 1 of 2 test clips."""
    from vidnas.video.make.synthetic import Plan, write_clips

    folder = tmp_path_factory.mktemp("data") / "tiny videos"
    write_clips(folder, Plan(groups_per_class=4, clips_per_group=2, test_groups=1, num_frames=8, size_px=24))
    return folder


@pytest.fixture
def shown() -> Iterator[None]:
    """Shows what is told, as the command line does."""
    from vidnas import console

    with console.printed():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Let a report of a test hold file names that are not UTF-8: pytest-xdist cannot send them."""
    return _storable((yield))


def _storable(value: object) -> object:
    from vidnas.errors import storable

    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_storable(each) for each in value)
    return storable(value) if isinstance(value, str) else value


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let no file of this process grow beyond 50 kB in a test marked `full_disk`, as a full disk would.

    In the test alone: what pytest itself writes of it may go to a longer file.
    """
    if pyfuncitem.get_closest_marker("full_disk") is None:
        return (yield)
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        return (yield)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def random_run(tmp_path: Path) -> Path:
    """A training's run folder, its network with random weights, of the classes night, dusk and day."""
    from vidnas.assembly import networks
    from vidnas.config.json_files import to_json
    from vidnas.config.presets import train_preset
    from vidnas.nas.genotype import random_genotype, to_json as genotype_json
    from vidnas.runs.checkpoint import save_checkpoint

    folder = tmp_path / "a run"
    folder.mkdir()
    config = train_preset("demo", data="x", genotype="random:0")
    network = networks.build_network(random_genotype(0), config, 3)
    (folder / "config.json").write_text(to_json(config))
    (folder / "genotype.json").write_text(genotype_json(random_genotype(0)))
    (folder / "classes.json").write_text('["night", "dusk", "day"]')
    save_checkpoint(folder / "checkpoint.pt", {"network": network.state_dict(), "epoch": config.epochs})
    return folder


@pytest.fixture
def shade_run(random_run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder whose network, in this process, knows black clips as night, grey as dusk, white as day."""
    import torch
    from torch import Tensor, nn

    from vidnas.assembly import networks
    from vidnas.video.clips.transforms import MEAN, STD

    class ShadeNetwork(nn.Module):
        def forward(self, video: Tensor) -> Tensor:
            mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (MEAN, STD))
            shade = (video * std + mean).mean(dim=(1, 2, 3, 4))
            return -40 * (shade[:, None] - torch.tensor([0, 0.5, 1])) ** 2

    loaded = (ShadeNetwork().eval(), ("night", "dusk", "day"))
    monkeypatch.setattr(networks, "load", lambda _: loaded)
    return random_run


@pytest.fixture
def write_shades(tmp_path: Path) -> Callable[..., Path]:
    """write_shades(name, (grey from 0 to 1, frames), ...): path of a 128 x 96 video of 10 frames a second."""
    import numpy as np

    from vidnas.video.make.encode import Mp4Writer

    def write(name: str, *shades: tuple[float, int]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with Mp4Writer(path, rate=10, size=(128, 96)) as writer:
            for shade, num_frames in shades:
                for _ in range(num_frames):
                    writer.write(np.full((96, 128, 3), round(255 * shade), dtype=np.uint8))
        return path

    return write
