"""The ids of finding models, attributes and values: how they look, and how new ones are made.

The patterns are written for pydantic's regex engine and for Python's `re.fullmatch` alike.
"""

from __future__ import annotations

import os
import re

from findingmodel.errors import ConfigError

__all__ = [
    "ATTRIBUTE_ID_PATTERN",
    "FINDING_ID_PATTERN",
    "ORGANIZATION_CODE_PATTERN",
    "VALUE_CODE_PATTERN",
    "generate_oifm_id",
    "generate_oifma_id",
]

ORGANIZATION_CODE_PATTERN = r"^[A-Z]{3,4}$"
FINDING_ID_PATTERN = r"^OIFM_[A-Z]{3,4}_[0-9]{6}$"
ATTRIBUTE_ID_PATTERN = r"^OIFMA_[A-Z]{3,4}_[0-9]{6}$"
VALUE_CODE_PATTERN = r"^OIFMA_[A-Z]{3,4}_[0-9]{6}\.[0-9]+$"


def generate_oifm_id(source: str) -> str:
    """Make a random id for a finding model, such as ``OIFM_ABCD_123456``.

    Nothing is looked up: whether the id is free is for the caller to find out.

    Args:
        source: the code of the organization that gives the id, three or four letters A-Z in any case.

    Raises:
        ConfigError: *source* is no such code.
    """
    return _random_id("OIFM", source)


def generate_oifma_id(source: str) -> str:
    """Make a random id for an attribute, such as ``OIFMA_ABCD_123456``; otherwise as `generate_oifm_id`."""
    return _random_id("OIFMA", source)


def _random_id(prefix: str, source: str) -> str:
    code = source.upper() if source.isascii() else ""
    if not re.fullmatch(ORGANIZATION_CODE_PATTERN, code):
        raise ConfigError(f"cannot make an id: the source must be three or four letters A-Z, not {source!r}")
    number = int.from_bytes(os.urandom(8), "big") % 1_000_000  # `random` and `secrets` are slow to import
    return f"{prefix}_{code}_{number:06d}"
