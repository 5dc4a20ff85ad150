"""``python -m findingmodel`` is the command ``findingmodel``."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command.

    During imports, Ctrl-C ends the process silently; later, the command handles it and reports what it wrote.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from findingmodel.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
