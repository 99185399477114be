"""Functions that a module has in front if it calls them: what NumPy's operations are where JavaScript has no such."""

from __future__ import annotations

import re

_SOURCE = """\
// An integer, if a double has it exactly.
function exact(x) {
  if (!Number.isSafeInteger(x)) throw new RangeError(`${x} is beyond the integers that are exact here, 2^53`);
  return x + 0;
}

function unsigned(x) {
  if (!(x >= 0)) throw new RangeError(`${x} is no unsigned integer`);
  return exact(x);
}

// A number without its fraction, as an integer from low to high.
function integer(x, low, high) {
  const whole = Math.trunc(x);
  if (!(whole >= low && whole <= high)) throw new RangeError(`${x} is no integer from ${low} to ${high}`);
  return whole + 0;
}

function quotient(a, b) {
  if (b === 0) throw new RangeError("division by zero");
  return a / b;
}

// As pow(a, b) of C, which is 1 in some cases in which ** is NaN.
function power(a, b) {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;
}

function integer_power(a, b) {
  if (b < 0) throw new RangeError("integers to negative integer powers are not allowed");
  let result = 1;
  for (let k = 0; k < b && result !== 0 && (a !== 1); k++) {
    if (a === -1) return b % 2 === 0 ? 1 : -1;
    result = exact(result * a);
  }
  return result;
}

function copysign(x, sign) {
  const negative = sign < 0 || 1 / sign < 0;
  return negative ? -Math.abs(x) : Math.abs(x);
}

// To the nearest integer, and halves to the even one.
function rint(x) {
  if (!(Math.abs(x) < 4503599627370496)) return x;
  const whole = Math.round(x);
  return copysign(whole - x === 0.5 && whole % 2 !== 0 ? whole - 1 : whole, x);
}

// The larger one, and the other one of a NaN.
function fmax(a, b) {
  return a !== a ? b : b !== b ? a : Math.max(a, b);
}

function fmin(a, b) {
  return a !== a ? b : b !== b ? a : Math.min(a, b);
}

// With the sign of b.
function remainder(a, b) {
  const rest = a % b;
  if (rest === 0) return copysign(0, b);
  return rest < 0 !== b < 0 ? rest + b : rest;
}

function floor_divide(a, b) {
  const rest = a % b;
  if (b === 0 || rest !== rest) return a / b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return copysign(0, a / b);
  const whole = Math.floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

function integer_remainder(a, b) {
  if (b === 0) return 0;
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest + 0;
}

function integer_floor_divide(a, b) {
  if (b === 0) return 0;
  const rest = a % b, whole = (a - rest) / b;
  return rest !== 0 && rest < 0 !== b < 0 ? whole - 1 : whole + 0;
}

function heaviside(x, at_zero) {
  return x !== x ? x : x === 0 ? at_zero : x > 0 ? 1 : 0;
}

// log(exp(a) + exp(b)), without overflow.
function logaddexp(a, b) {
  if (a === b) return a + Math.LN2;
  const difference = a - b;
  if (difference > 0) return a + Math.log1p(Math.exp(-difference));
  return difference <= 0 ? b + Math.log1p(Math.exp(difference)) : difference;
}

function logaddexp2(a, b) {
  if (a === b) return a + 1;
  const difference = a - b;
  if (difference > 0) return a + Math.LOG2E * Math.log1p(2 ** -difference);
  return difference <= 0 ? b + Math.LOG2E * Math.log1p(2 ** difference) : difference;
}

// 1 / (1 + exp(-x)), without overflow.
function sigmoid(x) {
  return x <= 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

// An argument as a typed array: itself if it is one of that type, else the numbers of nested arrays, row by row.
function array(value, name, Type, shape, dtype) {
  const size = shape.reduce((n, m) => n * m, 1);
  const what = `expected ${dtype} of shape [${shape}], as a ${Type.name} of ${size} numbers or as nested arrays`;
  const is_flat = ArrayBuffer.isView(value);
  if (is_flat && value.length !== size) throw new TypeError(`${name} has ${value.length} elements; ${what}`);
  if (value instanceof Type && dtype !== "bool" && !dtype.endsWith("int64")) return value;
  const found = new Type(size);
  let k = 0;
  function copy(part, axis) {
    if (axis < shape.length) {
      if (!(Array.isArray(part) || ArrayBuffer.isView(part)) || part.length !== shape[axis])
        throw new TypeError(`${name} is ${part === undefined ? "missing" : "of another shape"}; ${what}`);
      for (const item of part) copy(item, axis + 1);
      return;
    }
    if (!["number", "bigint", "boolean"].includes(typeof part) || !is_kept(Number(part), dtype, Type, is_flat))
      throw new TypeError(`${name} has the element ${part}; ${what}`);
    found[k++] = Number(part);
  }
  if (is_flat) for (const item of value) copy(item, shape.length);
  else copy(value, 0);
  return found;
}

// Whether a number is one of a dtype. What is written for single precision is rounded to it.
function is_kept(x, dtype, Type, is_exact) {
  if (dtype === "bool") return x === 0 || x === 1;
  if (dtype === "float64" || (dtype === "float32" && !is_exact)) return true;
  if (dtype.endsWith("int64")) return Number.isSafeInteger(x) && (dtype === "int64" || x >= 0);
  return Object.is(Type.of(x)[0], x) || (x === 0 && dtype !== "float32");
}

// A result: written to an array that is given for it, else a new one, which is the caller's own.
function result(x, into, name) {
  if (into === undefined) return x.slice();
  if (into.constructor !== x.constructor || into.length !== x.length)
    throw new TypeError(`into${name} is no ${x.constructor.name} of ${x.length}, which the result is`);
  into.set(x);
  return into;
}
"""


def _parsed() -> dict[str, str]:
    found = {}
    for text in re.split(r"\n\n(?=//|function)", _SOURCE):
        name = re.search(r"^function (\w+)", text, re.MULTILINE)
        assert name is not None
        found[name[1]] = text.strip() + "\n"
    return found


HELPERS = _parsed()


def called_by(text: str) -> list[str]:
    """The helpers that some source calls, and those that they call themselves; in the order in which they stand."""
    found: set[str] = set()
    waiting = [text]
    while waiting:
        for name in re.findall(r"\b(\w+)\(", waiting.pop()):
            if name in HELPERS and name not in found:
                found.add(name)
                waiting.append(HELPERS[name])
    return [name for name in HELPERS if name in found]
