"""Settings as data, by the standard library alone."""
