"""Run folders: how they begin, what is kept in them, and how they are read."""
