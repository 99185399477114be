"""What the tests of JavaScript have in common: many programs run in one process of Node, or on one page of Chromium."""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from tinygrad_cnn import tree
from tinygrad_cnn.lowering.draws import inputs_of
from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.javascript import source
from tinygrad_cnn.lowering.javascript.elementwise import ARRAYS
from tinygrad_cnn.lowering.trace import by_name

# The driver: imports modules, decodes what they are called with, and encodes what they return.
DRIVER = """
async (text) => {
  const { script, modules, given } = JSON.parse(text);
  const types = { Float64Array, Float32Array, Int32Array, Int16Array, Int8Array, Uint32Array, Uint16Array, Uint8Array };
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const decoded = (x) => {
    if (Array.isArray(x)) return x.map(decoded);
    if (x === null || typeof x !== "object") return x;
    if ("$array" in x) return new types[x.$array](bytes(x.bytes).buffer);
    if ("$number" in x) return Number(x.$number);
    return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, decoded(item)]));
  };
  const encoded = (x) => {
    if (ArrayBuffer.isView(x)) {
      const found = new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
      let made = "";
      for (const byte of found) made += String.fromCharCode(byte);
      return { $array: x.constructor.name, bytes: btoa(made) };
    }
    if (typeof x === "number") return { $number: Object.is(x, -0) ? "-0" : String(x) };
    if (Array.isArray(x)) return x.map(encoded);
    if (x === null || typeof x !== "object") return x;
    return Object.fromEntries(Object.entries(x).map(([key, item]) => [key, encoded(item)]));
  };
  const imported = [];
  for (const module of modules) imported.push(await import("data:text/javascript;base64," + module));
  return JSON.stringify(encoded(await eval(script)(imported, decoded(given))));
}
"""
CALL_EACH = """(modules, given) => modules.map((module, k) => given[k].map((x) => {
  try { return module.step(x); } catch (error) { return { error: String(error) }; }
}))"""


