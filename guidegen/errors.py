"""The exceptions of guidegen: the work could not be done.

A failed check is not an exception but a ``Finding``.

::

    GuidegenError
    ├── InputError              the file, folder or option can't be used
    │   ├── IncompleteSeries    slices are missing, doubled or uneven
    │   └── UnsupportedScan     readable, but not a CT that can be planned on
    ├── FrameError              two things are not in the same coordinate frame
    ├── AnatomyError            the anatomy asked for was not found
    ├── PlanError               no plan can be made, or the plan is not valid
    ├── GeometryError           a solid could not be made, or is not closed
    └── NotApproved             the plan is not approved, or changed since

Every message says what was wanted, what was found and what to do.
"""


class GuidegenError(Exception):
    """Base of everything that guidegen raises on purpose."""


class InputError(GuidegenError):
    """The file, folder or option can't be used."""


class IncompleteSeries(InputError):
    """Slices of the series are missing, doubled or unevenly spaced."""


class UnsupportedScan(InputError):
    """The input is readable but is not a CT that can be planned on."""


class FrameError(GuidegenError):
    """Two things that must share a coordinate frame do not."""


class AnatomyError(GuidegenError):
    """The anatomy that was asked for was not found."""


class PlanError(GuidegenError):
    """No plan can be made, or the plan given is not valid."""


class GeometryError(GuidegenError):
    """A solid could not be made, or is not one closed body."""


class NotApproved(GuidegenError):
    """The plan is not approved, or something it covers changed since."""
