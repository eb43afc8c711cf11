"""vidnas: searches, trains and evaluates compact video action-recognition networks."""
