"""Every public name is documented, and every example in the documentation runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.engine.primitive import Primitive, implementations

MODULES = [tg, *[importlib.import_module(m.name) for m in pkgutil.walk_packages(tg.__path__, "tinygrad_cnn.")]]
PUBLIC = [
    name
    for name, x in ((name, getattr(tg, name)) for name in tg.__all__)
    if not inspect.ismodule(x) and not (isinstance(x, type) and issubclass(x, Exception))
]


def examples() -> list[doctest.DocTest]:
    found, parser = [], doctest.DocTestParser()
    for module in MODULES:
        found += doctest.DocTestFinder(exclude_empty=True).find(module)
        for name, x in vars(module).items():
            if isinstance(x, Primitive) and x.forward.__module__ == module.__name__ and x.__doc__:
                found.append(parser.get_doctest(x.__doc__, {}, f"{module.__name__}.{name}", module.__file__, 0))
    return list({test.docstring: test for test in found if test.examples}.values())


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_an_example_gives_what_it_says(test: doctest.DocTest) -> None:
    for library in re.findall(r'importorskip\("(\w+)', test.docstring or ""):
        pytest.importorskip(library)
    runner = doctest.DocTestRunner(verbose=False)
    report: list[str] = []
    before = dict(implementations)
    try:
        assert runner.run(test, out=report.append).failed == 0, "".join(report)
    finally:  # an example that registers a function is not to change what other tests find
        implementations.clear()
        implementations.update(before)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_a_docstring_with_an_example(name: str) -> None:
    doc = inspect.getdoc(getattr(tg, name)) or ""
    assert ">>>" in doc, f"tg.{name} has no example"
