"""Templates beside a package's modules, set as pages that load nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def templates_of(package: str) -> Environment:
    """The templates of a package: everything is escaped, a missing value is an error.

    Args:
        package: With a folder ``templates``, e.g. ``guidegen.report``.
    """
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style_of(package: str, name: str) -> Markup:
    """A style sheet among a package's templates, which is ours and needs no escaping."""
    environment = templates_of(package)
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])
