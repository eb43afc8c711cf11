"""Clips a second from a pack and from videos beside other decoders; packing; a list of a million clips.

usage: python benchmarks/data.py [--data ../ucf101_5] [--clips 128] [--pairs 5] [--size-px 112] [--json FILE]

Every contestant fills the same training batches (4 segments x 2 frames, short side 128 at 112 px, random crop
and flip) through vidnas's own loader, in a process of its own on one core and without further workers; they
take turns. Rivals replace the decoder alone: PyAV, OpenCV, decord and torchcodec as their manuals show them,
those that are installed. One whose frames are not the right ones is named and left out. Then: what workers
bring, and what they hand on; two JPEG libraries; how busy packing keeps the cores; and a list of a million
clips read, divided, saved, loaded and shuffled, no file touched. Without --data the built-in clips are read.
"""

import argparse
import io
import json
import os
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
import simplejpeg
from PIL import Image
from torch.utils.data import DataLoader

import measure
import report
from decoders import RIGHT, RIVALS, Decode, install, read_right
from measure import Comparison
from vidnas.assembly.videos import builtin_clips
from vidnas.video.clips import datasets
from vidnas.video.clips.loaders import train_loader
from vidnas.video.clips.transforms import normalize, to_pixels
from vidnas.video.index.index import index_videos
from vidnas.video.index.sources import Source
from vidnas.video.items import Item
from vidnas.video.stores import footage

BATCH = 16
BARS = {"source": 8.0, "rival": 4.0, "own": 0.75}
"""The least ratios of time on ucf101_5; the built-in clips are too small to be worth a pack."""


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


def pack(data: Path, out: Path, workers: int) -> dict[str, float]:
    """Pack videos that were scanned before; how busy it kept the cores."""
    subprocess.run([sys.executable, "-m", "vidnas", "check", "--data", str(data)], capture_output=True)
    done = _run("packing.py", data, out, workers)
    busy = f"{100 * done['busy']:.0f} % of {workers} cores busy"
    print(f"Packing with {workers} workers: {done['sec']:.1f} s, {busy}\n  {done.pop('text')}\n")
    return done


def _run(script: str, *arguments: object) -> dict[str, Any]:
    """What a script of this folder prints as JSON."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
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


def through_a_worker(items: Sequence[Item], counts: Sequence[int], size_px: int) -> dict[str, float]:
    """Clips a second through one worker that hands on pixels, and one that hands on normalised floats."""
    rates = {"pixels": whole_loader(items, counts, size_px, 1)}
    pixels = to_pixels
    vars(datasets)["to_pixels"] = lambda frames: normalize(pixels(frames))
    rates["floats"] = whole_loader(items, counts, size_px, 1)
    vars(datasets)["to_pixels"] = pixels
    print("Through one worker: " + ", ".join(f"{rate:.0f} clips/s as {kind}" for kind, rate in rates.items()))
    return rates


def jpeg(path: Path, quality: int = 90) -> dict[str, float]:
    """Milliseconds that simplejpeg and Pillow take for a frame of short side 128, medians of 50 frames."""
    images = [frame.image for frame in footage.read_frames(path, None, short_side_px=128)][:50]
    encode = partial(simplejpeg.encode_jpeg, quality=quality, colorsubsampling="420", fastdct=True)
    files = [encode(image) for image in images]

    def by_pillow(image: np.ndarray) -> None:
        Image.fromarray(image).save(io.BytesIO(), "JPEG", quality=quality)

    ms = {
        "simplejpeg encodes": _median_ms(encode, images),
        "Pillow encodes": _median_ms(by_pillow, images),
        "simplejpeg decodes": _median_ms(simplejpeg.decode_jpeg, files),
        "Pillow decodes": _median_ms(lambda file: np.asarray(Image.open(io.BytesIO(file))), files),
    }
    print("A JPEG: " + ", ".join(f"{what} in {taken:.3f} ms" for what, taken in ms.items()) + "\n")
    return ms


def _median_ms(use: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    times = []
    for given in (*inputs, *inputs):
        start = time.perf_counter()
        use(given)
        times.append(1e3 * (time.perf_counter() - start))
    return median(times[len(inputs) :])


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
    kinds = through_a_worker(packed, counts, arguments.size_px)
    pictures = jpeg(items[0].path)
    counted = _run("million.py", folder)
    laps = ", ".join(f"{name} {sec:.1f} s" for name, sec in counted["sec"].items())
    print(f"A million clips: {counted['total_sec']:.1f} s and {counted['bytes'] / 1e6:.0f} MB ({laps})")
    others = {"packing": packing, "loader": rates, "worker": kinds, "jpeg": pictures, "million": counted}
    return {**{name: asdict(case) for name, case in cases.items()}, **others}


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
