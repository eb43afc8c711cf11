"""Video files in, clips out."""
