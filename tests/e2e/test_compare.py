"""`vidnas compare` from end to end: rows, a kill, more rows, failures that cost no other row."""
