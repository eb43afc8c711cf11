"""What a network gets of a video."""
