"""What a benchmark found: a table for people, and JSON beside it, with the machine, the versions and the date."""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("numpy", "jax", "torch", "autograd", "mygrad", "graphviz", "torchviz")


def machine() -> str:
    """The processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown: text on the left, numbers on the right."""
    rule = ["---" if index == 0 else "---:" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (header, rule, *rows))


def save(name: str, header: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any) -> None:
    """Print the table, and write it to `results/NAME.json` with where and when it was made.

    settings: what the benchmark was run with, such as the number of threads.
    """
    print(table(header, rows))
    FOLDER.mkdir(exist_ok=True)
    found = {
        "benchmark": name, "date": datetime.date.today().isoformat(), "machine": machine(), "versions": versions(),
        "settings": settings, "header": list(header), "rows": [list(row) for row in rows],
    }  # fmt: skip
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def page() -> str:
    """`benchmarks/README.md`: the last table of each benchmark."""
    parts = [PREFACE]
    for path in sorted(FOLDER.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        where = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        how = "".join(f", {name} {value}" for name, value in found["settings"].items())
        parts.append(
            f"## {found['benchmark']}\n\n{found['date']}, {found['machine']}{how}; {where}.\n\n"
            f"{table(found['header'], found['rows'])}"
        )
    return "\n\n".join(parts) + "\n"


PREFACE = """# Benchmarks

Each prints a table and writes it to `results/NAME.json`; `python benchmarks/results.py` writes this page from these.
Timings depend on the machine and on what else it is doing, so what counts is the ratios within one run.

    pip install -e '.[bench]'
    python benchmarks/training_step.py --blocks 120
    python benchmarks/overhead.py
    python benchmarks/scalar_code.py
    python benchmarks/compiled.py
    python benchmarks/compile_time.py
    python benchmarks/convolution.py
    python benchmarks/javascript.py
    python benchmarks/growth.py
    python benchmarks/scaling.py
    python benchmarks/lenet_epoch.py
    python benchmarks/cross_check.py
    python benchmarks/tools.py"""

if __name__ == "__main__":
    (FOLDER.parent / "README.md").write_text(page(), encoding="utf-8")
