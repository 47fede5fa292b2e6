"""Does a VAE's ranking depend on how it is trained or scored?

    python -m benchmarks.ablations results/quick --jobs 2

Takes the VAEs of Fashion-MNIST (1, 7) from the folder of a finished run: N(0, I) and the modes
at ±75, with all seeds. Each variant changes one thing and is trained again with the same data,
assignment, seeds and budget, or only scored again. Prints a Markdown table and writes it as CSV:
mean log p (nats) with its standard error and AUROC with its interval of 95 %, over images and
seeds, by the encoder's and by the refined estimate, both of the images that have the latter
(out + in). With the bias correction, log p is no longer a likelihood.

Models and score files are kept in ablations/ of the folder, and used again while model, data
and settings are the same; remove them after a change of the code.
"""

import argparse
import re
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from scipy.interpolate import interp1d

from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import drawn, to_nchw
from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, load_json, load_yaml, save_yaml, sha256
from oodpriors.models import refinement
from oodpriors.models.base import PIXEL_VALUES
from oodpriors.models.build import load_folder, save_weights
from oodpriors.models.categorical import categorical_log_prob
from oodpriors.models.vae import VAE
from oodpriors.scoring.score_files import score, score_sets, with_refined
from oodpriors.statistics.estimates import Estimate, ScoreTable, estimate
from oodpriors.tables.refined import refined_row, show_refined
from oodpriors.training.fit import fit

MODELS, PRIORS = "models/vae/fashion_1_7", ("unimodal", "bimodal_75")
SAMPLES = 400
AS_TRAINED, ENCODER = "as trained", "refined from the encoder's start alone"
CORRECTED = "bias correction (Chauhan et al. 2022)"
RESCORED = (AS_TRAINED, f"S = {SAMPLES}", ENCODER, CORRECTED)
NETWORKS: dict[str, dict] = {  # of the variants that are trained again
    "scaled_start: false": {"scaled_start": False},
    "encoder_norm_last: false": {"encoder_norm_last": False},
    "decoder_width: 64": {"decoder_width": 64},
}
KEPT = ["set", "images", "index", "label", "log_prob"]


def folder_of(results: Path, variant: str, prior: str, seed: int) -> Path:
    name = "ablations/" + re.sub(r"\W+", "_", variant.split(" (")[0])
    return results / (MODELS if variant == AS_TRAINED else name) / prior / f"seed{seed}"


def spec_of(variant: str, spec: dict) -> dict:
    """Specification of a variant of the model with this specification."""
    return spec | {"network": spec["network"] | NETWORKS.get(variant, {})}


def corrections(values: np.ndarray, log_probs: np.ndarray) -> np.ndarray:
    r"""Bias of each pixel value v under a categorical likelihood (Chauhan et al. 2022).

    .. math:: c(v) = \log \operatorname{mean}_{n: v \in x_n}
              \operatorname{mean}_{i: x_{ni} = v} p(x_{ni} \mid z_n)

    From "Robust outlier detection by de-biasing VAE likelihoods" (CVPR), as the authors' code
    (google-research, vae_ood) computes it: n runs over training images, z_n is the mean of
    the encoder's posterior. Values that no image has are on lines through their neighbours.

    Args:
        values: pixel values of grey training images, (N, D).
        log_probs: log p(x_ni given z_n), (N, D), nats.

    Returns:
        (PIXEL_VALUES,), nats.
    """
    image = np.repeat(np.arange(len(values)), values.shape[1])
    columns = {"image": image, "value": values.ravel(), "p": np.exp(log_probs.ravel())}
    of_images = pd.DataFrame(columns).groupby(["image", "value"])["p"].mean()
    means = of_images.groupby("value").mean()
    bias = interp1d(means.index, np.log(means), fill_value="extrapolate")
    return bias(np.arange(PIXEL_VALUES))


