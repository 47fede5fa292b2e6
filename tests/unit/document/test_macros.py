"""What the document says of its run."""

import pytest
from tests.unit.document.conftest import macros, made, made_claims, printed, record
from tests.unit.tables import test_remedy as remedy


def test_the_macros_count_the_verdicts():
    found = macros(made()["macros"])
    assert found["Claims"] == "8"
    assert found["Verdicts"] == (
        "Of 8 claims of our own, 3 hold, 1 fails, 2 are not decided, 1 is shown by one training "
        "and 1 is not shown by one training. One or two trainings decide nothing."
    )
    assert found["ExpectedFalse"].startswith("Of 6 claims tested at a level of 5 %, 4 were")


def test_the_papers_claims_are_counted_apart():
    claims = made_claims().assign(quote="")
    quoted = claims["id"].isin([*"ABC"])
    claims.loc[quoted, "quote"] = "its words"
    found = macros(made(claims=claims[~claims["id"].isin([*"GH"])])["macros"])["Verdicts"]
    assert found == (
        "Of 3 claims of the paper, 1 holds, 1 fails and 1 is not decided; of 3 claims of our own, "
        "2 hold and 1 is not decided."
    )
    verdict = dict.fromkeys(("verdict", "comparison_verdict"), "not applicable")
    one = claims[claims["id"] == "B"].assign(quote=float("nan"), **verdict)
    found = macros(made(claims=one)["macros"])["Verdicts"]
    assert found == "Of 1 claim of our own, 1 cannot be decided on stand-ins."


@pytest.mark.parametrize(
    ("flows", "trainings", "seeds"),
    [
        ([], "2 trainings of image models", ""),
        (
            [["toy/mixture_2/unimodal", 0], ["toy/mixture_2/unimodal", 4], ["toy/x/y", 0]],
            "2 trainings of image models and 3 of toy flows",
            "Each toy flow has 2 seeds.",
        ),
    ],
)
def test_trainings_of_images_and_of_toy_flows_are_counted_apart(flows, trainings, seeds):
    found = macros(made(record=record() | {"flows": flows})["macros"])
    assert found["Trainings"] == trainings
    assert found["SeedNote"].endswith(seeds)
    assert ("toy flow" in found["SeedNote"]) == bool(seeds)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.6, "9 seconds"), (60, "2 minutes"), (1800, "60 minutes"), (3.6e6, "2,000 hours")],
)
def test_the_time_of_the_trainings_is_told_in_a_fitting_unit(seconds: float, words: str):
    run = record()
    for model in run["models"]:  # two of them
        model["training_seconds"] = seconds
    assert macros(made(record=run)["macros"])["Computing"] == words


def test_the_document_names_each_processor_and_gpu_once():
    run = record()
    run["models"] += [{**run["models"][0], "device": "Tesla"}]
    assert macros(made(record=run)["macros"])["Devices"] == "Tesla, Z80 (model 1)"


def test_the_macros_tell_the_run():
    found = macros(made()["macros"])
    assert (found["Run"], found["Scale"], found["Seeds"]) == ("my_run", "smoke", "0, 3")
    assert (found["TestImages"], found["OodImages"]) == ("1,000", "2,345")
    assert found["Commit"] == "f" * 12
    assert found["Note"] == "Scale smoke; part of the images"
    assert found["Date"] == "2019-11-26"


OFFICIAL = record()["data"][0]


OWN = OFFICIAL | {"source": {"kind": "npz", "stand_in": False, "files": [{"name": "own.npz"}]}}


OWN["source"]["files"][0]["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("whole", "data", "kind", "sentences"),
    [
        (True, [OFFICIAL], "A Reproduction of", []),
        (True, [OFFICIAL, OWN], "A Reproduction of", ["own.npz are our own"]),
        (False, [OFFICIAL], "A Part of the Experiments of", ["this run: two_modes, toy."]),
        (False, [OWN], "Our Own Data, after", ["this run: two_modes, toy.", "are our own"]),
    ],
)
def test_a_document_says_what_is_run_on_whose_data(whole, data, kind, sentences):
    found = macros(made(record=record() | {"whole": whole, "data": data})["macros"])
    assert (found["Kind"], found["Whole"]) == (kind, str(int(whole)))
    assert all(sentence in found["Scope"] for sentence in sentences)
    assert bool(found["Scope"]) == bool(sentences)
    assert ("own.npz" in found["Data"]) == (OWN in data)


