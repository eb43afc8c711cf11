"""Do residual frames of dark, noisy clips teach a network, and what helps: other light, or normalised clips?

    python benchmarks/dark.py --data ucf101_5 --out runs/dark --json docs/results/dark.json

Of the training videos of official split 1, 150 clips are taken: two of each of 15 groups of every class. They
are used twice: as they are, and darkened, x -> x^3 of 0 to 1, with Gaussian read noise of every frame behind
it, written without loss at half their size. Each set is cut into three folds by group, and every variant is
trained on two and tested on the third, as `recipe.py` does it, with the same intervals. The official test
videos are never read. Finished videos and runs are kept.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import torch
from av.video.stream import VideoStream

from recipe import compare, make_parser, say, train_folds, videos_of
from vidnas.video.items import Item, VideoIndex
from vidnas.video.stores.footage import read_frames

NUM_GROUPS, CLIPS_OF_GROUP = 15, 2
GAMMA = 3.0
NOISE = 4.0
"""Standard deviation of the read noise, levels of 255."""
SHORT_SIDE_PX = 120
VARIANTS = {
    "residual frames": [],
    "light 0.4": ["--photometric", "0.4"],
    "clips normalised": ["--clip-norm", "frames"],
    "residuals normalised": ["--clip-norm", "input"],
    "light 0.4 and clips normalised": ["--photometric", "0.4", "--clip-norm", "frames"],
}


def main() -> None:
    """Write what is missing of the dark videos, train what is missing, then compare."""
    parser = make_parser(__doc__ or "", VARIANTS, networks="3d-shufflenet-0.5", epochs=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="trainings at a time")
    args = parser.parse_args()
    networks, names = args.networks.split(","), args.variants.split(",")
    same = ["--preset", "cpu", "--size-px", str(args.size_px), "--epochs", str(args.epochs)]
    same += ["--seed", str(args.seed), "--workers", "0"]
    variants = {name: [*same, *VARIANTS[name]] for name in names}
    chosen = choose(videos_of(args))
    sets = {"untouched": chosen, "dark": darken(chosen, args.out / "videos")}
    results = {}
    for kind, index in sets.items():
        out = args.out / (f"{kind}-seed-{args.seed}" if args.seed else kind)
        train_folds(
            out, index, networks, variants,
            packed=["--short-side-px", "64", "--quality", "98"], processes=args.processes,
        )  # fmt: skip
        results[kind] = {
            name: {"settings": VARIANTS[name], **compare(out, networks, name, names[0])} for name in names
        }
        print(f"\n{kind}")
        say(results[kind])
    if args.json:
        record: dict[str, Any] = {
            "settings": {"networks": networks, "gamma": GAMMA, "noise": NOISE, "same": same},
            "torch": torch.__version__,
            **results,
        }
        args.json.write_text(json.dumps(record, indent=2) + "\n")


def choose(index: VideoIndex) -> VideoIndex:
    """The first groups of every class among the training videos, and their first clips, by name."""
    kept: list[Item] = []
    for label in range(len(index.classes)):
        items = sorted((item for item in index.train if item.label == label), key=lambda item: item.path.name)
        for group in sorted({item.group for item in items})[:NUM_GROUPS]:
            kept += [item for item in items if item.group == group][:CLIPS_OF_GROUP]
    return replace(index, train=tuple(kept), test=())


def darken(index: VideoIndex, folder: Path) -> VideoIndex:
    """The training videos as a camera would have seen them by too little light."""
    items = []
    for number, item in enumerate(index.train):
        path = folder / index.classes[item.label] / f"{item.path.stem}.mkv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_dark(item.path, path, np.random.default_rng([0, number]))
        items.append(replace(item, path=path))
    return replace(index, train=tuple(items))


def _write_dark(source: Path, path: Path, generator: np.random.Generator) -> None:
    partial = path.with_suffix(".partial")
    frames = [frame.image for frame in read_frames(source, None, short_side_px=SHORT_SIDE_PX)]
    with av.open(str(partial), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = "bgr0"
        stream.height, stream.width = frames[0].shape[:2]
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(dark(frame, generator), format="rgb24")))
        container.mux(stream.encode(None))
    partial.replace(path)


def dark(image: npt.NDArray[np.uint8], generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """One frame with the gamma, and noise of its own."""
    levels = 255 * (image / 255) ** GAMMA + generator.normal(0, NOISE, image.shape)
    return np.rint(levels.clip(0, 255)).astype(np.uint8)


if __name__ == "__main__":
    main()
