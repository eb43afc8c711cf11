"""Videos that do not end."""
