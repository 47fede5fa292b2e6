"""Companion scores as a table: a row per score, a column per model."""

from tests.unit.companions.rows import CIFAR, MULTI, UNI, companion_rows

from oodpriors.kinds.companions import COMPANIONS
from oodpriors.tables.make import make_table, show_table


def shown(**entry):
    table = make_table({"kind": "companions", **entry}, companion_rows(), [])
    return table, show_table("companions", table)


def test_scores_and_models_are_in_the_order_of_the_entry():
    scores = ["typicality_5", "log_prob", "waic"]
    table, printed = shown(models=[MULTI, UNI], scores=scores)
    assert table["score"].tolist() == ["typicality_5"] * 2 + ["log_prob"] * 2 + ["waic"] * 2
    assert printed.columns.tolist() == ["Out of distribution", "Score", "VAE, two", "VAE, one"]
    assert printed["Score"].tolist() == [COMPANIONS[name].title for name in scores]
    five = [*COMPANIONS].index("typicality_5")
    assert printed.iloc[0].tolist()[2:] == [
        f"0.{10 + five} [0.{9 + five}, 0.{11 + five}]",
        f"0.0{five} [0.0{five - 1}, 0.{1 + five:02}]",
    ]
    assert printed.iloc[2].tolist()[2:] == ["–", "–"]  # no WAIC


def test_a_published_number_has_a_column_if_there_is_any():
    rows = companion_rows()
    rows["published"] = rows["score"].map({"waic": 0.766})
    entry = {"kind": "companions", "models": [UNI, MULTI], "scores": ["log_prob", "waic"]}
    printed = show_table("companions", make_table(entry, rows, []))
    assert printed.columns.tolist()[2:] == ["VAE, one", "VAE, two", "Published"]
    assert printed["Published"].tolist() == ["–", "0.77"]
    others = show_table("companions", make_table(entry | {"scores": ["log_prob"]}, rows, []))
    assert "Published" not in others
    # another model of the row is of other data
    rows["published"] = rows["published"].where(rows["model"] == UNI)
    mixed = show_table("companions", make_table(entry, rows, []))
    assert mixed["Published"].tolist() == ["–", "–"]


def test_all_scores_are_shown_unless_said():
    table, printed = shown(models=[UNI])
    assert table["score"].tolist() == [name for name in COMPANIONS if name != "waic"]
    assert len(printed) == len(table)


def test_models_of_other_images_stand_apart():
    _, printed = shown(models=[UNI, CIFAR], scores=["log_prob"])
    columns = ["VAE, one, Fashion", "Glow, one, CIFAR"]
    assert printed.columns.tolist()[2:] == columns
    rows = printed.set_index("Out of distribution")[columns]
    assert (rows == "–").to_numpy().tolist() == [[False, True], [True, False]]
    assert rows.index.tolist() == ["MNIST", "SVHN"]


def test_models_with_the_same_names_stay_two():
    rows = companion_rows().assign(prior="one")
    table = make_table({"kind": "companions", "models": [UNI, MULTI]}, rows, [])
    printed = show_table("companions", table)
    assert printed.columns.tolist()[2:] == ["VAE, one", "VAE, one"]
    assert printed.iloc[0, 2] != printed.iloc[0, 3]
