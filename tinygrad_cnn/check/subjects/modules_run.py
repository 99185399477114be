"""Which modules a function runs code of: a layer calls functions of modules beside its own, and these others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

NOT_THEIRS = {"tinygrad_cnn", "numpy", "scipy", *sys.stdlib_module_names} - {"__main__"}


def modules_run(function: Callable[[], Any]) -> list[str]:
    """The names of the modules of which `function` runs code, without Python's own, NumPy's, SciPy's and ours."""
    found: dict[str, None] = {}

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            found[frame.f_globals.get("__name__", "")] = None

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        function()
    finally:
        sys.setprofile(before)
    return [name for name in found if name.partition(".")[0] not in NOT_THEIRS]
