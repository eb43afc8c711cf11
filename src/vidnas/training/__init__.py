"""Learning from clips and judging by them; knows nothing of architecture search."""
