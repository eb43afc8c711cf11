"""`python -m vidnas`."""

import sys

from vidnas.cli import main

sys.exit(main())
