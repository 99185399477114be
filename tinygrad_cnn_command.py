"""Where the command `tinygrad-cnn` begins: before the package is imported, so that Ctrl-C may come then too.

It is no module of the package, because to import one of those is to import the package first.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command."""
    try:
        from tinygrad_cnn.cli import main as run
    except KeyboardInterrupt:
        print("tinygrad-cnn: interrupted, nothing was written", file=sys.stderr)
        sys.exit(130)
    run()
