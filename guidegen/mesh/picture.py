"""Pictures of solids by ray casting on the CPU: no OpenGL, no window, the same on every machine.

Orthographic, shaded by the surface's normals with a light beside the viewer, darkened in
hollows (ambient occlusion) and at outlines, two by two rays a pixel (one a pixel for veils).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from scipy import ndimage

from guidegen.errors import GeometryError
from guidegen.mesh.shading import brightness, relief, toned
from guidegen.model.arrays import Floats, Ints, frozen_floats, unit

Picture = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]

OVERSAMPLE = 2
CREASE_COSINE = 0.77  # corners sharper than 40 deg stay sharp
HOLLOW_REACH_MM = 14.0
HOLLOW_RAYS = 8
HOLLOW_STRIDE = 4  # fine pixels between points where hollows are felt for
HOLLOW_TILE = 2
WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class ColouredMesh:
    """A surface to be drawn.

    Args:
        vertices_mm: (V, 3).
        faces: (F, 3), counter-clockwise from outside.
        colour: Red, green, blue, 0 to 1.
        opacity: Below 1 it is a veil over what lies behind it; only its nearest layer is drawn.
        shows_through: Share of its colour that is seen through solids in front of it.
        covers: Nothing shows through it.
    """

    vertices_mm: Floats
    faces: Ints
    colour: tuple[float, float, float]
    opacity: float = 1.0
    shows_through: float = 0.0
    covers: bool = False


@dataclass(frozen=True, eq=False)
class Camera:
    """An orthographic camera in the meshes' frame.

    Args:
        centre_mm: (3,) the point in the picture's middle.
        forward: (3,) from the viewer into the scene.
        up: (3,) upwards in the picture; made square to ``forward``.
        width_mm: Width of what the picture shows.

    Raises:
        GeometryError: ``up`` is parallel to ``forward`` or the width is not positive.
    """

    centre_mm: Floats
    forward: Floats
    up: Floats
    width_mm: float

    def __post_init__(self) -> None:
        forward = unit(self.forward, "forward")
        up = np.asarray(self.up, dtype=np.float64)
        object.__setattr__(self, "centre_mm", frozen_floats(self.centre_mm, (3,), "centre_mm"))
        object.__setattr__(self, "forward", forward)
        object.__setattr__(self, "up", unit(up - (up @ forward) * forward, "up"))
        if not self.width_mm > 0:
            raise GeometryError(f"a camera needs a width above 0 mm, got {self.width_mm}")

    @property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Right, up and forward, each (3,)."""
        return self.right, self.up, self.forward

    @property
    def right(self) -> Floats:
        """(3,): to the right in the picture."""
        return np.cross(self.forward, self.up)

    def pixels(self, points_mm: Floats, size: tuple[int, int]) -> Floats:
        """Project points (..., 3) to pixels (..., 2): x to the right, y down, of ``size``."""
        width, height = size
        away = np.asarray(points_mm, dtype=np.float64) - self.centre_mm
        scale = width / self.width_mm
        x = away @ self.right * scale + width / 2
        y = height / 2 - away @ self.up * scale
        return np.stack([x, y], axis=-1)

    @classmethod
    def framing(
        cls, points_mm: Floats, forward: Floats, up: Floats, size: tuple[int, int], margin_mm: float
    ) -> Camera:
        """Place a camera so that all points (N, 3) lie in a picture of ``size`` pixels."""
        first = cls(np.zeros(3), forward, up, 1.0)
        across, upward = points_mm @ first.right, points_mm @ first.up
        wide = float(np.ptp(across)) + 2 * margin_mm
        tall = float(np.ptp(upward)) + 2 * margin_mm
        middle_x, middle_y = (across.min() + across.max()) / 2, (upward.min() + upward.max()) / 2
        depth = float((points_mm @ first.forward).mean())
        centre = middle_x * first.right + middle_y * first.up + depth * first.forward
        return cls(centre, forward, up, max(wide, tall * size[0] / size[1]))


