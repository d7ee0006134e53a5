from pathlib import Path

from local.pictures import take


def test_a_picture_shows_what_was_printed(tmp_path: Path) -> None:
    path = take("status", "tokenctl status", "\x1b[1;32mHEALTHY\x1b[0m <now>\n", folder=tmp_path, width=20)
    drawn = path.read_text()
    assert "HEALTHY" in drawn
    assert "&lt;now&gt;" in drawn
    assert "tokenctl&#160;status" in drawn
    assert "font-face" not in drawn
