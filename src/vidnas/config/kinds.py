"""The kinds of runs, by their settings."""

from vidnas.config.learning import SearchConfig, TrainConfig

RunConfig = SearchConfig | TrainConfig


def verb_of(config: RunConfig) -> str:
    """The verb that takes these settings."""
    return "search" if isinstance(config, SearchConfig) else "train"