@dataclass(frozen=True, eq=False)
class _Layer:
    """Meshes that are cast together, in coordinates about ``origin_mm``."""

    scene: rtcore_scene.EmbreeScene
    corner_normals: Singles
    colours: Singles
    weights: Singles
    covers: npt.NDArray[np.bool_]
    origin_mm: Floats
    box_mm: Floats


@dataclass(frozen=True, eq=False)
class _Hits:
    """What the rays of one layer met; only the rays that met something (N)."""

    where: Ints
    depth: Singles
    points: Singles
    normals: Singles
    triangle: Ints


def render(
    meshes: Sequence[ColouredMesh],
    camera: Camera,
    size: tuple[int, int],
    background: tuple[float, float, float] = WHITE,
) -> Picture:
    """Draw meshes into one picture.

    Args:
        meshes: At least one.
        camera: Where from.
        size: Width and height in pixels.
        background: Colour where there is no mesh.

    Returns:
        (height, width, 3) uint8.

    Raises:
        GeometryError: There is nothing to draw.
    """
    return render_views(meshes, [camera], size, background)[0]


def render_views(
    meshes: Sequence[ColouredMesh],
    cameras: Sequence[Camera],
    size: tuple[int, int],
    background: tuple[float, float, float] = WHITE,
) -> list[Picture]:
    """Draw the same meshes from several sides; see ``render``. Cheaper than one by one."""
    if not meshes:
        raise GeometryError("a picture needs at least one mesh, got none")
    origin = np.mean([np.asarray(m.vertices_mm).mean(axis=0) for m in meshes], axis=0)
    solid = _layer([m for m in meshes if m.opacity >= 1], origin)
    veil = _layer([m for m in meshes if m.opacity < 1], origin)
    ghost = _layer([m for m in meshes if m.shows_through > 0 and m.opacity >= 1], origin, True)
    radius = max(float(np.abs(np.asarray(m.vertices_mm) - origin).max()) for m in meshes) * 1.8
    return [_draw((solid, ghost, veil), c, size, (background, radius)) for c in cameras]


def _draw(
    layers: tuple[_Layer | None, _Layer | None, _Layer | None],
    camera: Camera,
    size: tuple[int, int],
    setup: tuple[tuple[float, float, float], float],
) -> Picture:
    """Cast every layer and lay them over each other."""
    solid, ghost, veil = layers
    background, radius = setup
    shape = (size[1] * OVERSAMPLE, size[0] * OVERSAMPLE)
    image = np.empty((shape[0] * shape[1], 3), dtype=np.float32)
    image[:] = background
    depth = np.full(len(image), np.inf, dtype=np.float32)
    covered = np.zeros(0, dtype=np.int64)
    if solid is not None:
        hits = _cast(solid, camera, shape, radius)
        depth[hits.where] = hits.depth
        light = brightness(hits.normals, *camera.axes) * _openness(solid, hits, shape)
        image[hits.where] = toned(solid.colours[hits.triangle], light)
        image *= relief(depth.reshape(shape)).reshape(-1, 1)
        covered = hits.where[solid.covers[hits.triangle]]
    if ghost is not None:
        behind = depth.copy()
        behind[covered] = np.inf
        _blend(image, behind, ghost, camera, (shape, radius), hidden=True)
    picture = _shrink(image.reshape(*shape, 3))
    if veil is not None:
        seen = np.ascontiguousarray(depth.reshape(shape)[1::2, 1::2]).ravel()
        _blend(picture.reshape(-1, 3), seen, veil, camera, ((size[1], size[0]), radius))
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), dtype=np.uint8)


