"""tg.adopt: code that was written for NumPy alone, in modules that are left as they are."""

from __future__ import annotations

import builtins
import importlib
import math
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
import tinygrad_cnn.math
import tinygrad_cnn.numpy

FILES = {
    "orbits/__init__.py": "from orbits.kepler import anomaly\n",
    "orbits/kepler.py": """
import functools
import math
import numpy as np
from math import *
from numpy import asarray, zeros
from numpy import linalg as la
import numpy.linalg

def anomaly(m, e, tolerance=1e-14):
    E = float(m)
    while True:
        step = (E - e * math.sin(E) - m) / (1 - e * cos(E))
        E -= step
        if abs(step) < tolerance:
            return E

def arm(q):
    q = asarray(q, dtype=float)
    T = np.eye(3)
    for angle in q:
        c, s = math.cos(angle), math.sin(angle)
        T = T @ np.array([[c, -s, 1.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    position = zeros(2)
    position[0], position[1] = T[0, 2], T[1, 2]
    return la.norm(position) + numpy.linalg.norm(T)

def scaled(x, xp=np, *, root=math.sqrt):
    return xp.sum(xp.array([x[0], 2.0])) * root(x[1])

class Model:
    convert = np.asarray
    square_root = staticmethod(math.sqrt)
    tables = {}

    def __init__(self, k):
        self.k = float(k) if isinstance(k, (int, float)) else np.array(k)

    @property
    def energy(self):
        return np.sum([self.k**2, 1.0])

    @staticmethod
    def rooted(x):
        return Model.square_root(x) * complex(x, 1.0).real

    @classmethod
    def of(cls, x):
        return cls(x).energy

    class Inner:
        root = staticmethod(math.sqrt)

@np.vectorize
def clipped(u):
    return u**2 if u > 1 else u

def importing(x):
    import math
    import numpy as anp
    import numpy.linalg as alg
    from numpy import array
    return alg.norm(array([math.exp(x), anp.sum([x, x])]))

def closing(function=math.exp):
    root = math.sqrt
    def inside(x):
        return root(function(x))
    return inside

closed = closing()

def remembered(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@remembered
def wrapped(x, convert=np.asarray):
    return np.sum(convert([x, x]) ** 2)

DTYPE = np.float64

def cast(x, dtype=DTYPE):
    return dtype(x[0]) * np.zeros(2, dtype=dtype)[0] + np.sum(DTYPE(x)) ** 2

def shadowed(x):
    np = lambda x: x * 3.0
    math = np
    return math(np(x))

def numbers_of(x):
    first, *others = x.tolist()
    return first * x.item(1) + sum(others) ** 2 + x.reshape(1, 2).item(0, 1) * np.sum(x).item() * np.sum([x]).item()

UNARY = {"exp": math.exp, "sum": np.sum}

def looked_up(x):
    return UNARY["exp"](x[0]) * UNARY["sum"]([x[0], x[1]])

class Backend:
    def __init__(self, source):
        self.source = source

    def __getattr__(self, name):
        return getattr(self.source, name)

backend = Backend(np)

def by_backend(x):
    return backend.sum(backend.array([x[0], x[1]]) ** 2)

class Holder:
    def __init__(self, n):
        self.array = np.zeros(n)

    def __array__(self, dtype=None, copy=None):
        return self.array

def held(x):
    holder = Holder(2)
    before = np.zeros(2)
    before[:] = holder
    holder.array[:] = x
    return np.sum(np.asarray(holder) ** 2) + np.sum(x * np.array(holder)) + before[0]

class Absent:
    def __getattribute__(self, name):
        if name == "__class__":
            return None.__class__
        raise ImportError("not installed")

absent = Absent()

def counted(x):
    return int(x[0]) * x[1] + round(x[0], 1) * x[0]
""",
    "orbits/deciding.py": """
def with_backend(xp):
    def decorate(function):
        def call(*args):
            return function(*args, xp=xp)
        return call
    return decorate
""",
    "orbits/decorated.py": """
import numpy as np
from orbits.deciding import with_backend

@with_backend(np)
def filled(x, xp):
    y = xp.zeros(2)
    y[:] = x
    return sum(y ** 3) / 2
""",
    "orbits/late.py": "import numpy as np\nfrom math import sqrt\n\ndef f(x):\n    return np.sum([sqrt(x), x])\n",
    "orbits/lazy.py": "def f(x):\n    from . import late\n    return late.f(x)\n",
    "orbits/identical.py": "def f(x):\n    return float(x) + 1.0 if x.__class__ is float else int(x)\n",
    "orbits/typed.py": """
import numpy as np

def f(x):
    if type(x) is float:
        return float(x) ** 2
    if type(x) in (list, np.ndarray):
        return sum(f(float(u)) for u in x)
    if type(x) == np.float64:
        return x * 3.0
    return type("Other", (), {"x": x})

def g(x):
    return type(x).__name__, isinstance(x, type(1.0))
""",
    "orbits/types.py": "def f(x):\n    return isinstance(x, type), type(x) is float, float(x)\n",
    "orbits/jitted.py": """
import math
import numba
import numpy as np

@numba.njit
def root(x):
    return math.sqrt(x) + np.exp(-x)

@numba.njit
def total(x):
    result = np.zeros(2)
    for i in range(len(x)):
        result[0] += root(x[i]) * i
        result[1] = x[i]
    return result[0] * result[1]

@numba.vectorize
def soft(x, k):
    return math.log1p(math.exp(k * x)) / k if x < 2 else x
""",
    "orbits/switching.py": "import numpy as np\n\ndef use(other):\n    global np\n    np = other\n",
    "replaced/__init__.py": """
import sys
import types

class Facade:
    __name__, __path__, __spec__ = __name__, __path__, __spec__

sys.modules[__name__] = Facade()
""",
    "replaced/inner.py": "import math\n\ndef f(x):\n    return math.exp(x)\n",
    "orbits_and_more.py": "import numpy as np\n\ndef f(x):\n    return np.sum(np.asarray(x))\n",
}


