"""What figures can be written as, by the suffix of the file; imports nothing slow."""

FORMATS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")
