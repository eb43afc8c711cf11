"""Mechanics shared by the verbs; knows nothing of architecture search."""