@pytest.fixture
def orbits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("orbits")
    tg.adopt.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("orbits", "orbits_and_more", "replaced")]:
        del sys.modules[name]


def contents(module: ModuleType) -> list[Any]:
    """All that an adoption may change in a module."""
    functions = [f for f in vars(module).values() if isinstance(f, FunctionType)]
    return [
        dict(vars(module)),
        [dict(vars(kind)) for kind in vars(module).values() if isinstance(kind, type)],
        [(f.__defaults__, dict(f.__kwdefaults__ or {})) for f in functions],
        [[cell.cell_contents for cell in f.__closure__ or ()] for f in functions],
    ]


def slope(f: Any, x: np.ndarray) -> list[float]:
    h = 1e-6
    return [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))]


CALLS: dict[str, Any] = {
    "numbers by math, a loop until it converges": lambda m, x: m.anomaly(x[0], x[1]),
    "asarray, eye, lists of lists, zeros that are assigned to": lambda m, x: m.arm(x),
    "default arguments": lambda m, x: m.scaled(x),
    "isinstance and float in a constructor, a property": lambda m, x: m.Model(x[0]).energy,
    "an array in a constructor": lambda m, x: np.sum(m.Model(x).k ** 2),
    "a class attribute of NumPy": lambda m, x: np.sum(m.Model(1).convert([x[0], x[1]])),
    "a static method of math": lambda m, x: m.Model.rooted(x[0]),
    "a class method": lambda m, x: m.Model.of(x[0]),
    "a class in a class": lambda m, x: m.Model.Inner.root(x[0]),
    "np.vectorize as a decorator": lambda m, x: m.clipped(x).sum(),
    "imports in a function": lambda m, x: m.importing(x[0]),
    "what a function closes over": lambda m, x: m.closed(x[0]),
    "a decorated function": lambda m, x: m.wrapped(x[0]),
    "a dtype that is called": lambda m, x: m.cast(x),
    "names that are shadowed": lambda m, x: m.shadowed(x[0]),
    "int and round": lambda m, x: m.counted(x),
    "a table of functions": lambda m, x: m.looked_up(x),
    "an object that holds a module": lambda m, x: m.by_backend(x),
    "an object that holds an array": lambda m, x: m.held(x),
    "item and tolist": lambda m, x: m.numbers_of(x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_gradient_of_adopted_code_is_what_differences_give(orbits: ModuleType, call: Any) -> None:
    kepler = sys.modules["orbits.kepler"]
    x = np.array([0.7, 0.31])
    plain = call(kepler, x)
    for _ in range(50):
        call(kepler, x)
    with tg.adopt(kepler):
        value, gradient = tg.value_and_grad(lambda x: call(kepler, x))(x)
        assert call(kepler, x) == plain
        assert type(call(kepler, x)) is type(plain)
    assert value == plain
    np.testing.assert_allclose(gradient, slope(lambda x: call(kepler, x), x), rtol=1e-8, atol=1e-9)


def test_an_adoption_is_undone_without_a_trace(orbits: ModuleType) -> None:
    kepler = sys.modules["orbits.kepler"]
    before, imports, finders = contents(kepler), builtins.__import__, list(sys.meta_path)
    with tg.adopt(orbits):
        assert tg.adopt.modules() == ("orbits",)
        assert kepler.np is tinygrad_cnn.numpy
        assert kepler.math is tinygrad_cnn.math
        assert contents(kepler) != before
    assert contents(kepler) == before
    assert "float" not in vars(kepler)
    assert tg.adopt.modules() == ()
    assert builtins.__import__ is imports
    assert sys.meta_path == finders


def test_a_module_stays_adopted_until_the_last_block_ends(orbits: ModuleType) -> None:
    kepler = sys.modules["orbits.kepler"]
    with tg.adopt(orbits):
        with tg.adopt(kepler), tg.adopt(orbits):
            assert tg.adopt.modules() == ("orbits", "orbits.kepler")
        assert kepler.np is tinygrad_cnn.numpy
    assert kepler.np is np
    tg.adopt(orbits)
    with tg.adopt(orbits):
        pass
    assert kepler.np is tinygrad_cnn.numpy
    tg.adopt.undo(orbits)
    assert kepler.np is np
    tg.adopt(orbits)
    tg.adopt(orbits, kepler)
    tg.adopt.undo()
    assert kepler.np is np
    with tg.adopt(orbits):
        tg.adopt.undo()
        assert kepler.np is np
    tg.adopt.undo(orbits)  # which is not adopted any more


def test_an_exception_ends_the_block_too(orbits: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError), tg.adopt(orbits):
        raise ZeroDivisionError
    assert tg.adopt.modules() == ()


@pytest.mark.parametrize("transform", [tg.grad, tg.value_and_grad])
def test_the_transforms_adopt(orbits: ModuleType, transform: Any) -> None:
    transform(lambda e: orbits.anomaly(1.0, e), adopt=[orbits])(0.3)
    assert tg.adopt.modules() == ("orbits",)


def test_modules_of_a_package_that_are_imported_later_are_adopted(orbits: ModuleType) -> None:
    with tg.adopt(orbits):
        lazy = importlib.import_module("orbits.lazy")
        assert tg.grad(lazy.f)(4.0) == 1.25
        late = sys.modules["orbits.late"]
        assert late.np is tinygrad_cnn.numpy
    assert late.np is np
    assert late.sqrt is math.sqrt


def test_what_a_decorator_of_another_adopted_module_made_is_adopted(orbits: ModuleType) -> None:
    deciding, decorated = importlib.import_module("orbits.deciding"), importlib.import_module("orbits.decorated")
    with tg.adopt(decorated):
        with pytest.raises(TypeError):
            tg.grad(decorated.filled)(2.0)
        with tg.adopt(deciding):
            pass
    with tg.adopt(orbits):
        assert tg.grad(decorated.filled)(2.0) == 12.0
    assert decorated.filled.__closure__[1].cell_contents is np


def test_a_package_that_has_put_an_object_in_its_place_is_adopted(orbits: ModuleType) -> None:
    inner = importlib.import_module("replaced.inner")
    with tg.adopt(sys.modules["replaced"]):
        assert tg.grad(inner.f)(0.0) == 1.0
    assert inner.math is math


def test_a_package_is_no_other_one_whose_name_begins_like_its(orbits: ModuleType) -> None:
    with tg.adopt(orbits):
        more = importlib.import_module("orbits_and_more")
        assert more.np is np
        with pytest.raises(tg.GradientLostError):
            tg.grad(more.f)(1.0)


def test_what_a_module_puts_in_place_of_its_np_itself_stays(orbits: ModuleType) -> None:
    switching, other = importlib.import_module("orbits.switching"), ModuleType("other")
    with tg.adopt(switching):
        assert switching.np is tinygrad_cnn.numpy
        switching.use(other)
    assert switching.np is other


def test_the_type_of_a_tensor_is_that_of_its_value(orbits: ModuleType) -> None:
    typed = importlib.import_module("orbits.typed")
    with tg.adopt(typed):
        assert typed.f(3.0) == 9.0
        assert typed.f(np.float64(3.0)) == 9.0
        assert typed.f("x").x == "x"
        assert typed.g(3.0) == ("float", True)
        assert typed.g(np.float64(3.0)) == ("float64", True)
        assert tg.grad(typed.f)(3.0) == 3.0
        assert tg.grad(typed.f)(np.array([3.0, 4.0])).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(("name", "kept"), [("identical", "float"), ("types", "float"), ("types", "type")])
def test_python_s_own_stay_where_ours_would_be_seen_to_be_others(orbits: ModuleType, name: str, kept: str) -> None:
    module = importlib.import_module(f"orbits.{name}")
    before = module.f(1.0)
    with tg.adopt(module):
        assert kept not in vars(module)
        assert module.f(1.0) == before
    if name == "identical":
        with tg.adopt(module):
            assert tg.grad(lambda x: x * module.f(x))(3.0) == 3.0  # int is exchanged


def test_a_method_of_what_is_exchanged_is_too(orbits: ModuleType) -> None:
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")
    kepler = sys.modules["orbits.kepler"]
    kepler.N = stats.norm.cdf
    with tg.adopt(kepler):
        assert tg.grad(lambda x: kepler.N(x))(0.0) == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-15)
    assert stats.norm.cdf == kepler.N


@pytest.mark.filterwarnings("ignore")  # numba's own
def test_functions_compiled_by_numba_run_as_python_on_tensors(orbits: ModuleType) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    jitted = importlib.import_module("orbits.jitted")
    x = np.array([0.4, 1.3, 2.2])
    before = contents(jitted)
    for _ in range(2):  # before anything is compiled, and after
        with tg.adopt(jitted):
            np.testing.assert_allclose(tg.grad(jitted.total)(x), slope(jitted.total, x), rtol=1e-8, atol=1e-8)
            found = tg.grad(lambda x: np.sum(jitted.soft(x, x[0])))(x)
            np.testing.assert_allclose(found, slope(lambda x: np.sum(jitted.soft(x, x[0])), x), rtol=1e-8)
        assert contents(jitted) == before
        assert jitted.total(x) == pytest.approx(jitted.total.py_func(x), rel=1e-14)
        assert jitted.soft(x, 1.0).shape == (3,)


def test_an_adoption_that_fails_leaves_nothing_behind(orbits: ModuleType) -> None:
    kepler = sys.modules["orbits.kepler"]

    class Hostile(type):
        def __setattr__(cls, name: str, value: Any) -> None:
            raise KeyError("not to be changed")

    class Odd(metaclass=Hostile):
        __module__ = "orbits.kepler"
        convert = np.asarray

    kepler.Odd = Odd
    before = contents(kepler)
    with pytest.raises(KeyError):
        tg.adopt(orbits)
    assert contents(kepler) == before
    assert tg.adopt.modules() == ()
    with pytest.raises(tg.GradientLostError):
        tg.grad(lambda e: orbits.anomaly(1.0, e))(0.3)


def test_other_threads_go_on_as_before(orbits: ModuleType) -> None:
    kepler = sys.modules["orbits.kepler"]
    x, found, failed = np.array([0.7, 0.31]), [], []
    expected, differences = kepler.arm(x), slope(kepler.arm, x)
    stop = threading.Event()

    def plain() -> None:
        try:
            while not stop.is_set():
                assert kepler.arm(x) == expected
                assert type(kepler.zeros(2)) is np.ndarray
        except BaseException as error:
            failed.append(error)

    def differentiating() -> None:
        try:
            for _ in range(30):
                with tg.adopt(kepler):
                    found.append(tg.grad(kepler.arm)(x))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=plain), *[threading.Thread(target=differentiating) for _ in range(3)]]
    for thread in threads:
        thread.start()
    for thread in threads[1:]:
        thread.join()
    stop.set()
    threads[0].join()
    assert not failed
    np.testing.assert_allclose(found, [differences] * 90, rtol=1e-8, atol=1e-9)
    assert kepler.np is np


