"""Pages about runs: a run folder read as a plain value, drawn as one HTML file, served while it grows."""
