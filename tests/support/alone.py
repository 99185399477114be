"""A cross-check in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def check_alone(module: str, function: str, at: float) -> None:
    """Check the gradient of a function, an expression of names of a test module; fails unless it is right.

    In a process that has run some ten thousand tests before, the check of a solver came out inconclusive.
    """
    source = (
        f"import {module}, tinygrad_cnn as tg\n"
        f"report = tg.check.gradients(eval({function!r}, vars({module})), {at!r})\n"
        "assert report.ok, str(report)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", source], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
