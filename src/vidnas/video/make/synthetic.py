"""The built-in motion clips: real encoded videos, made on demand, whose classes differ by motion only.

Eight classes in four pairs; a clip of the second class of a pair is a clip of the first played backwards.
What a class does not move is frozen at a random moment of the same motion, so that a random frame of any
class has the same distribution: a network that sees single frames can only guess (1 in 8).

This is the one file that *encodes* video (`stores/decode.py` is the one that reads it).
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np

from vidnas.errors import UsageError, UserError
from vidnas.shapes import Frames
from vidnas.video.make.drawing import Array, draw_appearance, draw_frames

# The number of the attribute (x, y, angle, size) that a class moves, and whether it does so backwards.
_MOTIONS = {
    "MoveRight": (0, False),
    "MoveLeft": (0, True),
    "MoveDown": (1, False),
    "MoveUp": (1, True),
    "TurnClockwise": (2, False),
    "TurnCounterclockwise": (2, True),
    "Grow": (3, False),
    "Shrink": (3, True),
}

CLASSES: tuple[str, ...] = tuple(_MOTIONS)
"""The names of the classes by label; each pair of neighbours are time reversals of one another."""

# Smallest and largest way of x, y, angle (in turns) and size during a clip, as a part of each one's range.
# Over the 5 frames at most between two neighbouring sampled ones of 16, a turn stays within 90 degrees.
_LEAST_WAY = np.array([0.6, 0.6, 0.45, 0.6])
_LONGEST_WAY = np.array([0.9, 0.9, 0.75, 0.9])
# x, y and size must end inside their range; an angle may start anywhere.
_BOUNDED = np.array([1.0, 1.0, 0.0, 1.0])

_MARKER = "synthetic.json"
_FORMAT = "vidnas-clips"
VERSION = 1
"""Part of the cache folder's name: to be raised whenever the clips change."""

_FRAMES_PER_SEC = 10
# FFmpeg's FF_QP2LAMBDA: a quantiser of 1 in the unit of its option global_quality.
_QUALITY_UNIT = 118


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What makes the clips: equal plans give equal frames."""

    seed: int = 0
    groups_per_class: int = 25
    clips_per_group: int = 4
    test_groups: int = 6
    num_frames: int = 16
    size_px: int = 40

    def __post_init__(self) -> None:
        if not 0 < self.test_groups < self.groups_per_class:
            raise UsageError(
                f"test_groups is {self.test_groups}; allowed are 1 to {self.groups_per_class - 1}, "
                "fewer than groups_per_class."
            )

    def to_json(self) -> str:
        """What the marker beside the clips says."""
        return json.dumps({"format": _FORMAT, "version": VERSION, **asdict(self)}, indent=2) + "\n"


DEFAULT = Plan()


def write_clips(
    folder: Path, plan: Plan = DEFAULT, *, progress: Callable[[int], object] = lambda _: None
) -> None:
    """Write the clips and their lists to `folder` in the UCF101 layout, whole or not at all.

    The test list holds groups 1 to `test_groups` of each class, the training list the others. A folder
    that already holds these very clips stays as it is; one with anything else is a UserError.
    `progress` is called with 1 after every clip.
    """
    try:
        if _is_written(folder, plan):
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            draft = Path(scratch) / "clips"
            _write_draft(draft, plan, progress)
            _move(draft, folder, plan)
    except OSError as error:
        raise UserError(f"Cannot write the built-in clips to {folder}: {error}.") from error


def draw_poses(name: str, num_frames: int, generator: np.random.Generator) -> Array:
    """(time, 4): x, y, angle and size in each frame of a random clip of the class `name`.

    The draws do not depend on the class: equal generators give the two classes of a pair the same poses
    in opposite order.
    """
    moving, backwards = _MOTIONS[name]
    way = generator.uniform(_LEAST_WAY, _LONGEST_WAY)
    start = generator.random(4) * (1 - _BOUNDED * way)
    times = np.linspace(0, 1, num_frames)
    frozen = generator.choice(times, 4)
    when = np.where(np.arange(4) == moving, times[:, None], frozen)
    poses: Array = start + way * when
    return poses[::-1] if backwards else poses


def encode_clip(file: Path, frames: Frames) -> None:
    """Write the frames as Motion JPEG: each is coded on its own, so no artefact tells where time goes."""
    height_px, width_px = frames.shape[1:3]
    # One fixed quantiser: a rate control would carry the history of the clip into its frames.
    quality = {"flags": "+qscale+bitexact", "global_quality": str(3 * _QUALITY_UNIT)}
    with av.open(str(file), "w", format="avi", options={"fflags": "bitexact"}) as container:
        stream = container.add_stream("mjpeg", rate=_FRAMES_PER_SEC, options=quality)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuvj420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())


def _is_written(folder: Path, plan: Plan) -> bool:
    """Whether `folder` holds the plan's clips; False where there is nothing, UserError for anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    marker = folder / _MARKER
    if marker.is_file() and marker.read_bytes() == plan.to_json().encode():
        return True
    raise UserError(
        f"{folder} exists and holds something other than the built-in clips of seed {plan.seed}. "
        "Name another folder, or delete this one if you need nothing in it."
    )


def _move(draft: Path, folder: Path, plan: Plan) -> None:
    """Give the finished draft its name, unless another process has written the same clips meanwhile."""
    if _is_written(folder, plan):
        return
    if folder.exists():
        folder.rmdir()
    draft.rename(folder)


def _write_draft(draft: Path, plan: Plan, progress: Callable[[int], object]) -> None:
    train, test = [], []
    for path, label, group, frames in _clips(plan):
        file = draft / "videos" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        encode_clip(file, frames)
        if group <= plan.test_groups:
            test.append(path)
        else:
            train.append(f"{path} {label + 1}")
        progress(1)
    index = [f"{label} {name}" for label, name in enumerate(CLASSES, start=1)]
    for name, lines in (("classInd", index), ("trainlist01", train), ("testlist01", test)):
        (draft / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (draft / _MARKER).write_bytes(plan.to_json().encode())


def _clips(plan: Plan) -> Iterator[tuple[str, int, int, Frames]]:
    """Path under videos/, label, group and frames of every clip; each has a random stream of its own.

    One shape in one place does all motions: a group looks the same in every class, so that a look learnt
    by heart tells nothing either.
    """
    for label, name in enumerate(CLASSES):
        for group in range(1, plan.groups_per_class + 1):
            appearance = draw_appearance(np.random.default_rng((plan.seed, group)))
            for clip in range(1, plan.clips_per_group + 1):
                generator = np.random.default_rng((plan.seed, group, label, clip))
                poses = draw_poses(name, plan.num_frames, generator)
                path = f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi"
                yield path, label, group, draw_frames(appearance, poses, plan.size_px)
