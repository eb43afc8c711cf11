"""The rivals of data.py: frames by index, as the manuals of PyAV, OpenCV, decord and torchcodec show it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from vidnas.video.stores import footage

Decode = Callable[..., np.ndarray]

RIGHT = 12.0
"""Mean difference of a rival's pixels to ours, of 255, up to which frames are the same: scalers differ."""


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
