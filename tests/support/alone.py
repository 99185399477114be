"""A cross-check in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def agrees_alone(module: str, function: str, at: float) -> bool:
    """Whether the check of a function of a test module says that its gradient is right.

    In a process that has run some ten thousand tests before, the check of a solver came out inconclusive.
    """
    source = f"import {module} as module, tinygrad_cnn as tg\n" + (
        f"function = {function if function.startswith('lambda') else 'module.' + function}\n"
        f"report = tg.check.gradients(function, {at!r})\nassert report.ok, str(report)\n"
    )
    here = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scipy")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    done = subprocess.run([sys.executable, "-c", source], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return True
