"""`python -m bench.api` runs `throughput`."""

from bench.api.throughput import main

if __name__ == "__main__":
    main()
