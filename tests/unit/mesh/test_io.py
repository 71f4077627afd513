"""STL and 3MF files keep the surface closed and say what is wrong with bad ones."""

import io
import zipfile

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold

from guidegen.errors import GeometryError, InputError
from guidegen.mesh.io import edges_match, read_stl, stl_bytes, threemf_bytes


def block(size=(10, 20, 30), at=(0, 0, 0)):
    mesh = Manifold.cube(size, True).translate(at).to_mesh64()
    return np.array(mesh.vert_properties[:, :3]), np.array(mesh.tri_verts, dtype=np.int64)


def drilled():
    solid = Manifold.sphere(20, 200)
    for angle in range(0, 180, 15):
        solid -= Manifold.cylinder(60, 1.45, circular_segments=64, center=True).rotate(
            (90, 0, angle)
        )
    mesh = solid.translate((311.7, -287.3, 901.1)).to_mesh64()
    return np.array(mesh.vert_properties[:, :3]), np.array(mesh.tri_verts, dtype=np.int64)


def test_binary_round_trip_is_closed_and_exact(tmp_path):
    vertices, faces = drilled()
    file = tmp_path / "a.stl"
    file.write_bytes(stl_bytes(vertices, faces, "guidegen L3"))
    back, triangles = read_stl(file)
    assert edges_match(triangles)
    assert trimesh.Trimesh(back, triangles, process=False).is_volume
    volume = trimesh.Trimesh(vertices, faces, process=False).volume
    assert trimesh.Trimesh(back, triangles, process=False).volume == pytest.approx(volume, rel=1e-6)
    assert stl_bytes(back, triangles, "guidegen L3") == file.read_bytes()


def test_vertices_closer_than_float32_are_merged_without_a_hole(tmp_path):
    vertices, faces = block(at=(300, 300, 300))
    mesh = trimesh.Trimesh(vertices, faces, process=False).subdivide().subdivide()
    vertices = np.array(mesh.vertices)
    edge = mesh.edges_unique[len(mesh.edges_unique) // 2]
    vertices[edge[0]] = vertices[edge[1]] + 1e-6
    file = tmp_path / "a.stl"
    file.write_bytes(stl_bytes(vertices, mesh.faces, ""))
    _, triangles = read_stl(file)
    assert edges_match(triangles)
    assert len(triangles) == len(mesh.faces) - 2


def test_two_corners_that_would_touch_stay_apart(tmp_path):
    first, faces = block((10, 10, 10), (300, 300, 300))
    second, _ = block((10, 10, 10), (310, 310, 300))
    second += np.array([1e-7, 1e-7, 0])
    file = tmp_path / "a.stl"
    both = np.concatenate([first, second])
    file.write_bytes(stl_bytes(both, np.concatenate([faces, faces + len(first)]), ""))
    assert edges_match(read_stl(file)[1])


def test_ascii_is_read(tmp_path):
    vertices, faces = block()
    file = tmp_path / "a.stl"
    file.write_text(trimesh.exchange.stl.export_stl_ascii(trimesh.Trimesh(vertices, faces)))
    back, triangles = read_stl(file)
    assert len(back) == 8 and edges_match(triangles)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-30],
        lambda data: data + b"xx",
        lambda data: data[:80] + (5).to_bytes(4, "little") + data[84:],
        lambda data: data[:80] + bytes(4),
        lambda data: b"",
        lambda data: b"hello",
        lambda data: b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 1 2 3\n",
        lambda data: b"solid a\nendsolid a\n",
        lambda data: data[:96] + np.float32(np.nan).tobytes() + data[100:],
    ],
)
def test_bad_files_end_in_one_sentence(tmp_path, damage):
    file = tmp_path / "a.stl"
    file.write_bytes(damage(stl_bytes(*block(), "")))
    with pytest.raises(InputError, match=r"a\.stl"):
        read_stl(file)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path, tmp_path / "none.stl"):
        with pytest.raises(InputError):
            read_stl(path)


def test_ascii_with_words_for_numbers(tmp_path):
    file = tmp_path / "a.stl"
    text = "solid a\nfacet normal 0 0 1\nouter loop\nvertex a b c\nvertex 1 0 0\nvertex 0 1 0\n"
    file.write_text(text + "endloop\nendfacet\nendsolid a\n")
    with pytest.raises(InputError, match="not a number"):
        read_stl(file)


def test_header_is_guarded():
    for header in ("solid part", "x" * 81):
        with pytest.raises(GeometryError):
            stl_bytes(*block(), header)


def test_open_surface_is_refused():
    vertices, faces = block()
    with pytest.raises(GeometryError):
        stl_bytes(vertices, faces[1:], "")


def test_3mf_reads_back_with_its_metadata():
    vertices, faces = drilled()
    meta = {"name": "L3", "part_number": "demo-L3", "plan_sha256": "4f9a<&"}
    data = threemf_bytes(vertices, faces, meta)
    assert data == threemf_bytes(vertices, faces, meta)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        text = package.read("3D/3dmodel.model").decode()
    assert 'unit="millimeter"' in text and 'partnumber="demo-L3"' in text
    assert '<metadata name="guidegen:plan_sha256">4f9a&lt;&amp;</metadata>' in text
    import xml.etree.ElementTree as tree

    root = tree.fromstring(text)
    space = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    n_faces = len(list(root.iter(f"{space}triangle")))
    stl = stl_bytes(vertices, faces, "")
    assert n_faces == (len(stl) - 84) // 50
