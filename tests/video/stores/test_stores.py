"""A further store of frames is a row of the table: everything that is asked of a clip is asked of the row."""

from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vidnas.config.data import CheckConfig
from vidnas.errors import UserError
from vidnas.verbs.check import run_check
from vidnas.video.stores import footage
from vidnas.video.stores.decode import Frame, VideoInfo
from vidnas.video.stores.store import Footage, Store


def arrays(path: Path) -> Footage | None:
    """Clips that NumPy has saved."""
    if path.suffix != ".npy":
        return None

    def scan() -> VideoInfo:
        try:
            num_frames, height_px, width_px, _ = np.load(path).shape
        except ValueError as error:
            raise UserError(f"{path} holds no array of frames.") from error
        return VideoInfo(num_frames, width_px, height_px, 0.0)

    def read_frames(indices: Sequence[int] | None, short_side_px: int | None) -> Generator[Frame, None, None]:
        for index, image in enumerate(np.load(path)):
            if indices is None or index in indices:
                yield Frame(index, None, image[:short_side_px, :short_side_px])

    return Footage(
        exists=path.is_file, scan=scan, read_frames=read_frames, files=lambda: [path], short_side_px=16
    )


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(footage, "STORES", (Store(footage=arrays), *footage.STORES))
    generator = np.random.default_rng(0)
    for number in range(4):
        frames = generator.integers(256, size=(5 + number, 24, 32, 3), dtype=np.uint8)
        np.save(tmp_path / f"{number}.npy", frames)
    (tmp_path / "list.txt").write_text("".join(f"{number}.npy {number % 2}\n" for number in range(4)))
    return tmp_path


def test_its_clips_are_listed_scanned_kept_and_read(data: Path) -> None:
    check = partial(run_check, CheckConfig(data=str(data / "list.txt"), workers=0, split_by="clip"))
    found = check()
    assert found.passed and [info.num_frames for info in found.infos.values()] == [5, 6, 7, 8]
    frames = footage.decode_frames(data / "1.npy", [2, 2, 5], short_side_px=8)
    assert np.array_equal(frames, np.load(data / "1.npy")[[2, 2, 5], :8, :8])
    assert footage.size_bytes(data / "1.npy") == (data / "1.npy").stat().st_size
    assert footage.state_of(data / "1.npy") != footage.state_of(data / "2.npy")
    assert footage.content_digest(data / "1.npy") != footage.content_digest(data / "2.npy")
    (data / "1.npy").write_bytes(b"no array")
    assert check().faults == (f"{data}/1.npy holds no array of frames.",)


def test_a_short_side_that_it_does_not_have_is_left_to_it(data: Path) -> None:
    assert footage.side_within(data / "1.npy", 16) == 16 and footage.side_within(data / "1.npy", 17) is None
