"""A server that the tests of the documents find here."""

from tests.conftest import secantus

__all__ = ["secantus"]
