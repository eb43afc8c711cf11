"""Draws the built-in clips: one bright textured shape on a smooth background, at given poses.

A pose is four numbers (see `synthetic.py`): x and y from 0 (left, top) to 1, the angle in turns, clockwise on
the screen, and the size from 0 (smallest) to 1. What a shape and its place look like is an `Appearance`.
"""

from dataclasses import dataclass

import numpy as np

from vidnas.shapes import Frames

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

# Parts of the frame's side. Even the largest shape stays in view when a training crop cuts off an edge.
_NEAREST_CENTRE = 0.28
_SMALLEST_RADIUS = 0.13
_LARGEST_RADIUS = 0.3

# Amplitudes of the outline's first three harmonics: lopsided, long and three-cornered, so no turn maps the
# shape onto itself.
_HARMONICS = np.array([0.35, 0.3, 0.25])


@dataclass(frozen=True)
class Appearance:
    """What stays the same in every clip of a group: the shape's outline and texture, and the background."""

    outline_phases: Array
    """(3,) radians: where the outline's three harmonics point."""
    stripes: Array
    """(3,) waves over the unit shape along u and along v, and the phase of the stripes in radians."""
    colours: Array
    """(2, 3) the two bright colours between which the stripes alternate, 0 to 1."""
    backdrop: Array
    """(3,) mean colour of the background, 0 to 1."""
    waves: Array
    """(3, 3, 3) by colour and slow wave: periods over the frame along x and along y, and the phase."""


def draw_appearance(generator: np.random.Generator) -> Appearance:
    """A random appearance."""
    direction, per_shape = generator.uniform(0, 2 * np.pi), generator.uniform(0.5, 0.8)
    stripes = [per_shape * np.cos(direction), per_shape * np.sin(direction), generator.uniform(0, 2 * np.pi)]
    return Appearance(
        outline_phases=generator.uniform(0, 2 * np.pi, 3),
        stripes=np.array(stripes),
        colours=np.stack([generator.uniform(0.8, 1.0, 3), generator.uniform(0.5, 0.8, 3)]),
        backdrop=generator.uniform(0.2, 0.35, 3),
        waves=generator.uniform([-1, -1, 0], [1, 1, 2 * np.pi], (3, 3, 3)),
    )


def draw_frames(appearance: Appearance, poses: Array, size_px: int) -> Frames:
    """The shape at every one of the (time, 4) poses, anti-aliased, in square frames of `size_px`."""
    centres_px = (_NEAREST_CENTRE + (1 - 2 * _NEAREST_CENTRE) * poses[:, :2]) * size_px
    angles = 2 * np.pi * poses[:, 2, None, None]
    ratio = _LARGEST_RADIUS / _SMALLEST_RADIUS
    radii_px = (_SMALLEST_RADIUS * ratio ** poses[:, 3] * size_px)[:, None, None]
    pixels = np.arange(size_px) + 0.5
    right = pixels[None, None, :] - centres_px[:, 0, None, None]
    down = pixels[None, :, None] - centres_px[:, 1, None, None]
    u = (np.cos(angles) * right + np.sin(angles) * down) / radii_px
    v = (np.cos(angles) * down - np.sin(angles) * right) / radii_px
    inside = (_outline(appearance, np.arctan2(v, u)) - np.hypot(u, v)) * radii_px
    coverage = np.clip(inside + 0.5, 0, 1)[..., None]
    image = coverage * _texture(appearance, u, v) + (1 - coverage) * _background(appearance, size_px)
    return np.rint(255 * image).astype(np.uint8)


def _outline(appearance: Appearance, angle: Array) -> Array:
    """Radius of the shape in the direction `angle`, in parts of its largest radius (a sum of harmonics)."""
    everywhere = np.linspace(0, 2 * np.pi, 120)
    return np.asarray(_harmonics(appearance, angle) / _harmonics(appearance, everywhere).max())


def _harmonics(appearance: Appearance, angle: Array) -> Array:
    order = np.arange(1, 4)
    waves = np.cos(order * angle[..., None] - appearance.outline_phases)
    return np.asarray(1 + waves @ _HARMONICS)


def _texture(appearance: Appearance, u: Array, v: Array) -> Array:
    """Colours at the places (u, v) of the unit shape: stripes that move with it."""
    along_u, along_v, phase = appearance.stripes
    mix = 0.5 + 0.5 * np.sin(2 * np.pi * (along_u * u + along_v * v) + phase)[..., None]
    first, second = appearance.colours
    return np.asarray(mix * first + (1 - mix) * second)


def _background(appearance: Appearance, size_px: int) -> Array:
    """A smooth picture of low contrast, (height, width, rgb)."""
    place = (np.arange(size_px) + 0.5) / size_px
    along_x, along_y, phase = np.moveaxis(appearance.waves, -1, 0)[..., None, None]
    waves = np.sin(2 * np.pi * (along_x * place[None, :] + along_y * place[:, None]) + phase).sum(axis=1)
    return np.asarray(appearance.backdrop + 0.025 * np.moveaxis(waves, 0, -1))
