"""The command `tinygrad-cnn`: its output, its errors and its exit codes. The subcommands are modules of `cli/`."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from tinygrad_cnn.cli import signals
from tinygrad_cnn.escaping import printable


class _Output:
    """Standard output, which may go away in the middle (`| head -1`) or fill up, while the work is still to be done.

    What cannot be written any more is dropped, and `lost` says why.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _try(self, action: Any) -> None:
        if self.lost is None:
            try:
                action()
            except OSError as error:
                self.lost = error
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    # What is still in the buffer would fail again, when Python ends.
                    os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())


def _open_what_is_closed() -> None:
    """Let standard output and error be there, where the caller has closed them (`>&-`): what they get is dropped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for as long as the command runs)


@contextlib.contextmanager
def _standard_output() -> Iterator[_Output]:
    """Standard output that does not fail, and that shows every file name, whatever its encoding."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A signal may end the process at any moment, and what is in a buffer then is lost.
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    before, sys.stdout = sys.stdout, _Output(sys.stdout)
    try:
        yield sys.stdout
        sys.stdout.flush()
    finally:
        sys.stdout = before


def _run() -> int:
    from tinygrad_cnn.extras import MissingExtraError, extra

    try:
        with extra("cnn", "the command"):
            import click
    except MissingExtraError as error:
        return _refused(str(error))

    # Without a folder for its list of fonts it logs a warning that does not concern the user.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)

    from tinygrad_cnn.circle_square.errors import InputError
    from tinygrad_cnn.cli.commands import command

    try:
        with warnings.catch_warnings():
            # NumPy's, of values that overflow: the command reports the consequences itself.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.filterwarnings("ignore", module=r"PIL\.")  # of damage that does not matter, or is refused
            code = command.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 2
    except click.ClickException as error:
        return _refused(" ".join(error.format_message().split()))
    except (InputError, MissingExtraError) as error:
        return _refused(str(error))


def _refused(why: str) -> int:
    print(f"tinygrad-cnn: {printable(why)}", file=sys.stderr)
    return 2


def main() -> None:
    """Run the command. An error of the user is one line on standard error, and exit code 2."""
    _open_what_is_closed()
    signals.install()
    with _standard_output() as out:
        code = _run()
    if out.lost is not None and not isinstance(out.lost, BrokenPipeError):
        code = _refused(f"standard output cannot be written: {out.lost.strerror or out.lost}")
    sys.exit(code)


if __name__ == "__main__":
    main()
