"""Arguments in, settings out; errors become exit codes."""
