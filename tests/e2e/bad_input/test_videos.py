"""Videos that are broken, or none at all, among good ones: for every verb that reads videos."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vidnas.video.scan.scan_index import FILE_NAME

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]


def sound(path: Path) -> None:
    """A fifth of a second of silence, and no picture."""
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture
def spoilt(videos: Path, clips: Mapping[str, bytes]) -> dict[Path, str]:
    """Files among the good ones that cannot be used, and what is said of each."""
    folder = videos / "Grow"
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("It was a dark and stormy night.\n" * 100)
    (folder / "text.avi").write_text("x")
    (folder / "noise.mkv").write_bytes(np.random.default_rng(0).bytes(5000))
    (folder / "zeros.mov").write_bytes(bytes(5000))
    (folder / "page.ts").write_text("<html><body>404 Not Found</body></html>\n")
    sound(folder / "sound.mp4")
    (folder / "header.avi").write_bytes(clips["clip.avi"][:32])
    (folder / "half.avi").write_bytes(clips["clip.avi"][: len(clips["clip.avi"]) // 2])
    (folder / "half.mp4").write_bytes(clips["clip.mp4"][: len(clips["clip.mp4"]) // 2])
    (folder / "half.mkv").write_bytes(clips["clip.mkv"][: len(clips["clip.mkv"]) // 2])
    causes = {"empty.mp4": "it is empty (0 bytes)", "sound.mp4": "has no video stream"}
    causes |= {f"half.{kind}": "is truncated" for kind in ("avi", "mp4", "mkv")}
    causes |= dict.fromkeys(("text.mp4", "text.avi", "noise.mkv"), "cannot be opened as a video")
    causes |= {"zeros.mov": "cannot be opened as a video", "page.ts": "", "header.avi": ""}
    return {folder / name: cause for name, cause in causes.items()}


def test_all_bad_videos_are_told_at_once(
    refused: Refused, on_data: OnData, videos: Path, spoilt: dict[Path, str]
) -> None:
    names = ("11 of 27 videos cannot be used", "vidnas check --data", "--on-bad skip")
    sentence = refused(*on_data("train", videos), names=names)
    for path, cause in spoilt.items():
        (line,) = [line for line in sentence.splitlines() if str(path) in line]
        assert cause in line, line
    assert sentence.count("\n") == 12


def test_search_tells_those_that_it_would_learn_from(
    refused: Refused, on_data: OnData, videos: Path, spoilt: dict[Path, str]
) -> None:
    sentence = refused(*on_data("search", videos), names=(" of 21 videos cannot be used", "--on-bad skip"))
    assert 6 <= sum(str(path) in sentence for path in spoilt) == int(sentence.split()[0])


def test_evaluate_tells_them_too(
    refused: Refused, on_data: OnData, videos: Path, spoilt: dict[Path, str]
) -> None:
    for path in videos.rglob("*.avi"):
        if path not in spoilt:
            path.write_bytes(path.read_bytes() + b"other videos than those of the training")
    refused(*on_data("evaluate", videos), names=("11 of 27", *spoilt, *spoilt.values(), "--on-bad skip"))


def test_check_tells_them_and_goes_on(
    found_by_check: Callable[..., str], videos: Path, spoilt: dict[Path, str]
) -> None:
    report = found_by_check(videos, names=(*spoilt, *spoilt.values()))
    assert "all     27 " in report


def test_of_many_bad_videos_twenty_are_named_and_check_names_all(
    refused: Refused, found_by_check: Callable[..., str], on_data: OnData, videos: Path
) -> None:
    bad = [videos / "Grow" / f"empty-{number}.mp4" for number in range(25)]
    for path in bad:
        path.touch()
    sentence = refused(*on_data("train", videos), names=("25 of 41 videos", "... and 5 more."))
    assert sum(str(path) in sentence for path in bad) == 20
    found_by_check(videos, names=bad)


def test_predict_tells_them_last_and_does_the_others(
    vidnas: Vidnas, videos: Path, spoilt: dict[Path, str], few_runs: Mapping[str, Path], tmp_path: Path
) -> None:
    arguments = ("--run", few_runs["train"], videos, "--csv", "out.csv", "--json", "out.json")
    code, out, err = vidnas("predict", *arguments)
    assert code == 1
    assert sum(str(path) in out for path in videos.rglob("*.avi")) == 16
    *told, summary = err.splitlines()
    assert len(told) == len(spoilt)
    assert summary.startswith("Videos seen: 16 (")
    assert summary.endswith(f"; cannot be used: {len(spoilt)}.")
    for path, cause in spoilt.items():
        (line,) = [line for line in told if str(path) in line]
        assert line.startswith("Cannot be used: ")
        assert cause in line
    for name in ("out.csv", "out.json"):
        text = (tmp_path / name).read_text()
        assert [path for path in (*videos.rglob("*.avi"), *spoilt) if str(path) not in text] == []


def test_predict_of_bad_videos_alone(
    vidnas: Vidnas, spoilt: dict[Path, str], few_runs: Mapping[str, Path], tmp_path: Path
) -> None:
    for annotate in ((), ("--annotate", "out.mp4")):
        code, out, err = vidnas("predict", "--run", few_runs["train"], next(iter(spoilt)), *annotate)
        assert (code, out) == (1, "")
        assert err.count("Cannot be used: ") == 1
    assert not (tmp_path / "out.mp4").exists()


def test_links_to_nowhere_and_folders_named_like_videos(
    found_by_check: Callable[..., str], vidnas: Vidnas, on_data: OnData, videos: Path
) -> None:
    """They are no videos: `check` tells the links as faults, the other verbs in the log."""
    (videos / "Grow" / "broken.mp4").symlink_to("nowhere.mp4")
    (videos / "Grow" / "loop.mp4").symlink_to("loop.mp4")
    (videos / "Shrink" / "around").symlink_to("..")
    (videos / "Shrink" / "folder.mp4").mkdir()
    report = found_by_check(
        videos, names=("broken.mp4 is a link to nowhere", "loop.mp4 is a link to nowhere")
    )
    assert "all     16 " in report
    code, _, err = vidnas(*on_data("train", videos))
    assert code == 0
    assert "Ignored, since a link to nowhere: Grow/broken.mp4 and 1 more." in err


@pytest.mark.parametrize("name", ["loop.mp4", "broken.mp4", "loop/x.mp4", "x" * 300 + ".mp4"])
@pytest.mark.parametrize("use", ["data", "videos", "genotype", "run"])
def test_a_path_that_leads_nowhere(
    use: str, name: str, refused: Refused, few_runs: Mapping[str, Path], good_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken.mp4").symlink_to("nowhere.mp4")
    command = {
        "data": ("evaluate", "--data", name, "--run", few_runs["train"]),
        "videos": ("predict", "--run", few_runs["train"], good_video, name),
        "genotype": ("train", "--data", "builtin", "--genotype", name),
        "run": ("report", name),
    }
    refused(*command[use], names=())


@pytest.mark.parametrize("verb", ["train", "check", "predict"])
def test_a_video_that_may_not_be_read(
    verb: str,
    vidnas: Vidnas,
    on_data: OnData,
    videos: Path,
    few_runs: Mapping[str, Path],
    obey_permissions: Callable[[], None],
) -> None:
    locked = videos / "Grow" / "locked.avi"
    locked.write_bytes(b"secret")
    locked.chmod(0)
    predict = ("predict", "--run", few_runs["train"], videos)
    command = predict if verb == "predict" else on_data(verb, videos)
    code, out, err = vidnas(*command, prepare=obey_permissions)
    assert code == 1
    assert f"{locked} cannot be opened as a video: Permission denied." in (out if verb == "check" else err)


def test_a_picture_with_the_name_of_a_video(
    vidnas: Vidnas, few_runs: Mapping[str, Path], tmp_path: Path
) -> None:
    """It is taken for a film of one frame, which it is, or refused."""
    picture = Image.fromarray(np.zeros((32, 48, 3), dtype=np.uint8))
    for kind in ("PNG", "JPEG", "GIF"):
        picture.save(tmp_path / f"{kind}.mp4", format=kind)
        code, out, err = vidnas("predict", "--run", few_runs["train"], f"{kind}.mp4")
        assert f"{kind}.mp4" in (err if code else out)


def frames_known(data: Path) -> dict[str, int]:
    """What is known of the good videos of a folder: the name of each and how many frames it has."""
    index = json.loads((data / FILE_NAME).read_text())
    return {Path(name).name: entry["num_frames"] for name, entry in index["videos"].items()}


def test_a_video_cut_off_anywhere_is_named_or_lacks_two_frames_at_most(
    vidnas: Vidnas, clips: Mapping[str, bytes], tmp_path: Path
) -> None:
    """At 40 places each: cuts that lose no frame (the index behind them) or hardly any are fine."""
    folder = tmp_path / "data" / "cut"
    folder.mkdir(parents=True)
    for name, content in clips.items():
        for place in range(40):
            path = folder / f"{place:02}-{name}"
            path.write_bytes(content[: len(content) * place // 40])
    _, report, _ = vidnas("check", "--data", folder.parent)
    accepted = frames_known(folder.parent)
    for path in folder.iterdir():
        named = f"{path} " in report
        assert named != (path.name in accepted), path
        assert named or accepted[path.name] >= 38, path
    assert len(accepted) <= 8, accepted


def damaged(content: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """The content with flipped bits, a wrong header, a hole, a gap, its end missing, and swapped parts."""
    for count in (1, 10, 100):
        flipped = np.frombuffer(content, np.uint8).copy()
        flipped[rng.integers(len(content), size=count)] ^= np.uint8(1) << rng.integers(8, dtype=np.uint8)
        yield flipped.tobytes()
    yield rng.bytes(16) + content[16:]
    start, end = sorted(rng.integers(len(content), size=2).tolist())
    yield content[:start] + bytes(end - start) + content[end:]
    yield content[:start] + content[end:]
    yield content[:start]
    yield content[start:] + content[:start]


@pytest.mark.parametrize(
    ("rounds", "seed"), [(2, 0), pytest.param(15, 1, marks=pytest.mark.slow, id="480 files")]
)
def test_damaged_videos_are_used_or_named_and_crash_nothing(
    rounds: int, seed: int, vidnas: Vidnas, clips: Mapping[str, bytes], a_run: Path, tmp_path: Path
) -> None:
    """What `check` lets pass can be trained on, tested on and looked at; the others are named."""
    rng = np.random.default_rng(seed)
    data = tmp_path / "data"
    for name, content in clips.items():
        for number in range(rounds):
            for kind, spoilt in enumerate(damaged(content, rng)):
                path = data / "ab"[number % 2] / f"{number}-{kind}-{name}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(spoilt)
    files = sorted(data.rglob("*-*"))
    assert len(files) == 32 * rounds
    code, report, _ = vidnas("check", "--data", data)
    accepted = frames_known(data)
    bad = [path for path in files if path.name not in accepted]
    assert code == 1
    assert len(bad) > len(files) / 4
    assert [path for path in files if (f"{path} " in report) != (path in bad)] == []
    train = ("train", "--genotype", "random:0", "--data", data, "--split-by", "clip", "--on-bad", "skip")
    small = ("--preset", "demo", "--epochs", 1, "--size-px", 16, "--num-cells", 1, "--first-channels", 1)
    code, _, err = vidnas(*train, *small, "--out", "out")
    assert code == 0, err
    assert f"Skipped: {len(bad)} of {len(files)} videos" in err
    code, out, err = vidnas("predict", "--run", a_run, data)
    assert code == 1
    assert [path for path in files if (f"{path} " in err) != (path in bad)] == []
    assert sum(f"{path}" in out for path in files) == len(files) - len(bad)