@torch.inference_mode()
def pixel_log_probs(model: VAE, images: np.ndarray) -> np.ndarray:
    """log p(x_i given z) of grey pixels, z the encoder's mean: (N, 1, H, W) -> (N, H W)."""
    model.low_precision, parts = False, []
    for x in torch.from_numpy(images).split(32):
        logits = model.decode(model.encode(x)[0]).reshape(-1, PIXEL_VALUES)
        parts.append(categorical_log_prob(logits, x.flatten().long()).view(len(x), -1))
    return torch.cat(parts).double().numpy()


def rescore(variant: str, model: VAE, table: pd.DataFrame, arrays: dict, refined: dict):
    """The score table with another log_prob or log_prob_refined, and what belongs to them.

    The training images in ``arrays`` are those that the model learnt.
    """
    if variant == ENCODER:
        # not by another prior: the parts of log p depend on its separating coordinates
        with patch.object(refinement, "starts", lambda _, mean: [mean]):
            changed = with_refined(model, arrays, table[KEPT], **refined)
        assert not changed["refinement_start"].any(), "the refinement had other starts"
        return changed
    changed = table[KEPT].join(table.filter(like="refine"))
    train = to_nchw(arrays["train"]["images"])
    if variant == CORRECTED:
        bias = corrections(train.reshape(len(train), -1), pixel_log_probs(model, train))
    for number, which in enumerate(("test", "ood")):
        images, rows = to_nchw(arrays[which]["images"]), table.index[table["set"] == which]
        if variant == CORRECTED:
            sums = bias[images.reshape(len(images), -1)].sum(1)
            changed.loc[rows, ["log_prob", "log_prob_refined"]] -= sums[:, None]
        else:
            chosen = table.loc[rows, "refined"].to_numpy()
            found, _ = score(model, images[chosen], SAMPLES, 2 * refined["seed"] + number)
            changed.loc[rows, "log_prob"] = np.nan  # the others are not scored again
            changed.loc[rows[chosen], "log_prob"] = found["log_prob"].to_numpy()
    return changed


def load_data(results: Path, names: dict[str, str], sums: dict) -> tuple[dict, np.ndarray]:
    """Arrays of the sets, and components (N,) of the training images."""
    paths = {s: results / "data" / f"{names[s].replace('.', '/')}.npz" for s in names}
    if missing := [path for path in paths.values() if not path.is_file()]:
        raise UserError(f"{missing[0]} is missing")
    assignments = {sha256(path): path for path in paths["train"].parent.glob("assignment.*.csv")}
    if sha256(paths["train"]) != sums["arrays"] or sums["components"] not in assignments:
        raise UserError(f"{paths['train'].parent}: the models were trained on other data")
    components = pd.read_csv(assignments[sums["components"]])["component"].to_numpy(copy=True)
    return {s: load_arrays(paths[s]) for s in ("train", "test", "ood")}, components


def make(results: Path, variant: str, prior: str, seed: int) -> None:
    """Write the score file of a variant of one model, and its weights if it is trained again."""
    torch.set_num_threads(1)
    base, folder = (folder_of(results, v, prior, seed) for v in (AS_TRAINED, variant))
    spec, budget = load_yaml(base / "spec.yaml"), load_json(results / "provenance.json")["budget"]
    vae, scores = budget["models"]["vae"], pd.read_parquet(base / "scores.parquet")
    scoring = {key: vae[key] for key in ("draws", "adaptive", "refined")}
    origin = {"scores": sha256(base / "scores.parquet")} if variant in RESCORED else {}
    wanted = spec_of(variant, spec) | {"scoring": scoring} | origin
    paths = [folder / n for n in ("spec.yaml", "weights.pt", "scores.parquet", "checkpoint.pt")]
    if not paths[0].exists() or load_yaml(paths[0]) != wanted:
        for path in paths:
            path.unlink(missing_ok=True)
        save_yaml(paths[0], wanted)
    if paths[2].exists():
        return
    names = scores.groupby("set")["images"].first().to_dict()
    arrays, components = load_data(results, names, spec["data_sha256"])
    images = to_nchw(arrays["train"]["images"])
    learnt = drawn(len(images), spec["images"], seed)
    arrays["train"] = {name: values[learnt] for name, values in arrays["train"].items()}
    refined = {"seed": seed, "refined": vae["refined"]}
    if variant in RESCORED:
        table = rescore(variant, load_folder(base), scores, arrays, refined)
    else:
        if not paths[1].exists():
            result = fit(wanted, images, components, paths[3])
            save_weights(result.model, paths[1])
        for which in ("test", "ood"):  # the table compares no other images
            chosen = scores.loc[scores["set"] == which, "refined"].to_numpy()
            arrays[which] = {name: values[chosen] for name, values in arrays[which].items()}
        model, counts, adaptive = load_folder(folder), (vae["draws"], seed, 1), vae["adaptive"]
        table, _ = score_sets(model, arrays, names, *counts, adaptive=adaptive)
        table = with_refined(model, arrays, table, **refined)
    with atomic(paths[2]) as path:
        table.to_parquet(path, index=False)
    paths[3].unlink(missing_ok=True)


