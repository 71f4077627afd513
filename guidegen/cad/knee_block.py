"""The block that carries the saw slot, the label and the marks; guide frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.label import Layout, fit_layout, line_outlines, text_width
from guidegen.cad.parts import Part, slab
from guidegen.cad.sleeve import Tab
from guidegen.errors import GeometryError
from guidegen.geometry.knee import CutAxes, HalfSpace
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats

_BAND_MM = 2.0
_SLACK_MM = 3.2
"""What rounding takes off the slot's mouth on either side."""
DEEPER_MM = 4.0
"""The block reaches so far behind the front of the bone."""
_EDGE_MM = 2.2
_MARGIN_MM = 1.0
_MARK_MM = 2.0
_LEAST_WIDTH_MM = 24.0
_PLATE_WIDTH_MM = 40.0
_FAR_MM = 150.0
_WAY_MM = 60.0
_UNDERSIZE_MM = 0.3
_OUTLET_MM = 0.4
RIM_MM = 3.5
"""No shell stands behind the block so far over the cut: it would end in a thin rim."""
_SAW_MM = 3.0
_TALL_MM = 12.0


@dataclass(frozen=True, eq=False)
class Block:
    """A box in front of the bone; across, into and stay are its axes.

    Args:
        axes: Of the cut, guide frame.
        span_mm: Slot's ends across (without slot those of the label's plate).
        front_mm: Place of its front face, along ``into``.
        back_mm: Place of its back.
        low_mm: Its side on the bone that is removed, along ``stay``.
        high_mm: Its other side.
        end_mm: Wall beyond the span.
        slot_mm: Thickness of the slot; 0 for none.
        held_mm: Depth from the front face over which the slot's ends are closed.
        layout: Of the label.
    """

    axes: CutAxes
    span_mm: tuple[float, float]
    front_mm: float
    back_mm: float
    low_mm: float
    high_mm: float
    end_mm: float
    slot_mm: float
    held_mm: float
    layout: Layout

    @property
    def outer_mm(self) -> tuple[float, float]:
        """Its ends across."""
        return self.span_mm[0] - self.end_mm, self.span_mm[1] + self.end_mm

    @property
    def corners_mm(self) -> Floats:
        """(8, 3): its corners, guide frame."""
        ends, depth = self.outer_mm, (self.front_mm, self.back_mm)
        rise = self.low_mm, self.high_mm
        return self.axes.place([[u, w, n] for u in ends for w in depth for n in rise])

    def body(self) -> Part:
        """The solid box."""
        low = np.array([self.outer_mm[0], self.front_mm, self.low_mm])
        high = np.array([self.outer_mm[1], self.back_mm, self.high_mm])
        middle = self.axes.place((low + high) / 2)
        return slab(middle, self.axes.columns, (high - low) / 2, _EDGE_MM)

    def way(self) -> Part:
        """Space in front of the face: for the saw and the blade, and so that it stays flat."""
        u, half = sum(self.span_mm) / 2, (self.outer_mm[1] - self.outer_mm[0]) / 2 + _SAW_MM
        middle = self.axes.place([u, self.front_mm - _WAY_MM / 2, (self.low_mm + self.high_mm) / 2])
        rise = (self.high_mm - self.low_mm) / 2
        return slab(middle, self.axes.columns, np.array([half, _WAY_MM / 2, rise]), 0.0)

    def pilot(self) -> Part:
        """A thinner slot for the distance field, so that its mouths come out round."""
        u = sum(self.span_mm) / 2
        half = (self.span_mm[1] - self.span_mm[0]) / 2 - 0.05
        middle = self.axes.place([u, self.front_mm - 5 + _FAR_MM / 2, 0.0])
        thin = (self.slot_mm - _UNDERSIZE_MM) / 2
        return slab(middle, self.axes.columns, np.array([half, _FAR_MM / 2, thin]), 0.0)

    def outlet(self) -> Part:
        """Room to all sides behind the captured depth, where a blade is swung.

        Without it a sliver would stand between the slot's end and the shell's outer side.
        """
        start = self.front_mm + self.held_mm
        middle = self.axes.place([0.0, start + _FAR_MM / 2, 0.0])
        half = np.array([_FAR_MM / 2, _FAR_MM / 2, self.slot_mm / 2 + _OUTLET_MM])
        return slab(middle, self.axes.columns, half, 0.0)

    def behind(self) -> Part:
        """Space behind the block, where a shell would end in a thin rim beside the cut."""
        middle = self.axes.place([0.0, self.back_mm + _FAR_MM / 2, RIM_MM / 2])
        half = np.array([_FAR_MM / 2, _FAR_MM / 2, RIM_MM / 2])
        return slab(middle, self.axes.columns, half, 0.0)

    def slot(self) -> Solid:
        """The slot that is cut exactly."""
        (a, b), half = self.span_mm, self.slot_mm / 2
        depth = self.front_mm - _WAY_MM, self.front_mm + _FAR_MM
        corners = [[u, w, n] for u in (a, b) for w in depth for n in (-half, half)]
        return Solid.hull(self.axes.place(corners), "slot")

    def tab(self, across_mm: float, half_mm: tuple[float, float], head: Floats) -> Tab:
        """A place for text on the front face, read with ``head`` (3,) upwards."""
        rise = self.label_rise_mm
        normal = -self.axes.into
        up = head - (head @ normal) * normal
        up = up / np.linalg.norm(up)
        centre = self.axes.place([across_mm, self.front_mm, rise])
        return Tab(centre, np.cross(up, normal), up, normal, half_mm, 4.0)

    @property
    def label_rise_mm(self) -> float:
        """Middle of the lip that carries the label, along ``stay``."""
        if self.slot_mm == 0:
            return (self.low_mm + self.high_mm) / 2
        return (self.low_mm - self.slot_mm / 2) / 2


