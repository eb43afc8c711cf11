"""Pictures laid out once, as data: figures/paint.py makes files of them, pages/svg.py parts of pages."""
