"""Ray-cast pictures of solids that are known."""

import numpy as np
import pytest

from guidegen.errors import GeometryError
from guidegen.mesh.picture import Camera, ColouredMesh, render, render_views

SIZE = (200, 150)
RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)
FORWARD, UP = np.array([0.0, -1, 0]), np.array([0.0, 0, 1])
FACES = np.array(
    [
        *([0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4]),
        *([1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]),
    ]
)


def box(centre, half):
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    points = np.array([(x, y, z) for z in (-1, 1) for x, y in corners], dtype=float)
    return points * half + centre


def camera(width=100.0, centre=(0, 0, 0)):
    return Camera(np.array(centre, dtype=float), FORWARD, UP, width)


def drawn(picture):
    return (picture < 250).any(axis=2)


def reddish(picture):
    return picture[..., 0].astype(int) > picture[..., 2].astype(int) + 20


def test_silhouette_of_a_box_is_exact():
    picture = render([ColouredMesh(box(0, (20, 5, 10)), FACES, RED)], camera(), SIZE)
    assert picture.shape == (150, 200, 3)
    assert picture.dtype == np.uint8
    rows, columns = np.nonzero(drawn(picture))
    assert (columns.min(), columns.max()) == (60, 139)
    assert (rows.min(), rows.max()) == (55, 94)
    assert drawn(picture).sum() == 80 * 40


def test_from_behind_the_left_is_left_and_the_head_is_up():
    """x is the patient's left, z the head; the camera looks to the front."""
    picture = render([ColouredMesh(box((30, 0, 20), 4), FACES, RED)], camera(), SIZE)
    rows, columns = np.nonzero(drawn(picture))
    assert columns.mean() == pytest.approx(100 - 60 - 0.5, abs=0.5)
    assert rows.mean() == pytest.approx(75 - 40 - 0.5, abs=0.5)


def test_pixels_agree_with_the_picture():
    place = np.array([-17.0, 3.0, 9.0])
    view = Camera(np.array([2.0, 1, 0]), np.array([-0.7, -0.7, -0.3]), UP, 90.0)
    picture = render([ColouredMesh(box(place, 1.5), FACES, RED)], view, SIZE)
    rows, columns = np.nonzero(drawn(picture))
    x, y = view.pixels(place, SIZE)
    assert columns.mean() + 0.5 == pytest.approx(x, abs=0.5)
    assert rows.mean() + 0.5 == pytest.approx(y, abs=0.5)


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_body_hides_the_farther(order):
    """Seen from behind (y is to the back), whatever the order in the list."""
    near = ColouredMesh(box((0, 20, 0), 5), FACES, RED)
    far = ColouredMesh(box((0, -20, 0), 10), FACES, BLUE)
    picture = render([near, far][::order], camera(), SIZE)
    assert reddish(picture)[70:80, 95:105].all()
    assert not reddish(picture)[drawn(picture)].all()
    assert reddish(picture).sum() == pytest.approx(20 * 20, abs=45)


def test_a_veil_lets_through_and_a_ghost_shines_through():
    inner, outer = box(0, 5), box(0, 20)
    hidden = render(
        [ColouredMesh(inner, FACES, RED), ColouredMesh(outer, FACES, BLUE)], camera(), SIZE
    )
    veiled = render(
        [ColouredMesh(inner, FACES, RED), ColouredMesh(outer, FACES, BLUE, opacity=0.3)],
        camera(),
        SIZE,
    )
    ghost = render(
        [ColouredMesh(inner, FACES, RED, shows_through=0.7), ColouredMesh(outer, FACES, BLUE)],
        camera(),
        SIZE,
    )
    middle = (75, 100)
    assert not reddish(hidden)[middle]
    assert reddish(veiled)[middle]
    assert reddish(ghost)[middle]
    assert not reddish(ghost)[75, 75]
    covered = [
        ColouredMesh(inner, FACES, RED, shows_through=0.7),
        ColouredMesh(outer, FACES, BLUE, covers=True),
    ]
    assert np.array_equal(render(covered, camera(), SIZE), hidden)


def test_a_face_turned_away_is_darker():
    """A face towards the viewer against one at 70 degrees."""
    turned = box(0, 10) @ np.array([[0.34, 0.94, 0], [-0.94, 0.34, 0], [0, 0, 1.0]])
    picture = render([ColouredMesh(turned, FACES, (0.8, 0.8, 0.8))], camera(), SIZE)
    line = picture[75, drawn(picture)[75]].mean(axis=1)
    assert line[4:-4].max() - line[4:-4].min() > 40


def test_framing_holds_everything():
    points = np.random.default_rng(3).normal(size=(50, 3)) * (30, 10, 60)
    view = Camera.framing(points, np.array([-1.0, -0.4, -0.2]), UP, SIZE, 5.0)
    spots = view.pixels(points, SIZE)
    assert spots.min() > 0
    assert (spots < SIZE).all()


def test_views_are_the_same_as_single_pictures_and_repeat():
    meshes = [ColouredMesh(box(0, 8), FACES, RED), ColouredMesh(box((9, 9, 9), 5), FACES, BLUE)]
    views = [camera(), camera(60.0)]
    pictures = render_views(meshes, views, SIZE)
    for view, picture in zip(views, pictures, strict=True):
        assert np.array_equal(picture, render(meshes, view, SIZE))


def test_far_from_the_origin_nothing_changes():
    shift = np.array([800.0, -600.0, 1500.0])
    here = render([ColouredMesh(box(0, 8), FACES, RED)], camera(), SIZE)
    there = render([ColouredMesh(box(shift, 8), FACES, RED)], camera(centre=shift), SIZE)
    assert np.abs(here.astype(int) - there).max() <= 2


def test_what_can_not_be_drawn():
    with pytest.raises(GeometryError, match="at least one mesh"):
        render([], camera(), SIZE)
    with pytest.raises(GeometryError, match="width above 0"):
        camera(0.0)
    with pytest.raises(GeometryError):
        Camera(np.zeros(3), FORWARD, FORWARD, 10.0)
