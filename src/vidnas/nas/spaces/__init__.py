"""What a search can find: a file a space."""
