"""List files that are wrong, or only look so, for every verb that reads them."""

import codecs
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]

VERBS = pytest.mark.parametrize("verb", ["check", "search", "train", "evaluate"])
LEARNING_VERBS = pytest.mark.parametrize("verb", ["search", "train", "evaluate"])


@pytest.fixture
def lines(few_videos: Path) -> list[str]:
    """A good list of the videos, as lines."""
    paths = sorted(path.relative_to(few_videos) for path in few_videos.glob("*/*.avi"))
    return [f"{path} {path.parts[0]}" for path in paths]


@pytest.fixture
def write(videos: Path) -> Callable[..., Path]:
    """write(lines): a list file with these lines beside the videos."""

    def make(lines: Sequence[str], end: str = "\n") -> Path:
        file = videos / "list.txt"
        file.write_bytes("".join(line + end for line in lines).encode())
        return file

    return make


@VERBS
@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda _: [], "is empty"),
        (lambda _: ["", "  ", "\t"], "is empty"),
        (lambda lines: [*lines, lines[0]], "list.txt:17: 'Grow/v_Grow_g01_c01.avi' is listed before, at"),
        (
            lambda lines: [*lines[:3], lines[3].split()[0], *lines[4:]],
            "list.txt:4: 'Grow/v_Grow_g02_c02.avi' has",
        ),
        (lambda lines: [*lines, "Grow/other.avi 3"], "list.txt:17: label '3': labels must be all integers"),
    ],
    ids=["empty", "blank", "a line twice", "no label", "labels of two kinds"],
)
def test_a_list_with_a_wrong_line(
    verb: str,
    spoil: Callable[[list[str]], list[str]],
    named: str,
    refused: Refused,
    on_data: OnData,
    lines: list[str],
    write: Callable[..., Path],
) -> None:
    file = write(spoil(lines))
    refused(*on_data(verb, file), names=(file, named))


@VERBS
@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ({"Grow": "0", "Shrink": "2"}, "label 2, but no line has label 1"),
        ({"Grow": "-1", "Shrink": "0"}, "label -1, but the lowest may be 0 or 1"),
        ({"Grow": "1", "Shrink": "999999999999999999999"}, "but no line has label 2"),
    ],
    ids=["a gap", "negative", "huge"],
)
def test_a_list_whose_labels_are_out_of_range(
    verb: str,
    numbers: dict[str, str],
    named: str,
    refused: Refused,
    on_data: OnData,
    lines: list[str],
    write: Callable[..., Path],
) -> None:
    file = write(
        [
            line.replace(line.split()[1], numbers[line.split()[1]]).replace(
                f"{numbers[line.split()[1]]}/v_{numbers[line.split()[1]]}", "x"
            )
            for line in lines
        ]
    )
    file = write([f"{line.split()[0]} {numbers[line.split()[1]]}" for line in lines])
    refused(*on_data(verb, file), names=(file, named, "Integer labels must be 0 to n-1 or 1 to n"))


@VERBS
def test_a_test_list_with_a_label_that_was_not_trained(
    verb: str, refused: Refused, on_data: OnData, lines: list[str], write: Callable[..., Path]
) -> None:
    file = write(lines)
    (file.parent / "test.txt").write_text("Grow/v_Grow_g04_c01.avi Hop\n")
    more = ("--test-list", file.parent / "test.txt")
    refused(*on_data(verb, file), *more, names=("test.txt:1: label 'Hop' is not in the training list",))


@LEARNING_VERBS
def test_a_list_with_a_file_that_is_missing(
    verb: str,
    refused: Refused,
    found_by_check: Callable[..., str],
    on_data: OnData,
    lines: list[str],
    write: Callable[..., Path],
) -> None:
    file = write([*lines, "Grow/lost.avi Grow"])
    refused(*on_data(verb, file), names=(f"Grow/lost.avi ({file}:17)", "Paths are relative to"))
    found_by_check(file, names=(f"Grow/lost.avi ({file}:17) is listed, but missing",))


