"""What a town hands to its devices: the script that installs, first-boot files, and releases that an operator laid ready."""

from __future__ import annotations
