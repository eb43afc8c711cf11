"""What lies below a folder, by name."""

from pathlib import Path

import pytest

from vidnas.video.stores.tree import Tree, frame_folders_in, local_tree, naturally, tree_of_names, videos_in


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_names_are_relative_and_in_the_order_of_folders(tmp_path: Path) -> None:
    put(tmp_path, "a b/1.avi", "a/z/2.avi", "a/1.avi", ".hidden/3.avi", "a/.4.avi", "10.txt")
    (tmp_path / "empty").mkdir()
    tree = local_tree(tmp_path)
    assert tree.files == ("10.txt", "a/1.avi", "a/z/2.avi", "a b/1.avi")
    assert tree.folders == ("a", "a/z", "a b", "empty")
    assert tree_of_names(tmp_path, reversed([*tree.files, "a/.x"])) == Tree(
        tmp_path, tree.files, ("a", "a/z", "a b")
    )


def test_a_part_of_a_tree_is_the_tree_of_that_folder(tmp_path: Path) -> None:
    put(tmp_path, "a/1.avi", "a/z/2.avi", "ab/3.avi", "top.avi")
    (tmp_path / "a/gone.mp4").symlink_to(tmp_path / "nowhere")
    tree = local_tree(tmp_path)
    assert tree.dead_links == ("a/gone.mp4",)
    for name in ("a", "ab"):
        assert tree.below(name) == tree.tops()[name] == local_tree(tmp_path / name)
    assert tree.below("b") == Tree(tmp_path / "b", ())


def test_links_to_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    put(tmp_path / "data", "walk/1.avi")
    put(tmp_path / "disk", "bend/2.avi", "bend/deep/3.avi")
    for link, target in (
        ("bend", tmp_path / "disk/bend"),
        ("walk/again", tmp_path / "data"),
        ("walk/self", tmp_path / "data/walk/self"),
        ("walk/up", tmp_path / "data/walk"),
    ):
        (tmp_path / "data" / link).symlink_to(target)
    (tmp_path / "disk/bend/deep/back").symlink_to(tmp_path / "data")
    tree = local_tree(tmp_path / "data")
    assert tree.files == ("bend/2.avi", "bend/deep/3.avi", "walk/1.avi")


def test_many_folders_that_link_to_one_another_take_no_time(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(30)]
    for name in names:
        put(tmp_path, f"{name}/1.avi")
        for other in names:
            (tmp_path / name / f"to {other}").symlink_to(tmp_path / other)
    assert len(videos_in(local_tree(tmp_path))) == 30


def test_frames_stand_in_folders_of_two_pictures_or_more() -> None:
    names = [
        "walk/a/1.jpg",
        "walk/a/2.PNG",
        "walk/b/1.jpeg",
        "walk/c/flow_x_1.jpg",
        "walk/c/flow_x_2.jpg",
        "1.jpg",
    ]
    assert frame_folders_in(tree_of_names(Path("/x"), [*names, "2.jpg"])) == ["walk/a"]


@pytest.mark.parametrize(
    "names",
    [
        ("img_9.jpg", "img_10.jpg", "img_100.jpg"),
        ("1_2.png", "1_11.png", "2_1.png"),
        ("007.jpg", "8.jpg", "0010.jpg"),
    ],
)
def test_numbers_in_names_count_as_numbers(names: tuple[str, ...]) -> None:
    assert naturally(sorted(names)) == list(names)
