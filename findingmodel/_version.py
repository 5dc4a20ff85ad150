"""The version, in one place; read by the build and by ``findingmodel --version``."""

__version__ = "2.0.0b1"
