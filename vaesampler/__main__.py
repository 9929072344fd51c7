"""`python -m vaesampler`."""

import sys

from vaesampler._command.main import main

# The processes of a cluster import this module under another name.
if __name__ == "__main__":
    sys.exit(main())
