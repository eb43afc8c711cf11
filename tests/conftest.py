"""What every test shares: shape checks at run time, and the real clips."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Before anything imports torch: waiting for a second thread costs more than the tests' small tensors.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Must run before anything imports vidnas: from here on every annotated shape is checked at each call.
install_import_hook("vidnas", "beartype.beartype")


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
    from vidnas.video.synthetic import write_clips

    folder = tmp_path_factory.mktemp("data") / "tiny videos"
    write_clips(folder, groups_per_class=4, clips_per_group=2, test_groups=1, num_frames=8, size_px=24)
    return folder
