"""The table that ``inspect`` prints."""

import json

from guidegen.cli import main
from guidegen.ct.inspect import list_series
from guidegen.ct.listing import WIDTH, listing


def test_two_kernels_a_localizer_and_an_mr(scan, tmp_path):
    soft = scan(series_uid="1.2.3", step=2.0, extra={"ConvolutionKernel": "B30f"})
    soft.write(tmp_path / "soft")
    scan(series_uid="1.2.4", prefix="T", extra={"ConvolutionKernel": "B70s"}).write(tmp_path / "t")
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    scan(series_uid="1.2.5", n=1, prefix="L", extra=scout).write(tmp_path / "scout")
    scan(series_uid="1.2.6", n=3, prefix="M", extra={"Modality": "MR"}).write(tmp_path / "mr")
    lines = listing(list_series(tmp_path))
    text = "\n".join(lines)
    assert lines[0] == "4 series found, * would be used"
    assert len([line for line in lines if line.startswith("* ")]) == 1
    assert "--series 1.2.4" in text and "--series 1.2.3" in text
    assert "not used: usable, but another is preferred: thinner slices" in text
    assert "no CT slices, left out: 1 MR, 1 localizer" in text
    assert "chosen by, in this order: usable geometry" in text
    assert "B70s" in text and "112 mm" in text
    assert max(map(len, lines)) <= WIDTH
    assert "Secret" not in text


def test_columns_stand_under_their_heads(scan, tmp_path):
    lines = listing(list_series(scan().write(tmp_path)))
    head, row = lines[2:4]
    for name, value in (("kind", "CT"), ("plane", "axial"), ("pixels", "72 x 76")):
        assert head.index(name) == row.index(value)
    assert head.index("slices") + len("slices") == row.index("56") + len("56")


def test_a_refused_series_tells_why_once(scan, tmp_path):
    lines = listing(list_series(scan().write(tmp_path, skip=(1, 5))))
    text = " ".join(" ".join(lines).split())
    assert lines[0].endswith("none can be used as it is")
    assert text.count("the series is incomplete; export it again") == 1
    assert "? x 1.00 x 1.00" in text and "axial" in text


def test_json_names_the_chosen_and_the_rules(plain_folder, capsys):
    assert main(["inspect", str(plain_folder), "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"] == found["series"][0]["uid"]
    assert found["series"][0]["messages"] == [] and len(found["rules"]) == 8
    assert main(["inspect", str(plain_folder), "-q"]) == 0
