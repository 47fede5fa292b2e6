"""Tables 2 and 3 match the built layers, except for the documented differences."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from oodpriors.analyses.architectures import architecture_table
from oodpriors.config.schema import merge
from oodpriors.models.build import build_model

ROOT = Path(__file__).parents[3]
SHAPES = {"grey": (1, 28, 28), "colour": (3, 32, 32)}
PRIOR = {"kind": "gaussian", "means": [[0.0]]}


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


PAPER = read("config/architectures.yaml")
NETWORKS = merge(read("config/scales/paper.yaml"), read("config/config.yaml"))["models"]["vae"][
    "network"
]
every_network = pytest.mark.parametrize("name", SHAPES)


def table_of(name, published=None, **changes):
    model = build_model("vae", SHAPES[name], PRIOR, NETWORKS[name] | changes)
    return architecture_table(model, PAPER[name] if published is None else published)


# Rows that differ from the paper's (A8): part, row number within it, and column.
DOCUMENTED = {"grey": [("decoder", 4, "pad")], "colour": []}


@every_network
def test_only_what_is_documented_differs_from_the_paper(name):
    table = table_of(name)
    number = table.groupby("part").cumcount()
    found = zip(table["part"], number, table["differs"], strict=True)
    assert [row for row in found if row[2]] == DOCUMENTED[name]


def test_the_third_row_of_the_grey_decoder_is_padded_by_2():
    row = table_of("grey").query("part == 'decoder'").iloc[4]
    assert (row["pad"], row["paper_pad"]) == (2, 1)


def side(row, before):
    """Side of a convolution's output, by the usual formulas."""
    if row["operation"] == "convolution":
        return (before + 2 * row["pad"] - row["kernel"]) // row["stride"] + 1
    return (before - 1) * row["stride"] - 2 * row["pad"] + row["kernel"]


@every_network
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_outputs_follow_from_the_rows(name, part):
    table = table_of(name).query("part == @part")
    now = SHAPES[name][1] if part == "encoder" else {"grey": 7, "colour": 1}[name]
    for _, row in table[table["operation"].str.contains("convolution", na=False)].iterrows():
        now = side(row, now)
        assert row["output"] == f"{row['channels']:.0f} × {now:.0f} × {now:.0f}"
    assert now == (1 if part == "encoder" else SHAPES[name][1])


@every_network
def test_batch_norm_follows_every_convolution_but_the_last_of_the_decoder(name):
    table = table_of(name)
    convolutions = table[table["operation"].str.contains("convolution", na=False)]
    assert convolutions["norm"].tolist() == [True] * 8 + [False]
    assert not table.drop(convolutions.index)["norm"].any()


@every_network
def test_the_other_reading_of_batch_norm_shows(name):
    ours, other = (table_of(name, encoder_norm_last=last) for last in (True, False))
    changed = (ours["norm"] != other["norm"]).to_numpy().nonzero()[0]
    assert changed.tolist() == [4]


@every_network
def test_a_narrower_decoder_differs_in_its_channels(name):
    ours, narrow = table_of(name), table_of(name, decoder_width=8)
    changed = (ours["channels"] != narrow["channels"]).to_numpy().nonzero()[0]
    assert changed.tolist() == [len(narrow) - 2]
    row = narrow.iloc[-2]
    assert row["channels"] == 8
    assert "channels" in row["differs"].split(", ")


def test_rows_that_the_paper_has_alone_stand_there_without_ours():
    extra = {"part": "decoder", "operation": "convolution", "kernel": 3, "channels": 9}
    last = table_of("grey", [*PAPER["grey"], extra]).iloc[-1]
    theirs = last[["part", "paper_operation", "paper_kernel"]].tolist()
    assert theirs == ["decoder", "convolution", 3]
    assert pd.isna(last["operation"])
    assert last["differs"] == "operation, kernel, channels"


def test_rows_that_are_built_alone_stand_there_without_the_papers():
    last = table_of("grey", PAPER["grey"][:-1]).iloc[-1]
    assert (last["operation"], last["channels"]) == ("transposed convolution", 256)
    assert pd.isna(last["paper_operation"])
    assert last["differs"] == "operation, kernel, stride, channels, pad"
