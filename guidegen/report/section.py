"""What a section of the report is: data and the template that sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """One part of the report, not yet set in type.

    Args:
        key: Anchor in the page: ``plan``, ``slices`` ...
        title: Heading; "" for none.
        template: File in ``report/templates``.
        content: What the template shows.
        new_page: Start a new page when printed.
    """

    key: str
    title: str
    template: str
    content: Mapping[str, Any] = field(default_factory=dict)
    new_page: bool = False
