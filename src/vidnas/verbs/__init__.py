"""One page a verb, read from top to bottom."""
