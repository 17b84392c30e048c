"""`python -m telstraat_cli` is the command `telstraat`, also where no script is installed."""

from __future__ import annotations

import sys

from telstraat_cli.main import main

sys.exit(main())
