"""`python -m telstraat_cli`: the same as the command `telstraat`."""

from __future__ import annotations

import sys

from telstraat_cli.main import main

sys.exit(main())