@LEARNING_VERBS
def test_a_text_file_that_is_no_list(
    verb: str, refused: Refused, found_by_check: Callable[..., str], on_data: OnData, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("these are my videos\n")
    refused(*on_data(verb, "notes.txt"), names=("these are my (notes.txt:1)", "Paths are relative to"))
    found_by_check("notes.txt", names=("these are my (notes.txt:1) is listed, but missing",))


@VERBS
@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00\x81", "Grow/ä.avi 0\n".encode("latin-1"), bytes(range(256))]
)
def test_a_list_that_is_not_utf_8(
    verb: str, content: bytes, refused: Refused, on_data: OnData, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    refused(*on_data(verb, "list.txt"), names=("list.txt cannot be read as UTF-8 text",))


@VERBS
def test_a_test_list_that_is_missing(
    verb: str, refused: Refused, on_data: OnData, lines: list[str], write: Callable[..., Path]
) -> None:
    refused(*on_data(verb, write(lines)), "--test-list", "no.txt", names=("no.txt does not exist",))


@VERBS
def test_a_test_list_beside_a_folder(verb: str, refused: Refused, on_data: OnData, few_videos: Path) -> None:
    more = ("--test-list", "test.txt")
    refused(*on_data(verb, few_videos), *more, names=("--test-list goes with a list file",), code=2)


@pytest.mark.parametrize("way", ["CRLF", "byte order mark", "blank lines", "tabs"])
def test_lists_from_other_systems_are_read(
    way: str,
    vidnas: Callable[..., tuple[int, str, str]],
    on_data: OnData,
    lines: list[str],
    write: Callable[..., Path],
) -> None:
    if way == "tabs":
        lines = [line.replace(" ", "\t") for line in lines]
    if way == "blank lines":
        lines = [part for line in lines for part in (line, "", " ")]
    file = write(lines, end="\r\n" if way == "CRLF" else "\n")
    if way == "byte order mark":
        file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    code, out, _ = vidnas(*on_data("check", file))
    assert (code, "all     16 " in out) == (0, True), out


@VERBS
@pytest.mark.parametrize(
    ("lists", "named"),
    [
        ({"trainlist01.txt": "Grow/v_Grow_g01_c01.avi 1\n"}, "needs trainlist01.txt and testlist01.txt"),
        (
            {"trainlist01.txt": "", "testlist01.txt": "", "classInd.txt": "1 Grow\n2 Shrink\n"},
            "trainlist01.txt is empty",
        ),
        (
            {
                "trainlist01.txt": "Grow/v_Grow_g01_c01.avi 2\n",
                "testlist01.txt": "Grow/v_Grow_g02_c01.avi\n",
                "classInd.txt": "1 Grow\n2 Shrink\n",
            },
            "trainlist01.txt:1: label '2' is class 'Shrink'",
        ),
        (
            {
                "trainlist01.txt": "Grow/v_Grow_g01_c01.avi 7\n",
                "testlist01.txt": "Grow/v_Grow_g02_c01.avi\n",
                "classInd.txt": "1 Grow\n2 Shrink\n",
            },
            "trainlist01.txt:1: label '7' is not in",
        ),
        (
            {
                "trainlist01.txt": "Grow/v_Grow_g01_c01.avi 1\n",
                "testlist01.txt": "Grow/v_Grow_g02_c01.avi\n",
                "classInd.txt": "Grow\nShrink\n",
            },
            "classInd.txt:1: 'Grow' is not a number and a class name",
        ),
    ],
    ids=["half a pair", "empty", "label and folder disagree", "unknown label", "damaged classInd"],
)
def test_official_lists_that_are_wrong(
    verb: str, lists: dict[str, str], named: str, refused: Refused, on_data: OnData, videos: Path
) -> None:
    for name, text in lists.items():
        (videos / name).write_text(text)
    refused(*on_data(verb, videos), names=(named,))