_SLEEVE_MM = 1.5
"""Between a label's plate and the parallel pins' sleeves over it."""


def block_rise_mm(kerf_mm: float, settings: KneeGuideSettings) -> float:
    """How far a block reaches over its cut to the bone that stays, about."""
    if not settings.slot:
        return settings.pin_offset_mm - settings.sleeve_outer_mm / 2 - _SLEEVE_MM
    return (kerf_mm + settings.slot_clearance_mm) / 2 + settings.slot_wall_mm


def make_block(
    axes: CutAxes,
    bone_points: Floats,
    free: Sequence[HalfSpace],
    words: Sequence[str],
    settings: KneeGuideSettings,
    kerf_mm: float,
) -> Block:
    """Lay the block before the bone: as wide as the bone allows, deep enough to hold the blade.

    Args:
        axes: Of the cut, guide frame.
        bone_points: (N, 3) all round the cut, guide frame.
        free: Half spaces that it has to stay in.
        words: Of the label.
        settings: Sizes.
        kerf_mm: Of the planned cut.

    Raises:
        GeometryError: The bone or the tendon leaves no room.
    """
    local = axes.local(bone_points)
    section = local[np.abs(local[:, 2]) < _BAND_MM]
    if len(section) < 20:
        raise GeometryError("the planned cut does not meet the bone; plan again")
    slot = kerf_mm + settings.slot_clearance_mm if settings.slot else 0.0
    most = settings.slot_max_width_mm if settings.slot else _PLATE_WIDTH_MM
    width = min(float(np.ptp(section[:, 0])), most)
    middle = float(section[:, 0].max() + section[:, 0].min()) / 2
    span = (middle - width / 2, middle + width / 2)
    gap = settings.fit_gap_mm + settings.relief_mm
    depth = settings.capture_mm + 2 * _SLACK_MM if settings.slot else settings.body_thickness_mm
    for _ in range(3):
        bone = _front_of(section, span)
        span = _kept_free(axes, span, bone - gap - depth, free, settings)
    layout = fit_layout(words, _label_width(span, settings), settings)
    lip = max(2 * layout.half_mm[1], settings.mark_height_mm + 2 * _MARK_MM) + _MARGIN_MM
    low, high = -slot / 2 - max(lip, settings.slot_wall_mm), slot / 2 + settings.slot_wall_mm
    if not settings.slot:
        high = min(lip / 2, block_rise_mm(kerf_mm, settings))
        low = high - lip
        beside = settings.slot_end_mm + _SAW_MM
        tall = local[np.abs(local[:, 2]) < high + _BAND_MM]
        bone = _front_of(tall, (span[0] - beside, span[1] + beside))
    return Block(
        axes,
        span,
        bone - gap - depth,
        bone + DEEPER_MM,
        low,
        high,
        settings.slot_end_mm,
        slot,
        depth if settings.slot else 0.0,
        layout,
    )


def _front_of(local: Floats, span: tuple[float, float]) -> float:
    """How far the bone reaches to the front between two ends, along ``into``."""
    near = (local[:, 0] > span[0]) & (local[:, 0] < span[1])
    return float(local[near if near.any() else slice(None), 1].min())


def _kept_free(
    axes: CutAxes,
    span: tuple[float, float],
    front_mm: float,
    free: Sequence[HalfSpace],
    settings: KneeGuideSettings,
) -> tuple[float, float]:
    """Shorten a slot until the block's ends lie in the half spaces."""
    across = np.arange(span[0], span[1] + 1e-9, 0.5)
    depth = settings.capture_mm + 2 * _SLACK_MM if settings.slot else 0.0
    keep = np.ones(len(across), dtype=bool)
    for sign in (-1, 1):
        ends = [
            axes.place([[u + sign * settings.slot_end_mm, w, n] for u in across])
            for w in (front_mm, front_mm + depth)
            for n in (-_TALL_MM, _TALL_MM / 2)
        ]
        for half in free:
            keep &= np.min([half.room_mm(e) for e in ends], axis=0) > 0
    if keep.sum() < 2 * _LEAST_WIDTH_MM:
        raise GeometryError(
            f"a slot or label plate of at least {_LEAST_WIDTH_MM:g} mm was wanted, the patellar "
            f"tendon leaves {keep.sum() / 2:.0f} mm; lower tendon_mm or enlarge tibia_turn_deg"
        )
    return float(across[keep][0]), float(across[keep][-1])


def _label_width(span: tuple[float, float], settings: KneeGuideSettings) -> float:
    """Between the marks at both ends."""
    ends = 2 * settings.slot_end_mm - 2 * _MARGIN_MM
    return span[1] - span[0] + ends - 2 * (mark_width(settings) + _MARGIN_MM)


def mark_width(settings: KneeGuideSettings) -> float:
    """Of the face that a mark takes."""
    return text_width("M") * settings.mark_height_mm + _MARK_MM


def text_tabs(block: Block, head: Floats, settings: KneeGuideSettings) -> dict[str, Tab]:
    """Places of the marks M and L and, under "", of the label, on the front face."""
    wide = mark_width(settings)
    half = (wide / 2, settings.mark_height_mm / 2 + _MARK_MM / 2)
    low, high = block.outer_mm
    inset = wide / 2 + _MARGIN_MM
    found = {
        "M": block.tab(high - inset, half, head),
        "L": block.tab(low + inset, half, head),
    }
    return found | {"": block.tab((low + high) / 2, block.layout.half_mm, head)}


def mark_outlines(letter: str, settings: KneeGuideSettings) -> list[Floats]:
    """A mark's letter."""
    return line_outlines(letter, settings.mark_height_mm, (0.0, 0.0))
