"""`tinygrad-cnn train --engine jax`: which devices a training runs on, and with which other processes."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import click

from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.extras import extra

FORCED = "--xla_force_host_platform_device_count"


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an engine."""
    for option in reversed(
        (
            click.option(
                "--engine",
                type=click.Choice(["own", "jax"]),
                default="own",
                help="For cnn and synthetic: what runs the steps. `jax` runs the same program by JAX, on many devices, "
                "or on a GPU where JAX has one.",
            ),
            click.option(
                "--devices",
                type=click.IntRange(min=1),
                show_default="all that JAX has",
                help="With --engine jax: divide each batch over so many devices. A CPU is as many as are asked for.",
            ),
            click.option(
                "--coordinator",
                metavar="HOST:PORT",
                help="With --engine jax and several processes: where the first of them listens.",
            ),
            click.option("--processes", type=click.IntRange(min=1), help="With --coordinator: how many there are."),
            click.option(
                "--process", type=click.IntRange(min=0), help="With --coordinator: which one this is; the first is 0."
            ),
        )
    ):
        command = option(command)
    return command


def begin(devices: int | None, coordinator: str | None, processes: int | None, process: int | None) -> int:
    """Start JAX, and join the other processes; gives the number of devices of all. Raises InputError.

    It is called before JAX is imported, which reads how many devices a CPU is.
    """
    _check_processes(coordinator, processes, process)
    count = processes or 1
    if devices is not None and devices % count:
        raise InputError(f"--devices {devices} cannot be shared equally by {count} processes")
    if devices is not None and FORCED not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {FORCED}={devices // count}".strip()
    with extra("jax", "--engine jax"):
        import jax
    config: Any = jax.config
    config.update("jax_enable_x64", True)  # a program has the dtypes that it was traced with
    if coordinator is not None:
        _join(coordinator, count, process or 0)
    there = jax.device_count()
    if devices is not None and devices > there:
        raise InputError(
            f"--devices {devices}: JAX has {there} ({jax.default_backend()}). Ask for at most {there}; to have more on "
            f"a CPU, leave {FORCED} out of XLA_FLAGS"
        )
    return devices or there


def _check_processes(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Raise InputError for options of several processes that do not go together."""
    missing = [name for name, x in (("--processes", processes), ("--process", process)) if x is None]
    if coordinator is None and len(missing) < 2:
        raise InputError("--processes and --process need --coordinator HOST:PORT")
    if coordinator is None:
        return
    if processes is None or process is None:
        raise InputError(f"--coordinator needs {' and '.join(missing)} too")
    if not re.fullmatch(r"[^:\s]+:\d{1,5}", coordinator) or not 1 <= _port(coordinator) <= 65535:
        raise InputError(f"--coordinator {coordinator!r}: expected HOST:PORT, such as node1:1234")
    if process >= processes:
        raise InputError(f"--process {process}: expected 0 to {processes - 1}, for --processes {processes}")


def _port(coordinator: str) -> int:
    return int(coordinator.rpartition(":")[2])


def _join(coordinator: str, processes: int, process: int) -> None:
    """Wait for the other processes. Raises InputError if the first cannot listen; ends if some do not come."""
    import jax

    if process == 0:
        try:
            socket.create_server(("", _port(coordinator))).close()  # JAX would say so in two lines, and not why
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise InputError(
                f"--coordinator {coordinator}: this process cannot listen there: {why}. Choose another port"
            ) from None
    _keep_standard_output()
    waiting = threading.Timer(WAITED, _end_alone, (coordinator, processes))  # JAX would end with a list of its calls
    waiting.daemon = True
    waiting.start()
    try:
        jax.distributed.initialize(coordinator, processes, process, initialization_timeout=2 * WAITED)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"--coordinator {coordinator}: {str(error).splitlines()[0]}") from None
    finally:
        waiting.cancel()


def _keep_standard_output() -> None:
    """Leave standard output to Python: Gloo, by which CPUs communicate, prints a line there for each device."""
    out = sys.stdout
    out.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", 1, encoding=out.encoding, errors=out.errors)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


WAITED = 120  # seconds for the other processes to come


def _end_alone(coordinator: str, processes: int) -> NoReturn:
    print(
        f"tinygrad-cnn: --coordinator {coordinator}: the {processes} processes have not met there in {WAITED} s. Start "
        "all of them, with one address that each can reach",
        file=sys.stderr,
        flush=True,
    )
    os._exit(2)


def end_without_others(error: ConnectionError, what_to_do: str) -> NoReturn:
    """Say that another process has ended, and end: JAX would wait for it, and then end with a list of its own calls."""
    print(f"tinygrad-cnn: {error}; {what_to_do}", file=sys.stderr, flush=True)
    os._exit(1)
