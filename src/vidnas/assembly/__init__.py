"""Settings in, parts out: the last room that sees settings, but for the verbs."""
