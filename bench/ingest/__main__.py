"""`python -m bench.ingest` runs `throughput`."""

import sys

from bench.ingest.throughput import main

if __name__ == "__main__":
    sys.exit(main())
