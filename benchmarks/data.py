"""Clips a second from a pack and from videos beside other decoders; packing; a list of a million clips.

usage: python benchmarks/data.py [--data ../ucf101_5] [--clips 128] [--pairs 5] [--size-px 112] [--json FILE]

Every contestant fills the same training batches (4 segments x 2 frames, short side 128 at 112 px, random crop
and flip) through vidnas's own loader, in a process of its own on one core and without further workers; they
take turns. Rivals replace the decoder alone: PyAV, OpenCV, decord and torchcodec as their manuals show them,
those that are installed. One whose frames are not the right ones is named and left out. Then: what workers
bring; how busy packing keeps the cores; and a list of a million clips read, divided, saved, loaded and
shuffled, no file touched. Without --data the built-in clips are read.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader

import measure
import report
from measure import Comparison
from vidnas.config import PackConfig
from vidnas.pack import run_pack
from vidnas.video import datasets, footage
from vidnas.video.csvlist import parse_csv, write_csv
from vidnas.video.division import divide, find_groups
from vidnas.video.index import index_videos
from vidnas.video.items import Item, VideoIndex
from vidnas.video.layouts import Source
from vidnas.video.lists import parse_lists
from vidnas.video.loaders import ShuffledKeys, train_loader
from vidnas.videos import builtin_clips

BATCH = 16
RIGHT = 12.0
"""Mean difference of a rival's pixels to ours, of 255, up to which frames are the same: scalers differ."""
BARS = {"source": 8.0, "rival": 4.0, "own": 0.75}
"""The least ratios of time on ucf101_5; the built-in clips are too small to be worth a pack."""
MILLION = 1_000_000

Decode = Callable[..., np.ndarray]


def by_pyav(path: Path, indices: Sequence[int], *, short_side_px: int) -> np.ndarray:
    """Decode from the start, convert the wanted frames."""
    images = {}
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for index, frame in enumerate(container.decode(video=0)):
            if index in indices:
                images[index] = _small(frame.to_ndarray(format="rgb24"), short_side_px)
            if index == indices[-1]:
                break
    return np.stack([images[index] for index in indices])


def by_opencv(path: Path, indices: Sequence[int], *, short_side_px: int) -> np.ndarray:
    """Grab from the start, retrieve the wanted frames."""
    import cv2

    cv2.setNumThreads(1)
    capture, images = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]), {}
    for index in range(indices[-1] + 1):
        capture.grab()
        if index in indices:
            image = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
            height, width = image.shape[:2]
            scale = short_side_px / min(height, width)
            images[index] = cv2.resize(image, (round(width * scale), round(height * scale)))
    return np.stack([images[index] for index in indices])


def by_decord(path: Path, indices: Sequence[int], *, short_side_px: int) -> np.ndarray:
    """A batch of frames, scaled by the reader."""
    import decord  # type: ignore[import-untyped]

    width, height = _source_size(path)
    scale = short_side_px / min(width, height)
    size = dict(width=round(width * scale), height=round(height * scale))
    reader = decord.VideoReader(str(path), num_threads=1, **size)
    return np.asarray(reader.get_batch(list(indices)).asnumpy())


def by_torchcodec(path: Path, indices: Sequence[int], *, short_side_px: int) -> np.ndarray:
    """Frames by exact index."""
    from torchcodec.decoders import VideoDecoder  # type: ignore[attr-defined]

    frames = VideoDecoder(str(path), num_ffmpeg_threads=1).get_frames_at(list(indices)).data
    return np.stack([_small(frame.permute(1, 2, 0).numpy(), short_side_px) for frame in frames])


RIVALS: dict[str, tuple[str, Decode]] = {
    "PyAV": ("av", by_pyav),
    "OpenCV": ("cv2", by_opencv),
    "decord": ("decord", by_decord),
    "torchcodec": ("torchcodec.decoders", by_torchcodec),
}


def _small(image: np.ndarray, short_side_px: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = short_side_px / min(height, width)
    size = round(width * scale), round(height * scale)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _source_size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def install(name: str) -> Decode | None:
    """A rival's decoder, or None where it cannot be imported here."""
    module, decode = RIVALS[name]
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True)
    return decode if done.returncode == 0 else None