def _blend(
    image: Singles,
    depth: Singles,
    layer: _Layer,
    camera: Camera,
    setup: tuple[tuple[int, int], float],
    hidden: bool = False,
) -> None:
    """Lay a layer over an image (N, 3), where it is before what is there, or hidden behind it."""
    hits = _cast(layer, camera, *setup)
    behind = hits.depth > depth[hits.where] + 1e-3
    keep = behind if hidden else ~behind
    where = hits.where[keep]
    colour = toned(layer.colours[hits.triangle], brightness(hits.normals, *camera.axes))[keep]
    image[where] += layer.weights[hits.triangle][keep, None] * (colour - image[where])


def _shrink(fine: Singles) -> Singles:
    """Average every two by two fine pixels."""
    total = fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]
    return np.ascontiguousarray(total / 4)


def _layer(meshes: Sequence[ColouredMesh], origin: Floats, ghost: bool = False) -> _Layer | None:
    """Put meshes into one embree scene; None if there are none."""
    if not meshes:
        return None
    points = [(np.asarray(m.vertices_mm) - origin).astype(np.float32) for m in meshes]
    starts = np.cumsum([0, *(len(p) for p in points)])
    faces = [np.asarray(m.faces) + start for m, start in zip(meshes, starts[:-1], strict=True)]
    vertices = np.concatenate(points)
    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, vertices, np.concatenate(faces).astype(np.int32))
    lengths = [len(m.faces) for m in meshes]
    weights = [m.shows_through if ghost else m.opacity for m in meshes]
    return _Layer(
        scene,
        np.concatenate([_corner_normals(m) for m in meshes]),
        np.repeat(np.array([m.colour for m in meshes], dtype=np.float32), lengths, axis=0),
        np.repeat(np.array(weights, dtype=np.float32), lengths),
        np.repeat(np.array([m.covers for m in meshes]), lengths),
        origin,
        _box_corners(vertices) + origin,
    )


def _box_corners(points: Singles) -> Floats:
    """The eight corners (8, 3) of the box around points."""
    ends = np.array([points.min(axis=0), points.max(axis=0)], dtype=np.float64)
    pick = np.array([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    return np.asarray(ends[pick, np.arange(3)])


def _corner_normals(mesh: ColouredMesh) -> Singles:
    """Normal at each corner (F, 3, 3): smooth on curved surfaces, the face's own at creases."""
    points, faces = np.asarray(mesh.vertices_mm), np.asarray(mesh.faces)
    a, b, c = (points[faces[:, n]] for n in range(3))
    area = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for axis in range(3):
        for corner in range(3):
            total[:, axis] += np.bincount(faces[:, corner], area[:, axis], len(points))
    flat = area / np.maximum(np.linalg.norm(area, axis=1, keepdims=True), 1e-12)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    smooth = total[faces]
    crease = np.einsum("fcx,fx->fc", smooth, flat) < CREASE_COSINE
    smooth[crease] = np.broadcast_to(flat[:, None], smooth.shape)[crease]
    return np.asarray(smooth, dtype=np.float32)


def _rays(
    layer: _Layer, camera: Camera, shape: tuple[int, int], radius: float
) -> tuple[Ints, Singles]:
    """Fine pixels (N) that can meet the layer, and where their rays start (N, 3)."""
    rows, columns = shape
    seen = camera.pixels(layer.box_mm, (columns, rows))
    low = np.clip(np.floor(seen.min(axis=0)), 0, (columns, rows)).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)), 0, (columns, rows)).astype(int)
    column, row = np.arange(low[0], high[0]), np.arange(low[1], high[1])
    step = camera.width_mm / columns
    start = camera.centre_mm - layer.origin_mm
    start = start - (start @ camera.forward + radius) * camera.forward
    x = (column + 0.5 - columns / 2)[:, None] * (step * camera.right) + start
    y = (rows / 2 - row - 0.5)[:, None] * (step * camera.up)
    origins = x.astype(np.float32)[None] + y.astype(np.float32)[:, None]
    return (row[:, None] * columns + column).ravel(), origins.reshape(-1, 3)


