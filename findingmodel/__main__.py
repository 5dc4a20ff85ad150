"""``python -m findingmodel`` is the command ``findingmodel``."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """Run the command of this process.

    Ctrl-C ends it without a word while it is still being imported; the command says what was written.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from findingmodel.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
