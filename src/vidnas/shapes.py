"""The shapes of the arrays that travel through vidnas: the only place that spells dimension names.

The aliases are checked at run time under pytest (jaxtyping + beartype) and are plain types elsewhere.
"""

import numpy as np
from jaxtyping import Float, Int, UInt8
from torch import Tensor

Video = Float[Tensor, "batch channels time height width"]
"""A batch of normalised clips, or of feature maps inside a network."""

Features = Float[Tensor, "batch _ time _ _"]
"""Feature maps on their way through cells: channels, height and width change, clips and frames never."""

FeatureFrames = Float[Tensor, "batch time _ _ _"]
"""Feature maps as they lie in memory, (batch, time, channels, height, width): frames first (nn/layout.py)."""

Clip = Float[Tensor, "channels time height width"]
"""One normalised clip."""

Pixels = UInt8[Tensor, "channels time height width"]
"""One clip as it is read and handed on, RGB, 0 to 255: a quarter of what it takes when normalised."""

Views = UInt8[Tensor, "views channels time height width"]
"""Several clips of one video as they are read: temporal positions x spatial crops."""

Logits = Float[Tensor, "batch classes"]
Labels = Int[Tensor, " batch"]
Loss = Float[Tensor, ""]

Alpha = Float[Tensor, "edges primitives"]
"""Architecture parameters, or the mixing weights that a softmax over primitives makes of them."""

Frames = UInt8[np.ndarray, "time height width rgb"]
"""Decoded frames of one video, RGB, 0 to 255."""
MixingRow = Float[Tensor, " primitives"]
"""The mixing weights of one edge."""
