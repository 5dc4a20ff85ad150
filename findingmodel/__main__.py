"""``python -m findingmodel`` is the command ``findingmodel``."""

from findingmodel.cli import main

if __name__ == "__main__":
    main()
