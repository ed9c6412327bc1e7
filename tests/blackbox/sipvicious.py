#!/usr/bin/env python3
"""Runs a SIPVicious tool as it is, or disguised: with the User-Agent of a desk phone.

    sipvicious.py svwar [--disguised] ARGUMENTS
"""

import sys
from pathlib import Path

sys.path.remove(str(Path(__file__).resolve().parent))  # the package has this file's name
tool, disguised = sys.argv[1], "--disguised" in sys.argv
if disguised:
    from sipvicious.libs import svhelper

    svhelper.makeRequest.__defaults__ = tuple(
        "Desk phone 1.0" if value == "friendly-scanner" else value for value in svhelper.makeRequest.__defaults__)
sys.argv = [tool, *(word for word in sys.argv[2:] if word != "--disguised")]
sys.exit(getattr(__import__(f"sipvicious.{tool}", fromlist=["main"]), "main")())
