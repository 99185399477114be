"""Functions that a module has in front if it calls them: what NumPy's operations are where JavaScript has no such."""

from __future__ import annotations

import re

_SOURCE = """\
// An integer, if a double has it exactly.
function exact(x) {
  if (!Number.isSafeInteger(x)) throw new RangeError(`an integer is about ${x}; expected at most 2^53`);
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
  if (b === 0) return a / b;
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

// The series of erf has positive terms alone; far out, erfc is a continued fraction.
function erf(x) {
  if (!(Math.abs(x) < 2)) return x !== x ? x : Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x, sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= 2 * x * x / (2 * k + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

function erfc(x) {
  if (!(x >= 2)) return x <= -2 ? 2 - erfc(-x) : 1 - erf(x);
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

// The logarithm of |gamma(x)|, by Stirling's series for large x.
function gammaln(x) {
  if (x <= 0) {
    if (x === Math.floor(x)) return x === -Infinity ? x : Infinity;
    return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 2)))) - gammaln(1 - x);
  }
  if (x === 1 || x === 2) return 0;
  let product = 1;
  for (; x < 12; x++) product *= x;
  const square = 1 / (x * x);
  const series = 1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188
    - square * (691 / 360360 - square / 156)))));
  if (x === Infinity) return x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x - Math.log(product);
}

// The derivative of gammaln.
function psi(x) {
  if (x === 0) return -1 / x;
  if (x < 0) return x === Math.floor(x) ? NaN : psi(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  let sum = 0;
  for (; x < 12; x++) sum -= 1 / x;
  const square = 1 / (x * x);
  return sum + Math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240
    - square * (1 / 132 - square * (691 / 32760 - square / 12))))));
}

function xlogy(x, y) {
  return x === 0 && y === y ? 0 : x * Math.log(y);
}

function xlog1py(x, y) {
  return x === 0 && y === y ? 0 : x * Math.log1p(y);
}

// An index of an axis with n elements; a negative one counts from the end.
function index(k, n, axis) {
  if (k < -n || k >= n) throw new RangeError(`index ${k} is out of bounds for axis ${axis} with size ${n}`);
  return k < 0 ? k + n : k;
}

function label(k, count) {
  if (!(k >= 0 && k < count)) throw new RangeError(`a label is ${k}; expected 0 to ${count - 1}`);
  return k;
}

function at_least_one(count, ignored) {
  if (!count) throw new RangeError(`all labels are ${ignored}, which is ignored; expected at least one other`);
  return count;
}

// In order, NaN last.
function sorted(line) {
  return line.sort();
}

// Where the elements are that stand in order, NaN last; of equal ones the first comes first.
function argsorted(line) {
  const rank = (x, y) => (x < y ? -1 : x > y ? 1 : x === y ? 0 : (x !== x) - (y !== y));
  return Array.from(line.keys()).sort((i, k) => rank(line[i], line[k]));
}

function argmax(line) {
  let best = 0;
  for (let k = 0; k < line.length && line[best] === line[best]; k++)
    if (line[k] > line[best] || line[k] !== line[k]) best = k;
  return best;
}

function argmin(line) {
  let best = 0;
  for (let k = 0; k < line.length && line[best] === line[best]; k++)
    if (line[k] < line[best] || line[k] !== line[k]) best = k;
  return best;
}

// In place of a matrix (n, n) its triangular factors, rows exchanged with those of b (n, columns); returns the sign.
function factorise(a, b, n, columns) {
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] === 0) return 0;
    if (pivot !== k) {
      sign = -sign;
      for (let j = 0; j < n; j++) [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j], a[k * n + j]];
      for (let j = 0; j < columns; j++)
        [b[k * columns + j], b[pivot * columns + j]] = [b[pivot * columns + j], b[k * columns + j]];
    }
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / a[k * n + k];
      a[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return sign;
}

// b (n, columns) becomes the solution of a x = b; a (n, n) is used up.
function solve(a, b, n, columns) {
  if (factorise(a, b, n, columns) === 0) throw new RangeError("singular matrix");
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < n; i++)
      for (let k = 0; k < i; k++) b[i * columns + j] -= a[i * n + k] * b[k * columns + j];
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) b[i * columns + j] -= a[i * n + k] * b[k * columns + j];
      b[i * columns + j] /= a[i * n + i];
    }
  }
}

function inverse(a, made, n) {
  made.fill(0);
  for (let k = 0; k < n; k++) made[k * n + k] = 1;
  solve(a, made, n, n);
}

function determinant(a, n) {
  let product = factorise(a, a, n, 0);
  for (let k = 0; k < n && product !== 0; k++) product *= a[k * n + k];
  return product;
}

function sign_of_determinant(a, n) {
  let sign = factorise(a, a, n, 0);
  for (let k = 0; k < n; k++) sign *= Math.sign(a[k * n + k]);
  return sign;
}

function log_of_determinant(a, n) {
  if (factorise(a, a, n, 0) === 0) return -Infinity;
  let sum = 0;
  for (let k = 0; k < n; k++) sum += Math.log(Math.abs(a[k * n + k]));
  return sum;
}

// A matrix (n, n) becomes its lower factor, whose product with its transpose it is.
function cholesky(a, n) {
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) a[k * n + j] = 0;
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i > j) a[i * n + j] = sum / a[j * n + j];
      else if (sum > 0) a[j * n + j] = Math.sqrt(sum);
      else throw new RangeError("the matrix is not positive definite");
    }
  }
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
