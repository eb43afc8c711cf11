"""Alpha over the epochs of a search."""

from torch import Tensor


class AlphaHistory:
    """Alpha after every epoch, (epochs, edges, primitives): what the result is chosen from and drawn with."""

    def __init__(self) -> None:
        self.epochs: list[Tensor] = []

    def state_dict(self) -> dict[str, list[Tensor]]:
        """What a checkpoint keeps."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        """Go on from there."""
        self.epochs = list(state["epochs"])
