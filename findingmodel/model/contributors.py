"""Who made a finding model: people and organizations."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from findingmodel.model.ids import ORGANIZATION_CODE_PATTERN
from findingmodel.model.record import Record

__all__ = ["Contributor", "ContributorKind", "Organization", "Person"]

# Plain text that pydantic-core checks by itself: it is dumped as it was written, and no Python code runs.
_EMAIL_PATTERN = r"^[^@\s<>\x00-\x1f]+@[^@\s<>.\x00-\x1f]+(\.[^@\s<>.\x00-\x1f]+)+$"
_URL_PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s<>\x00-\x1f/?#][^\s<>\x00-\x1f]*$"

OrganizationCode = Annotated[
    str, Field(pattern=ORGANIZATION_CODE_PATTERN, description="The organization's code, such as ABCD")
]
Email = Annotated[str, Field(pattern=_EMAIL_PATTERN, max_length=254)]  # RFC 5321, section 4.5.3.1.3
Url = Annotated[str, Field(pattern=_URL_PATTERN, max_length=2083)]


class Organization(Record):
    """An organization that contributes finding models."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=5, description="The organization's full name")
    code: OrganizationCode
    url: Url | None = Field(default=None, description="Where to read about the organization")


class Person(Record):
    """A person who contributes finding models."""

    model_config = ConfigDict(frozen=True)

    github_username: str = Field(min_length=3, description="The person's user name on GitHub")
    email: Email = Field(description="The person's e-mail address")
    name: str = Field(min_length=3, description="The person's full name")
    organization_code: OrganizationCode
    url: Url | None = Field(default=None, description="Where to read about the person")


Contributor = Person | Organization


_PERSON = {"github_username", "email", "name", "organization_code"}


def _kind(contributor: Any) -> str:
    """Which of the two a contributor is meant to be, so that its errors are those of one class."""
    if isinstance(contributor, dict):
        return "organization" if "code" in contributor and not contributor.keys() >= _PERSON else "person"
    return "organization" if isinstance(contributor, Organization) else "person"


ContributorKind = Annotated[
    Annotated[Person, Tag("person")] | Annotated[Organization, Tag("organization")], Discriminator(_kind)
]