def evaluate(script: str, modules: Sequence[str], given: Any, browser: bool = False) -> Any:
    """What a script, a function of imported modules and of `given`, returns; in Chromium, or where there is no Node."""
    texts = [base64.b64encode(module.encode()).decode() for module in modules]
    data = json.dumps({"script": script, "modules": texts, "given": encoded(given)})
    if browser or shutil.which("node") is None:
        return decoded(json.loads(_in_chromium(data)))
    program = (
        "let text = ''; for await (const part of process.stdin.setEncoding('utf8')) text += part;\n"
        f"process.stdout.write(await ({DRIVER})(text));"
    )
    made = subprocess.run(
        ["node", "--input-type=module", "-e", program], input=data, capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr[-3000:]
    return decoded(json.loads(made.stdout))


def _in_chromium(data: str) -> str:
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("neither node nor chromium is there")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        try:
            page = browser.new_page()
            return str(page.evaluate(DRIVER, data))
        finally:
            browser.close()


def encoded(x: Any) -> Any:
    """Arguments as JSON that the driver decodes."""
    if isinstance(x, np.ndarray) and x.shape:
        kind = ARRAYS[x.dtype]
        held = x.astype(np.float64) if kind == "Float64Array" else x
        return {"$array": kind, "bytes": base64.b64encode(np.ascontiguousarray(held).tobytes()).decode()}
    if isinstance(x, np.ndarray | np.generic | float | int) and not isinstance(x, bool):
        return {"$number": repr(np.asarray(x).item()).replace("inf", "Infinity").replace("nan", "NaN")
                if np.asarray(x).dtype != bool else str(int(x))}  # fmt: skip
    if isinstance(x, dict):
        return {str(key): encoded(item) for key, item in x.items()}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return {name: encoded(getattr(x, name)) for name in tree.fields(type(x))[0]}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return {name: encoded(item) for name, item in zip(x._fields, x, strict=True)}
    if isinstance(x, list | tuple):
        return [encoded(item) for item in x]
    return x if isinstance(x, str | bool | type(None)) else None


def decoded(x: Any) -> Any:
    """What the driver returned."""
    if isinstance(x, list):
        return [decoded(item) for item in x]
    if not isinstance(x, dict):
        return x
    if "$array" in x:
        dtype = x["$array"].removesuffix("Array").lower()
        return np.frombuffer(base64.b64decode(x["bytes"]), dtype)
    if "$number" in x:
        return float(x["$number"].replace("Infinity", "inf"))
    return {key: decoded(item) for key, item in x.items()}


class Case(NamedTuple):
    """A program, to be run with some arguments, and what the interpreter gives for them.

    single  results in double precision are computed of values in single precision, and are as precise as those
    """

    name: str
    listing: Listing
    module: str
    given: list[Any]
    expected: list[list[Any]]
    single: bool = False


def case(name: str, function: Any, listing: Listing, calls: Sequence[tuple[Any, ...]], single: bool = False) -> Case:
    """A listing, written, and what it gives. Raises NotImplementedError if it cannot be written."""
    module = source(listing, "step")
    given, expected = [], []
    for args in calls:
        named = by_name(function, args, {})
        inputs = inputs_of(listing, tree.flatten(named).leaves)
        drawn = inputs[listing.given :]
        given.append(named | {a.name: x for a, x in zip(listing.arguments[listing.given :], drawn, strict=True)})
        expected.append([np.copy(x) for x in interpret(listing, inputs)])
    return Case(name, listing, module, given, expected, single)


def faults(cases: Sequence[Case], browser: bool = False) -> list[str]:
    """What is wrong with each case that is not right: all are run together."""
    found = evaluate(CALL_EACH, [case.module for case in cases], [case.given for case in cases], browser)
    wrong: list[str] = []
    for case, calls in zip(cases, found, strict=True):
        for made, expected in zip(calls, case.expected, strict=True):
            if isinstance(made, dict) and set(made) == {"error"}:
                wrong.append(f"{case.name}: {made['error']}")
                break
            leaves = list(_leaves(made, case.listing.structure))
            text = _difference(leaves, expected, case.single)
            if text:
                wrong.append(f"{case.name}: {text}")
                break
    return wrong


def _leaves(made: Any, structure: Any) -> Iterator[Any]:
    """The leaves of a result, in the order of the outputs."""
    if isinstance(structure, int) and not isinstance(structure, bool):
        yield made
    elif isinstance(structure, dict):
        for key, item in structure.items():
            yield from _leaves(made[str(key)], item)
    elif dataclasses.is_dataclass(structure):
        for name in tree.fields(type(structure))[0]:
            yield from _leaves(made[name], getattr(structure, name))
    elif isinstance(structure, tuple) and hasattr(structure, "_fields"):
        for name, item in zip(structure._fields, structure, strict=True):
            yield from _leaves(made[name], item)
    elif isinstance(structure, list | tuple):
        for part, item in zip(made, structure, strict=True):
            yield from _leaves(part, item)


def _difference(found: list[Any], expected: list[Any], single: bool) -> str:
    for a, b in zip(found, expected, strict=True):
        b = np.asarray(b)
        if np.shape(b):
            held = np.dtype(np.float64) if ARRAYS[b.dtype] == "Float64Array" else np.dtype(
                ARRAYS[b.dtype].removesuffix("Array").lower()
            )  # fmt: skip
            if a.dtype != held or a.size != b.size:
                return f"{a.dtype} of {a.size}, not {held} of {b.size}"
            a = a.reshape(b.shape)
        tolerance = 3e-5 if single or b.dtype == np.float32 else 1e-12
        scale = float(np.max(np.abs(b)[np.isfinite(b)], initial=1.0)) if b.dtype != bool else 1.0
        if not np.allclose(a, b, tolerance, tolerance * scale, equal_nan=True):
            return f"{np.asarray(a).ravel()[:6]} instead of {b.ravel()[:6]}"
    return ""