GIVEN = {
    name: OFFICIAL
    | {"subset": name}
    | {"source": OWN["source"] | {"files": [{"name": f"{name}.npz", "sha256": "0" * 64}]}}
    for name in ("cifar_0_4", "svhn", "cells")
}
DATASETS = {"cifar_0_4": "cifar10", "svhn": "svhn", "cells": "cells", "mnist": "mnist"}


@pytest.mark.parametrize(
    ("subsets", "scope", "data"),
    [
        (
            ["cifar_0_4", "cifar_0_4"],
            "CIFAR-10 was read from a file of the user, cifar_0_4.npz.",
            "the paper's data sets, CIFAR-10 from a file of the user",
        ),
        (
            ["cifar_0_4", "svhn"],
            "CIFAR-10 and SVHN were read from files of the user, cifar_0_4.npz and svhn.npz.",
            "the paper's data sets, CIFAR-10 and SVHN from files of the user",
        ),
        (
            ["svhn", "cells"],
            "SVHN was read from a file of the user, svhn.npz. The data in cells.npz are our own: "
            "the paper has no number of them.",
            "the paper's data sets, SVHN from a file of the user and our own (cells.npz)",
        ),
    ],
)
def test_a_file_of_the_user_under_the_name_of_a_set_of_the_paper_is_not_our_own(
    subsets, scope, data
):
    parts = [GIVEN[name] for name in subsets]
    found = macros(made(record=record() | {"data": parts, "datasets": DATASETS})["macros"])
    assert (found["Scope"], found["Data"]) == (scope, data)
    assert found["Kind"] == "A Reproduction of"


def test_changed_code_is_named_as_such():
    found = macros(made(record=record(changed=True))["macros"])
    assert found["Commit"] == "f" * 12 + " with changes"


def test_commits_of_the_trainings_and_of_the_document_are_named():
    macros = printed(made(record=record(changed=True))["macros"])
    assert "f" * 40 + " with changes" in macros
    assert "\\newcommand{\\TrainingCommits}{" + "e" * 40 + "}" in macros


# what helps beside the paper's remedy


def with_remedy(**changes):
    table = remedy.made(remedy.rows()).assign(**changes)
    return made(tables={"remedy": ({"kind": "remedy", "caption": "Of it."}, table)})


def test_the_document_says_what_helps_and_where_the_prior_is_needed():
    text = printed(with_remedy()["topics"]).split(r"\section{Beyond the paper}")[1]
    for sentence in (
        "Of 3 sets out of distribution",
        "has a higher AUROC than log p under the multimodal prior on 1 and a lower one on 1,",
        "on 1 the intervals overlap.",
        "Beside the score the multimodal prior is still needed for the kmnist under the vae of "
        "Fashion.",
        "is title of corrected, with an AUROC of 0.68 on average; log p has 0.40 under the "
        "unimodal and 0.81 under the multimodal prior.",
        "This one score is better than log p under the multimodal prior on 0 of the 3 sets and "
        "worse on 2, with intervals of 95 % apart.",
        "It is worse on the ood, the kmnist under the vae of Fashion.",
    ):
        assert text.count(sentence) == 1, sentence


def test_a_prior_that_is_needed_nowhere_is_said_to_be():
    text = printed(with_remedy(better="neither")["topics"])
    assert (
        "On none of these sets is log p under the multimodal prior better than the best score "
        "chosen for that set." in text
    )
    assert "still needed" not in text


def test_without_a_score_for_all_sets_there_is_no_sentence_of_it():
    text = with_remedy(one=None, one_auroc_high=float("nan"))["topics"]
    assert "Of 3 sets" in text
    assert "One score for all" not in text
    assert "This one score" not in text


def test_a_score_that_loses_nowhere_has_no_list_of_losses():
    text = printed(with_remedy(one_auroc_high=1.0)["topics"])
    assert "sets and worse on 0, with" in text
    assert "It is worse on" not in text


def test_a_run_without_other_scores_says_nothing_of_them():
    rows = remedy.rows()
    nothing = remedy.made(rows.assign(auroc=rows["auroc"] * float("nan")))
    for tables in ({}, {"remedy": ({"kind": "remedy", "caption": "Of it."}, nothing)}):
        text = made(tables=tables)["topics"]
        for words in ("counted for each pair", "the score", "One score"):
            assert words not in text
