"""Videos that vidnas writes."""