def read_right(decode: Decode, paths: Sequence[Path], counts: Sequence[int]) -> float:
    """Mean difference of a decoder's frames to ours, by the worst of these videos."""
    worst = 0.0
    for path, count in zip(paths, counts, strict=True):
        indices = sorted({0, count // 3, count // 2, count - 1})
        true = footage.decode_frames(path, indices, short_side_px=128).astype(int)
        try:
            found = decode(path, indices, short_side_px=128)
        except Exception as error:
            print(f"  {path.name}: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
            return 255.0
        worst = max(worst, max(float(np.abs(a - b).mean()) for a, b in zip(found, true, strict=True)))
    return worst


def build_reader(
    decode: Decode | None, items: Sequence[Item], counts: Sequence[int], size_px: int
) -> measure.Step:
    """A step that fills batches with all the clips once; its result is the mean pixel of the last batch."""
    if decode is not None:
        vars(datasets)["decode_frames"] = decode
    loader = make_loader(items, counts, size_px, workers=0)

    def step() -> float:
        for videos, _, _ in loader:
            mean = float(videos.float().mean())
        return mean

    return step


def make_loader(
    items: Sequence[Item], counts: Sequence[int], size_px: int, *, workers: int
) -> DataLoader[Any]:
    """vidnas's loader of training clips."""
    clips = datasets.TrainClips(
        items, counts, size_px=size_px, segments=4, frames_per_segment=2, flip=True, single_frame=False
    )
    samples = len(items) // BATCH * BATCH
    return train_loader(clips, batch_size=BATCH, samples_per_epoch=samples, seed=0, workers=workers)


def per_second(measured: measure.Measured, num_clips: int) -> float:
    """Clips of one core."""
    return num_clips // BATCH * BATCH / measured.median_sec


def race(
    name: str, items: Sequence[Item], arguments: argparse.Namespace, packed: Sequence[Item] | None
) -> dict[str, Comparison]:
    """Ours from these videos, from a pack of them, and every rival that is right."""
    counts = [_scanned(item.path) for item in items]
    builds: dict[str, measure.Build] = {"ours": partial(build_reader, None, items, counts, arguments.size_px)}
    if packed is not None:
        builds["packed"] = partial(build_reader, None, packed, counts, arguments.size_px)
    print(f"{name}: {len(items)} clips")
    for rival in RIVALS:
        decode = install(rival)
        if decode is None:
            print(f"  {rival}: not installed, or does not import")
            continue
        difference = read_right(decode, [item.path for item in items[::8]], counts[::8])
        if difference > RIGHT:
            print(f"  {rival}: wrong frames (mean difference {difference:.0f} of 255), left out")
            continue
        builds[rival] = partial(build_reader, decode, items, counts, arguments.size_px)
    found = measure.in_turn(builds, rounds=arguments.pairs, threads=1)
    for contestant, measured in found.items():
        rate = per_second(measured, len(items))
        print(f"  {contestant:12} {rate:7.0f} clips/s on one core   {report.describe(measured)}")
    rivals = {rival: found[rival] for rival in RIVALS if rival in found}
    fastest = min(rivals, key=lambda rival: rivals[rival].median_sec)
    bars = {key: {"time_ratio": bar} if arguments.data else {} for key, bar in BARS.items()}
    cases = {
        f"{name}_own": measure.compare(rivals[fastest], found["ours"], same_results=False, bars=bars["own"])
    }
    report.print_case(f"{name}: ours from source, beside {fastest}", cases[f"{name}_own"], rival=fastest)
    if packed is not None:
        for key, other, label in (("source", found["ours"], "source"), ("rival", rivals[fastest], fastest)):
            case = measure.compare(other, found["packed"], same_results=False, bars=bars[key])
            cases[f"{name}_packed_vs_{key}"] = case
            report.print_case(f"{name}: packed, beside {label}", case, rival=label)
    return cases


def _scanned(path: Path) -> int:
    info = footage.told(path) or footage.scan(path)
    assert not isinstance(info, Exception)
    return info.num_frames


PACK_CODE = "import data; data.time_packing({!r}, {!r}, {})"


def time_packing(data: str, out: str, workers: int) -> None:
    """In a process of its own: pack, and print what it took, the imports left aside."""
    start, before = time.perf_counter(), _cpu_sec()
    result = run_pack(PackConfig(data=data, out=out, workers=workers))
    sec = time.perf_counter() - start
    print(json.dumps({"sec": sec, "busy": (_cpu_sec() - before) / sec / workers, "text": result.text}))


def _cpu_sec() -> float:
    """What this process and those that it has begun and ended have computed."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def pack(data: Path, out: Path, workers: int) -> dict[str, float]:
    """Pack videos that were scanned before; how busy it kept the cores."""
    subprocess.run([sys.executable, "-m", "vidnas", "check", "--data", str(data)], capture_output=True)
    done = _in_process(PACK_CODE.format(str(data), str(out), workers))
    busy = f"{100 * done['busy']:.0f} % of {workers} cores busy"
    print(f"Packing with {workers} workers: {done['sec']:.1f} s, {busy}\n  {done.pop('text')}\n")
    return done


def _in_process(code: str) -> dict[str, Any]:
    """What a piece of code prints as JSON, run by itself in this folder."""
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code], cwd=here, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def whole_loader(items: Sequence[Item], counts: Sequence[int], size_px: int, workers: int) -> float:
    """Clips a second that a loader with workers brings into the main process, median of three passes."""
    loader = make_loader(list(items) * 8, list(counts) * 8, size_px, workers=workers)
    rates = []
    for _ in range(4):
        start, seen = time.perf_counter(), 0
        for videos, _, _ in loader:
            seen += len(videos)
        rates.append(seen / (time.perf_counter() - start))
    return median(rates[1:])


MILLION_CODE = "import data; data.million({!r})"


def million(folder: str) -> None:
    """In a process of its own: a list of a million clips from text to shuffled keys, and what it took."""
    file = Path(folder) / "list.txt"
    with file.open("w") as lines:
        for n in range(MILLION):
            lines.write(
                f"class {n % 400}/v_Class{n % 400}_g{n // 400 % 25 + 1:02}_c{n // 10_000 + 1:02}.mp4 "
                f"{n % 400}\n"
            )
    measure.forget_peak()
    sec: dict[str, float] = {}
    before, start = measure.peak_bytes(), time.perf_counter()

    def lap(name: str) -> None:
        sec[name] = time.perf_counter() - start - sum(sec.values())

    listing = parse_lists(file)
    root = file.parent
    items = tuple(Item(root / clip.path, clip.label, clip.group) for clip in listing.train)
    classes = listing.classes
    del listing
    lap("parsed")
    items = find_groups(items, classes)
    train, test, _ = divide(items, classes=classes, by="group", fraction=0.25, seed=0)
    del items
    lap("divided by group")
    write_csv(VideoIndex(classes, train, test, ()), root / "index.csv", root=root)
    num_train = len(train)
    del train, test
    lap("saved")
    again = parse_csv(root / "index.csv")
    assert len(again.train) == num_train and len(again.train) + len(again.test) == MILLION
    lap("loaded")
    keys = ShuffledKeys(num_train, samples_per_epoch=num_train, seed=0)
    assert sum(1 for _ in keys) == num_train
    lap("shuffled")
    print(json.dumps({"sec": sec, "total_sec": sum(sec.values()), "bytes": measure.peak_bytes() - before}))


def main() -> None:
    """Race, pack, and count to a million."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="videos, such as ucf101_5 (default: the built-in clips)")
    parser.add_argument("--clips", type=int, default=128, help="clips of a turn (default: 128)")
    parser.add_argument("--pairs", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--size-px", type=int, default=112, help="default: 112")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    facts = report.machine_facts(1)
    report.print_machine(facts)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure_all(arguments, Path(folder))
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({**figures, "machine": facts}, indent=2) + "\n")


def measure_all(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Everything, printed and returned."""
    data = arguments.data or builtin_clips()
    cores = os.cpu_count() or 1
    packing = pack(data, folder / "pack", min(2, cores))
    read = partial(index_videos, split_by="auto", group_regex=None, seed=0)
    items = read(Source(data)).train[: arguments.clips]
    packed = read(Source(folder / "pack")).train[: arguments.clips]
    assert [item.path.name for item in items] == [item.path.name for item in packed]
    cases = race("avi", items, arguments, packed)
    cases |= race("h264", list(_as_h264(items[: max(BATCH, arguments.clips // 4)], folder)), arguments, None)
    counts = [_scanned(item.path) for item in packed]
    rates = {str(n): whole_loader(packed, counts, arguments.size_px, n) for n in (0, 1, 2)}
    told = ", ".join(f"{rate:.0f} clips/s with {n} workers" for n, rate in rates.items())
    print(f"Packed, through the loader into the main process: {told}\n")
    counted = _in_process(MILLION_CODE.format(str(folder)))
    laps = ", ".join(f"{name} {sec:.1f} s" for name, sec in counted["sec"].items())
    print(f"A million clips: {counted['total_sec']:.1f} s and {counted['bytes'] / 1e6:.0f} MB ({laps})")
    return {
        **{k: asdict(v) for k, v in cases.items()},
        "packing": packing,
        "loader": rates,
        "million": counted,
    }


def _as_h264(items: Sequence[Item], folder: Path) -> Iterator[Item]:
    """The same videos as mp4, H.264 with the encoder's usual settings."""
    for number, item in enumerate(items):
        path = folder / f"{number}.mp4"
        with av.open(str(item.path)) as source, av.open(str(path), "w") as target:
            frames = source.decode(video=0)
            first = next(frames)
            stream = target.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = (
                first.width // 2 * 2,
                first.height // 2 * 2,
                "yuv420p",
            )
            for frame in (first, *frames):
                picture = frame.reformat(stream.width, stream.height, "yuv420p")
                picture.pts = None
                target.mux(stream.encode(picture))
            target.mux(stream.encode())
        yield Item(path, item.label, item.group)


if __name__ == "__main__":
    main()