def row(variant: str, prior: str, table: ScoreTable, n_bootstrap: int) -> dict:
    """A row of the table: the same images by both estimates."""

    def get(statistic: str, which: str, column: str) -> Estimate:
        return estimate(table, statistic, which, column, n_bootstrap)

    about = {"variant": variant, "prior": prior, "seeds": len(table.tables)}
    return about | refined_row(table, get)


def markdown(table: pd.DataFrame) -> str:
    images = table["n_ood_refined"].astype(str) + " + " + table["n_test_refined"].astype(str)
    shown = show_refined(table.assign(training_data=images))
    shown = shown.rename(columns={"Training data": "Images"})
    shown.insert(0, "Variant", table["variant"])
    return shown.to_markdown(index=False, disable_numparse=True)


def seeds_of(results: Path) -> list[int]:
    """Seeds of the models of both priors."""
    files = [results.glob(f"{MODELS}/{prior}/seed*/scores.parquet") for prior in PRIORS]
    found = [{int(path.parent.name.removeprefix("seed")) for path in paths} for paths in files]
    seeds, record = sorted(set.intersection(*found)), results / "provenance.json"
    if not seeds or not record.is_file():
        raise UserError(f"{results} is no finished run with {MODELS} and {', '.join(PRIORS)}")
    if not load_json(record)["budget"]["models"]["vae"].get("refined"):
        raise UserError(f"{results} has no refined posteriors (models.vae.refined)")
    return seeds


def run(results: Path, n_jobs: int, n_seeds: int | None = None) -> pd.DataFrame:
    """Make what is missing, each in a process of its own, and then the table."""
    seeds = seeds_of(results)[:n_seeds]
    spec = load_yaml(folder_of(results, AS_TRAINED, PRIORS[0], seeds[0]) / "spec.yaml")
    variants = [*RESCORED, *(name for name in NETWORKS if spec_of(name, spec) != spec)]
    jobs = [(v, p, seed) for v in variants[1:] for p in PRIORS for seed in seeds]
    with ProcessPoolExecutor(n_jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        waiting = {pool.submit(make, results, *job): job for job in jobs}
        try:
            for number, future in enumerate(as_completed(waiting), 1):
                future.result()
                print(f"{number} of {len(jobs)}:", *waiting[future], file=sys.stderr)
        finally:  # after a mistake, nothing more is begun
            pool.shutdown(cancel_futures=True)
    rows, n_bootstrap = [], load_json(results / "provenance.json")["budget"]["bootstrap"]
    for variant, prior in product(variants, PRIORS):
        paths = [folder_of(results, variant, prior, seed) / "scores.parquet" for seed in seeds]
        rows.append(
            row(variant, prior, ScoreTable([*map(pd.read_parquet, paths)], seeds), n_bootstrap)
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablations")
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once, one thread each")
    parser.add_argument("--seeds", type=int, help="number of seeds; default: all of the run")
    parser.add_argument("--output", type=Path, help="default: ablations.csv in the folder")
    given = parser.parse_args()
    try:
        table = run(given.results, given.jobs, given.seeds)
    except UserError as error:
        sys.exit(f"error: {error}")
    with atomic(given.output or given.results / "ablations.csv") as path:
        table.to_csv(path, index=False)
    print(markdown(table))


if __name__ == "__main__":
    main()
