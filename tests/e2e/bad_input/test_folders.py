"""--data that is no data set, or an odd one, for every verb that reads one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

VERBS = pytest.mark.parametrize("verb", ["check", "search", "train", "evaluate"])
Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """files(*names): a folder with text files of these names, and folders for names that end in a slash."""

    def make(*names: str) -> Path:
        folder = tmp_path / "data"
        folder.mkdir()
        for name in names:
            path = folder / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_text(f"just text in {name}")
        return folder

    return make


@VERBS
def test_a_missing_folder(verb: str, refused: Refused, on_data: OnData) -> None:
    refused(*on_data(verb, "nowhere"), names=("nowhere does not exist", "docs/data.md"))


@VERBS
@pytest.mark.parametrize(
    "names",
    [
        (),
        ("Grow/", "Shrink/"),
        ("readme.txt",),
        ("Grow/a.txt", "Grow/b.doc", "Shrink/c"),
        ("Grow/.hidden.mp4", ".git/x.mp4"),
        ("train/Grow/a.txt", "test/Grow/b.txt"),
    ],
    ids=["empty", "empty classes", "a text file", "text files", "hidden files", "empty parts"],
)
def test_a_folder_without_videos_in_class_folders(
    verb: str, names: tuple[str, ...], refused: Refused, on_data: OnData, files: Callable[..., Path]
) -> None:
    folder = files(*names)
    refused(*on_data(verb, folder), names=(f"{folder} has no folder with videos", "Accepted are"))


@VERBS
def test_loose_videos_without_a_class(
    verb: str, refused: Refused, on_data: OnData, files: Callable[..., Path]
) -> None:
    folder = files("a.mp4", "b.mp4")
    refused(*on_data(verb, folder), names=(f"2 videos lie right in {folder}, without a class", "path,label"))


@VERBS
def test_a_video_where_the_folder_is_meant(
    verb: str, refused: Refused, on_data: OnData, good_video: Path
) -> None:
    refused(*on_data(verb, good_video), names=(good_video, "is a single video", "docs/data.md"))


@VERBS
def test_a_part_without_videos(
    verb: str, refused: Refused, on_data: OnData, videos: Path, tmp_path: Path
) -> None:
    videos.rename(tmp_path / "train")
    (tmp_path / "data").mkdir()
    (tmp_path / "train").rename(tmp_path / "data" / "train")
    (tmp_path / "data" / "test" / "Grow").mkdir(parents=True)
    refused(*on_data(verb, "data"), names=("data/test has no class folder with videos",))


@VERBS
@pytest.mark.parametrize("name", ["", "Grow"])
def test_a_folder_that_may_not_be_read(
    verb: str,
    name: str,
    refused: Refused,
    on_data: OnData,
    videos: Path,
    obey_permissions: Callable[[], None],
    request: pytest.FixtureRequest,
) -> None:
    folder = videos / name
    folder.chmod(0o300)
    request.addfinalizer(lambda: folder.chmod(0o700))
    refused(*on_data(verb, videos), names=(folder, "Permission denied"), prepare=obey_permissions)


@pytest.mark.parametrize("verb", ["search", "train"])
def test_one_class_only(
    verb: str, refused: Refused, found_by_check: Callable[..., str], on_data: OnData, videos: Path
) -> None:
    shutil.rmtree(videos / "Shrink")
    names = ("only one class, 'Grow'", "two or more")
    refused(*on_data(verb, videos), names=names)
    found_by_check(videos, names=names)


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_class_with_one_video(verb: str, refused: Refused, on_data: OnData, videos: Path) -> None:
    for path in sorted((videos / "Shrink").iterdir())[1:]:
        path.unlink()
    refused(
        *on_data(verb, videos), names=("Only one video in class Shrink", "Add videos or remove the class")
    )


@pytest.mark.parametrize("verb", ["search", "train"])
def test_a_video_that_is_in_training_and_test(
    verb: str, refused: Refused, on_data: OnData, videos: Path, tmp_path: Path
) -> None:
    for part in ("train", "test"):
        shutil.copytree(videos, tmp_path / "data" / part)
    refused(*on_data(verb, "data"), names=("In both training and test", "data/train/Grow", "data/test/Grow"))


@VERBS
def test_a_split_of_data_without_lists(
    verb: str, refused: Refused, on_data: OnData, few_videos: Path
) -> None:
    refused(*on_data(verb, few_videos), "--split", 2, names=("--split 2", "has no lists"), code=2)
