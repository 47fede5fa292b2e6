"""Layers of the VAE as a table."""

import yaml
from tests.unit.tables.sources import ROOT, of_kind, reread

from oodpriors.analyses.architectures import architecture_table
from oodpriors.models.build import build_model
from oodpriors.tables.make import show_table

# architectures


@of_kind("architecture")
def test_what_differs_stands_beside_the_papers_in_brackets(table):
    shown = show_table("architecture", table)
    assert shown["Channels"].tolist()[-2:] == ["8 (64)", "256"]
    assert shown["Pad"].tolist()[-2:] == ["2 (1)", "1"]
    assert shown["Channels"].tolist()[5] == "4 (100)"  # two latent coordinates
    assert shown["Kernel"].tolist()[5:8] == ["–", "–", "–"]
    assert [i for i, cell in enumerate(shown["Differs"]) if cell == "yes"] == [5, 10]
    assert shown["Batch norm"].tolist() == ["yes"] * 5 + [""] * 3 + ["yes"] * 3 + [""]


def test_a_row_of_the_paper_alone_claims_nothing_of_ours():
    rows = yaml.safe_load((ROOT / "config/architectures.yaml").read_text())["grey"]
    extra = {"part": "decoder", "operation": "convolution", "kernel": 3, "stride": 1}
    network = {"latent_dim": 2, "decoder_width": 8}
    model = build_model("vae", (1, 28, 28), {"kind": "gaussian", "means": [[0.0]]}, network)
    made = architecture_table(model, [*rows, extra | {"channels": 9, "pad": 0}])
    last = show_table("architecture", reread(made)).iloc[-1]
    assert last[["Operation", "Kernel", "Channels"]].tolist() == ["–", "– (3)", "– (9)"]
    assert last[["Batch norm", "Differs"]].tolist() == ["", "yes"]
    assert isinstance(last["Output"], str)
