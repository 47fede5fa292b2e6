"""Provenance as tables."""

from tests.unit.document.conftest import MODELS, cells, made, printed


def test_the_table_of_trainings_has_a_row_each():
    _, first, second = cells(made()["training"])
    assert first == [MODELS[0], "0", "12,345", "678", "1,800", "–", "cpu"]
    assert second == [MODELS[1], "3", "12,345", "678", "1,800", "2.5e-06", "cpu"]


def test_every_input_is_listed_with_its_whole_checksum():
    text = printed(made()["inputs"])
    assert "t10k_images.gz & " + "0123456789abcdef" * 4 in text
    assert "images of mnist, test & " + "ab" * 32 in text
