"""Another run, read from its folder."""

from tests.unit.page.synthetic import UNI, claims, models

from oodpriors.page.other import read_other


def test_a_run_has_the_name_of_its_folder(tmp_path):
    (tmp_path / "before/tables").mkdir(parents=True)
    paths = tmp_path / "before/claims.csv", tmp_path / "before/tables/models.csv"
    claims().to_csv(paths[0], index=False)
    models().to_csv(paths[1], index=False)
    other = read_other(*paths)
    assert other.name == "before"
    assert list(other.claims["verdict"]) == list(claims()["verdict"])
    assert other.beside([UNI]) == {
        "NLL out, before": ["100.0 ± 1.0"],
        "AUROC, before": ["0.60 [0.50, 1.00]"],
    }