def _cast(layer: _Layer, camera: Camera, shape: tuple[int, int], radius: float) -> _Hits:
    """Send one ray through the middle of every fine pixel."""
    pixels, origins = _rays(layer, camera, shape, radius)
    forward = camera.forward.astype(np.float32)
    directions = np.empty_like(origins)
    directions[:] = forward
    found = layer.scene.run(origins, directions, output=True)
    met = np.flatnonzero(found["primID"] >= 0)
    triangle, depth = found["primID"][met], found["tfar"][met]
    u, v = found["u"][met, None], found["v"][met, None]
    corner = layer.corner_normals[triangle]
    normals = corner[:, 0] * (1 - u - v) + corner[:, 1] * u + corner[:, 2] * v
    _normalise(normals)
    away = np.maximum(normals @ forward, 0)
    normals -= (2 * away)[:, None] * forward
    points = origins[met] + depth[:, None] * forward
    return _Hits(pixels[met], depth, points, normals, triangle)


def _normalise(vectors: Singles) -> None:
    """Make vectors (N, 3) unit vectors, in place."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= np.maximum(lengths, 1e-9)[:, None]


def _openness(layer: _Layer, hits: _Hits, shape: tuple[int, int]) -> Singles:
    """Share of the sky that each hit sees (N), 0.35 to 1, felt for on a coarser grid."""
    rows, columns = np.divmod(hits.where, shape[1])
    chosen = np.flatnonzero((rows % HOLLOW_STRIDE == 1) & (columns % HOLLOW_STRIDE == 1))
    row, column = rows[chosen] // HOLLOW_STRIDE, columns[chosen] // HOLLOW_STRIDE
    seen = _sky_seen(layer, hits, chosen, (row % HOLLOW_TILE) * HOLLOW_TILE + column % HOLLOW_TILE)
    coarse = tuple(-(-n // HOLLOW_STRIDE) for n in shape)
    value, count = np.zeros(coarse, dtype=np.float32), np.zeros(coarse, dtype=np.float32)
    value[row, column], count[row, column] = seen, 1
    value, count = (ndimage.gaussian_filter(a, 1.0, truncate=2.0) for a in (value, count))
    smooth = np.where(count > 1e-3, value / np.maximum(count, 1e-3), 1).astype(np.float32)
    fine = ndimage.zoom(
        smooth, HOLLOW_STRIDE, order=1, mode="nearest", grid_mode=True, prefilter=False
    )
    share = fine[rows, columns]
    return np.asarray(0.35 + 0.65 * np.sqrt(np.clip(share, 0, 1)), dtype=np.float32)


def _sky_seen(layer: _Layer, hits: _Hits, chosen: Ints, pattern: Ints) -> Singles:
    """Share of rays from chosen hits (M) that leave without meeting anything near."""
    sky = _sphere(HOLLOW_TILE**2 * HOLLOW_RAYS).reshape(-1, HOLLOW_RAYS, 3)[pattern]
    normals = hits.normals[chosen, None]
    rays = (normals + 0.98 * sky).reshape(-1, 3)
    _normalise(rays)
    start = hits.points[chosen, None] + 0.05 * normals
    origins = np.repeat(start, HOLLOW_RAYS, axis=1).reshape(-1, 3)
    reach = np.full(len(rays), HOLLOW_REACH_MM, dtype=np.float32)
    met = layer.scene.run(origins, rays, query="OCCLUDED", dists=reach)
    free = (met < 0).reshape(-1, HOLLOW_RAYS)
    return np.asarray(free.mean(axis=1), dtype=np.float32)


def _sphere(count: int) -> Singles:
    """Directions (count, 3) spread evenly over the sphere, in a fixed shuffled order."""
    n = np.arange(count) + 0.5
    z, turn = 1 - 2 * n / count, np.pi * (1 + 5**0.5) * n
    flat = np.sqrt(1 - z * z)
    points = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)
    return np.asarray(points[np.random.default_rng(0).permutation(count)], dtype=np.float32)