def test_adopting_during_a_differentiation_holds_from_then_on(orbits: ModuleType) -> None:
    def f(e: Any) -> Any:
        with pytest.raises(tg.GradientLostError):
            orbits.anomaly(1.0, e)
        with tg.adopt(orbits):
            return orbits.anomaly(1.0, e)

    assert tg.grad(f)(0.3) == pytest.approx(slope(lambda e: orbits.anomaly(1.0, e[0]), np.array([0.3]))[0], rel=1e-8)


WRONG = {
    "nothing": ((), TypeError, "no module was given"),
    "a name": (("orbits",), TypeError, "'orbits' is of type str; expected a module or a package"),
    "a function": ((tg.jacobian,), TypeError, "jacobian is of type function; .* tg.adopt\\(tinygrad_cnn.jacobians\\)"),
    "a module built into Python": ((math,), ValueError, "math is compiled, or built into Python"),
    "sys": ((sys,), ValueError, "sys is compiled, or built into Python"),
    "a compiled module": ((np.linalg._umath_linalg,), ValueError, "_umath_linalg is compiled"),
    "NumPy": ((np,), ValueError, "numpy takes Tensors as it is"),
    "this package": ((tg,), ValueError, "tinygrad_cnn takes Tensors as it is"),
    "a wrong one behind a right one": ((importlib, 3), TypeError, "3 is of type int"),
}


@pytest.mark.parametrize(("modules", "kind", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_adopted_is_refused_in_one_line(modules: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=f"^adopt: .*{message}") as raised:
        tg.adopt(*modules)
    assert "\n" not in str(raised.value)
    assert tg.adopt.modules() == ()


def test_code_of_numpys_own_can_be_adopted() -> None:
    from numpy.polynomial import chebyshev

    with tg.adopt(np.polynomial):
        gradient = tg.grad(lambda c: chebyshev.chebval(0.3, c))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(gradient, [1.0, 0.3, 2 * 0.3**2 - 1], rtol=1e-15)
