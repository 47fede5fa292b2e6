"""A mistake in the configuration ends the run before it starts and is reported with its key."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.workflow.conftest import copy_project, snakemake

UNI = "vae/fashion_1_7/unimodal"


def prior(means, **more) -> dict:
    return {"priors": {"mine": {"title": "mine", "means": means, "assignment": "label", **more}}}


def model(name: str) -> dict:
    return {"experiments": {"mine": {"models": [name]}}}


def of(architecture: str, **changes) -> dict:
    return {"models": {architecture: changes}}


def figure(**entry) -> dict:
    return {"figures": {"mine": entry}}


# Content of a configuration file, and the beginning of the line that it must give.
MISTAKES = {
    # names of keys
    "an unknown key": (
        {"scael": "smoke"},
        "scael: unknown key; did you mean scale?",
    ),
    "an unknown key unlike any other": (
        {"colour": "red"},
        "colour: unknown key; known: scale, data, mirror, run, compare_with, device, ",
    ),
    "an unknown key below others": (
        of("glow", training={"epoch": 60}),
        "models.glow.training.epoch: unknown key; did you mean epochs?",
    ),
    "a budget at the top": (
        {"train": {"epochs": 7}},
        "train: unknown key; known: ",
    ),
    "a missing key": (
        {"priors": {"mine": {"means": [[0]], "assignment": "single"}}},
        "priors.mine: title missing",
    ),
    "a name in capitals": (
        {"priors": {"Mine": {"title": "m", "means": [[0]], "assignment": "single"}}},
        "priors: 'Mine' does not match '^[a-z0-9_]+$' (use only small letters, digits and _)",
    ),
    "an emptied section": (
        {"datasets": None},
        "datasets: None is not of type 'object' (data sets by name)",
    ),
    # types and ranges
    "words for a number": (
        {"images": {"train": "many"}},
        "images.train: 'many' is not of type 'integer', 'null' (number of training images of a",
    ),
    "a number that YAML takes for text": (
        of("vae", training={"learning_rate": "1e-3"}),
        "models.vae.training.learning_rate: '1e-3' is not of type 'number' (learning rate "
        "after the warm-up); it is text: write 0.001, in a --configfile if it is nested",
    ),
    "half an epoch": (
        of("vae", training={"epochs": 0.5}),
        "models.vae.training.epochs: 0.5 is not of type 'integer'",
    ),
    "no epoch": (
        of("vae", training={"epochs": 0}),
        "models.vae.training.epochs: 0 is less than the minimum of 1 (number of passes over",
    ),
    "a negative number of images": (
        {"images": {"test": -5}},
        "images.test: -5 is less than the minimum of 1 (number of in-distribution test",
    ),
    "a negative learning rate": (
        of("glow", training={"learning_rate": -0.1}),
        "models.glow.training.learning_rate: -0.1 is less than or equal to the minimum of 0",
    ),
    "no draws": (
        of("glow", draws=0),
        "models.glow.draws: 0 is less than the minimum of 1 (importance samples (VAE, at least 2) ",
    ),
    "one draw of a VAE": (
        of("vae", draws=1),
        "models.vae.draws: a standard error needs at least 2 importance samples",
    ),
    "an unknown precision": (
        of("vae", network={"grey": {"decoder_precision": "float16"}}),
        "models.vae.network.grey.decoder_precision: 'float16' is not one of float32, bfloat16",
    ),
    "no replicates": (
        {"bootstrap": 0},
        "bootstrap: 0 is less than the minimum of 100 (number of bootstrap replicates",
    ),
    "a shift by more than the image": (
        {"subsets": {"fashion_1": {"shift": 2}}},
        "subsets.fashion_1.shift: 2 is greater than or equal to the maximum of 1 (largest",
    ),
    # seeds
    "no seed": (
        {"seeds": []},
        "seeds: [] should be non-empty (seeds of the trainings",
    ),
    "a seed twice": (
        {"seeds": [0, 0]},
        "seeds: [0, 0] has non-unique elements (seeds of the trainings",
    ),
    "a seed that is no list": (
        {"seeds": 3},
        "seeds: 3 is not of type 'array' (seeds of the trainings, one model for each; an "
        "experiment may set its own); write a list, [3]",
    ),
    "a negative seed": (
        {"experiments": {"cifar": {"seeds": [-1]}}},
        "experiments.cifar.seeds.0: -1 is less than the minimum of 0",
    ),
    "a number that is none": (
        of("vae", training={"learning_rate": math.nan}),
        "models.vae.training.learning_rate: nan is not of type 'number' (learning rate after the "
        "warm-up); it must be finite",
    ),
    "a number without end": (
        {"save_every": math.inf},
        "save_every: inf is not of type 'number' (seconds between",
    ),
    "too many components": (
        prior({"rule": "axes", "k": 10**9, "distance": 3}),
        "priors.mine.means.k: 1000000000 is greater than the maximum of 1000",
    ),
    "a beta that overflows": (
        {"priors": {"generalized_d5": {"beta": 1000}}},
        "priors.generalized_d5.beta: 1000 is greater than the maximum of 40",
    ),
    "a seed that is too large": (
        {"data_seed": 2**32},
        "data_seed: 4294967296 is greater than the maximum of 4294967295",
    ),
    "too many replicates": (
        {"bootstrap": 10**9},
        "bootstrap: 1000000000 is greater than the maximum of 100000",
    ),
    # names
    "a name with a line break": (
        {"priors": {"mine\n": {"title": "m", "means": [[0]], "assignment": "single"}}},
        "priors: 'mine\\n' does not match '^[a-z0-9_]+$' (use only small letters, digits and _)",
    ),
    "a table named like another file": (
        {"tables": {"claims": {"models": [UNI]}}},
        "tables.claims: the pipeline uses this name itself: choose another",
    ),
    # one of several values
    "an unknown scale": (
        {"scale": "huge"},
        "scale: 'huge' is not one of smoke, quick, short, paper",
    ),
    "an unknown device": (
        {"device": "gpu"},
        "device: 'gpu' is not one of auto, cpu, cuda",
    ),
    "unknown data": (
        {"data": "embeded"},
        "data: 'embeded' is not one of real, embedded; did you mean embedded?",
    ),
    "an unknown kind of assignment": (
        {"priors": {"bimodal_75": {"assignment": "lable"}}},
        "priors.bimodal_75.assignment: 'lable' is not one of single, label, cluster, random, "
        "mixture; did you mean label?",
    ),
    "an unknown kind of prior": (
        prior([[1], [2]], kind="student"),
        "priors.mine.kind: 'student' is not one of gaussian, generalized_gaussian",
    ),
    "an unknown kind of figure": (
        figure(kind="histogram"),
        "figures.mine.kind: 'histogram' is not one of histograms, curves, contours, topology, "
        "densities, pixels, decoded, clusters, ridges, companions; did you mean histograms?",
    ),
    "an unknown kind of table": (
        {"tables": {"mine": {"kind": "likelyhoods"}}},
        "tables.mine.kind: 'likelyhoods' is not one of likelihoods, ranking, refined, "
        "decomposition, architecture, toy, second_order, companions, best_scores, remedy; did "
        "you mean likelihoods?",
    ),
    # folders
    "a run outside results": (
        {"run": "../mine"},
        "run: '../mine' does not match '^[A-Za-z0-9_-][A-Za-z0-9_.-]*$' (name of the folder under "
        'results/; may contain letters, digits, "_", "-" and "."',
    ),
    "a run with a slash": (
        {"run": "mine/first"},
        "run: 'mine/first' does not match ",
    ),
    "a mirror that is no folder": (
        {"mirror": "no/such/folder"},
        "mirror: 'no/such/folder' is no folder here, and no http:// or https:// address",
    ),
    "a mirror of a name that no disk takes": (
        {"mirror": 300 * "x"},
        f"mirror: '{300 * 'x'}' is no folder here, and no http",
    ),
    "another run of a name that no disk takes": (
        {"compare_with": 300 * "x"},
        f"compare_with: {300 * 'x'} is no folder here",
    ),
    "weights of a name that no disk takes": (
        {"experiments": {"two_modes": {"weights": 300 * "x"}}},
        f"experiments.two_modes.weights: {300 * 'x'} is no folder here",
    ),
    "a mirror of a protocol that is not spoken": (
        {"mirror": "ftp://example.org/data"},
        "mirror: 'ftp://example.org/data' is no folder here, and no http:// or https:// address",
    ),
    # data sets and subsets
    "an unknown data set": (
        {"subsets": {"mine": {"title": "m", "dataset": "fashion_mnits"}}},
        "subsets.mine.dataset: there is no data set 'fashion_mnits'; did you mean fashion_mnist?",
    ),
    "an unknown subset out of distribution": (
        {"subsets": {"fashion_1": {"out_of_distribution": "mnits"}}},
        "subsets.fashion_1.out_of_distribution: there is no subset 'mnits'; did you mean mnist?",
    ),
    "a label that the data lack": (
        {"subsets": {"fashion_1": {"labels": [12]}}},
        "subsets.fashion_1.labels: the train split of fashion_mnist lacks [12]; it has [0, 1, 2, ",
    ),
    "an npz without its path": (
        {"datasets": {"mine": {"kind": "npz"}}},
        "datasets.mine: kind npz needs the key path",
    ),
    "an npz that is not there": (
        {"datasets": {"mine": {"kind": "npz", "path": "nowhere.npz"}}},
        "datasets.mine.path: nowhere.npz: not a usable npz data set: [Errno 2] No such file or "
        "directory: 'nowhere.npz'. It must hold images (uint8, ",
    ),
    "an npz among the results": (
        {"datasets": {"mine": {"kind": "npz", "path": "results/own/data/mine.npz"}}},
        "datasets.mine.path: results/own/data/mine.npz is in the results folder, where runs",
    ),
    "a mirror among the results": (
        {"mirror": "./results/../results/quick"},
        "mirror: ./results/../results/quick is in the results folder",
    ),
    "a folder of official files among the results": (
        {"datasets": {"fashion_mnist": {"system_folder": "results"}}},
        "datasets.fashion_mnist.system_folder: results is in the results folder",
    ),
    "means among the results": (
        prior("results/means.csv"),
        "priors.mine.means: results/means.csv is in the results folder",
    ),
    "an npz with wildcards in its path": (
        {"datasets": {"mine": {"kind": "npz", "path": "{mine}.npz"}}},
        "datasets.mine.path: '{mine}.npz' has a character that Snakemake reads as a part of its",
    ),
    "a mirror with wildcards": (
        {"mirror": "<results>"},
        "mirror: '<results>' has a character that Snakemake reads",
    ),
    "an npz that is a device": (
        {"datasets": {"mine": {"kind": "npz", "path": "/dev/zero"}}},
        "datasets.mine.path: /dev/zero: not a usable npz data set: /dev/zero is no regular file",
    ),
    "an npz that is a folder": (
        {"datasets": {"mine": {"kind": "npz", "path": "config"}}},
        "datasets.mine.path: config: not a usable npz data set: config is no regular file",
    ),
    "means that are a device": (
        prior("/dev/zero"),
        "priors.mine.means: /dev/zero is no CSV file with a mean in each line (/dev/zero is no",
    ),
    "a subset out of its own distribution": (
        {"subsets": {"fashion_1": {"out_of_distribution": "fashion_1_7"}}},
        "subsets.fashion_1.out_of_distribution: fashion_1_7 has test images of fashion_1 itself",
    ),
    "a path of another kind": (
        {"datasets": {"mnist": {"path": "mnist.npz"}}},
        "datasets.mnist.path: only kinds npz and folder have a path; kind is mnist",
    ),
    "a stand-in for nothing": (
        {"datasets": {"mnist": {"kind": "embedded"}}},
        "datasets.mnist: kind embedded needs the key stands_for",
    ),
    "a cluster that is not made": (
        {"subsets": {"cifar_0_4_clusters": {"kmeans": {"k": 4, "keep": 4}}}},
        "subsets.cifar_0_4_clusters.kmeans.keep: there is no cluster 4; they are numbered 0 to 3",
    ),
    # priors
    "means of several lengths": (
        prior([[1, 2], [3]]),
        "priors.mine.means: [2, 1] coordinates: write as many of each mean, with zeros where need",
    ),
    "more coordinates than the latent": (
        {"priors": {"bimodal_75": {"means": [[0] * 51, [1] * 51]}}},
        "priors.bimodal_75.means: 51 coordinates, but the latent of vae on fashion_1_7 has 50",
    ),
    "means that are no lists": (
        prior([75, -75]),
        "priors.mine.means.0: 75 is not of type 'array'; write a list, [75]",
    ),
    "means that are not finite": (
        prior([[float("inf")], [0]]),
        "priors.mine.means.0.0: inf is not of type 'number'; it must be finite",
    ),
    "a file of means that is not there": (
        {"priors": {"bimodal_75": {"means": "nowhere.csv"}}},
        "priors.bimodal_75.means: nowhere.csv is no CSV file with a mean in each line ([Errno 2] ",
    ),
    "an unknown rule of means": (
        prior({"rule": "circle", "k": 2, "distance": 3}),
        "priors.mine.means.rule: 'circle' is not one of line, axes, simplex",
    ),
    "more components than labels": (
        {"priors": {"bimodal_75": {"means": [[1], [2], [3]]}}},
        "experiments.two_modes: vae/fashion_1_7/bimodal_75: assignment 'label' makes 2 groups of "
        "images, priors.bimodal_75 has 3 means",
    ),
    "a beta of zero": (
        {"priors": {"generalized_d5": {"beta": 0}}},
        "priors.generalized_d5.beta: 0 is less than the minimum of 0.1 (shape of the generalised",
    ),
    "a beta that is missing": (
        {"priors": {"generalized_d5": {"beta": None}}},
        "priors.generalized_d5.beta: kind generalized_gaussian needs it: shape of the ",
    ),
    "a beta of a Gaussian": (
        {"priors": {"unimodal": {"beta": 4}}},
        "priors.unimodal.beta: only kind generalized_gaussian has it",
    ),
    "a negative scale": (
        {"priors": {"unimodal": {"scale": -1}}},
        "priors.unimodal.scale: -1 is less than the minimum of 1e-06",
    ),
    # models
    "a model of two names": (
        model("vae/fashion_1"),
        "experiments.mine.models.0: 'vae/fashion_1' does not match "
        "'^[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_]+$' (write architecture/subset/prior)",
    ),
    "an unknown architecture": (
        model("gloww/fashion_1/unimodal"),
        "experiments.mine: gloww/fashion_1/unimodal: there is no model 'gloww'; did you mean glow?",
    ),
    "an unknown subset": (
        model("vae/fashion_17/unimodal"),
        "experiments.mine: vae/fashion_17/unimodal: there is no subset 'fashion_17'; did you mean "
        "fashion_1_7?",
    ),
    "an unknown prior": (
        model("vae/fashion_1/unimodel"),
        "experiments.mine: vae/fashion_1/unimodel: there is no prior 'unimodel'; did you mean "
        "unimodal?",
    ),
    "a model with nothing out of distribution": (
        {"subsets": {"fashion_1": {"out_of_distribution": None}}},
        "experiments.two_modes: vae/fashion_1/unimodal: subsets.fashion_1 names no "
        "out_of_distribution subset",
    ),
    "images of another shape out of distribution": (
        {"subsets": {"fashion_1": {"out_of_distribution": "svhn"}}},
        "experiments.two_modes: vae/fashion_1/unimodal: images are (1, 28, 28), those of svhn are "
        "(3, 32, 32)",
    ),
    "a batch larger than the training set": (
        of("vae", training={"batch_size": 5000}),
        "models.vae.training.batch_size: 5000 is more than the 2000 training images of "
        "fashion_1_7: lower it, or raise images.train and subsets.fashion_1_7.limit.train",
    ),
    "a squeeze of an odd number of rows": (
        of("glow", network={"grey": {"squeeze_after": [1, 2]}}),
        "experiments.two_modes: glow/fashion_1_7/unimodal: 3 squeezes do not divide images "
        "(1, 28, 28): shorten squeeze_after",
    ),
    "a squeeze after the last coupling": (
        of("glow", network={"grey": {"squeeze_after": [99]}}),
        "models.glow.network.grey.squeeze_after: there are 16 couplings, so no squeeze comes after",
    ),
    # toy flows
    "a mixture in one dimension": (
        {"toy": {"dims": [1]}},
        "toy.dims.0: 1 is less than the minimum of 2",
    ),
    "dimensions that are no list": (
        {"toy": {"dims": 2}},
        "toy.dims: 2 is not of type 'array' (dimensions of the mixtures, one mixture for each); "
        "write a list, [2]",
    ),
    "an unknown prior of toy flows": (
        {"toy": {"priors": ["unimodal", "bimodl_9"]}},
        "toy.priors: there is no prior 'bimodl_9'; did you mean bimodal_9?",
    ),
    "means longer than a mixture": (
        prior([[0, 0, 0], [1, 1, 1]]) | {"toy": {"priors": ["unimodal", "bimodal_9", "mine"]}},
        "toy.dims: priors.mine.means has 3 coordinates, more than a mixture",
    ),
    "a bound of no width": (
        {"toy": {"network": {"log_scale_bound": 0}}},
        "toy.network.log_scale_bound: 0 is less than or equal to the minimum of 0 (bound of each",
    ),
    "an infinite bound": (
        {"toy": {"network": {"log_scale_bound": math.inf}}},
        "toy.network.log_scale_bound: inf is not of type 'number', 'null' (bound of each",
    ),
    "a batch larger than the points": (
        {"toy": {"training": {"batch_size": 100_000}, "points": {"train": 500}}},
        "toy.training.batch_size: 100000 is more than toy.points.train, 500",
    ),
    # weights that are taken
    "a folder of weights that is not there": (
        {"experiments": {"two_modes": {"weights": "nowhere"}}},
        "experiments.two_modes.weights: nowhere is no folder here",
    ),
    "a folder without these weights": (
        {"experiments": {"two_modes": {"weights": "config"}}},
        f"experiments.two_modes.weights: config/{UNI}/seed0 holds no trained model: there is no",
    ),
    "an archive that is not there": (
        {"experiments": {"two_modes": {"weights": {"archive": "a.tgz", "sha256": "0" * 64}}}},
        "experiments.two_modes.weights: there is no file a.tgz, and it is no http:// or https://",
    ),
    "an archive without its checksum": (
        {"experiments": {"two_modes": {"weights": {"archive": "a.tgz"}}}},
        "experiments.two_modes.weights: sha256 missing",
    ),
    # figures, tables and analyses
    "a figure without its panels": (
        figure(caption="mine"),
        "figures.mine: kind histograms needs the key panels",
    ),
    "a figure of an untrained model": (
        figure(panels={"(a)": ["vae/fashion_1/bimodal_75"]}),
        "figures.mine: there is no model of an experiment named 'vae/fashion_1/bimodal_75'; did "
        "you mean vae/fashion_1_7/bimodal_75?",
    ),
    "a table of an untrained model": (
        {"tables": {"mine": {"models": [UNI, "glow/mnist/unimodal"]}}},
        "tables.mine: there is no model of an experiment named 'glow/mnist/unimodal'; did you mean",
    ),
    "an unknown curve": (
        figure(kind="curves", curves=["vae_gausian"]),
        "figures.mine.curves: there is no curve 'vae_gausian'; did you mean vae_gaussian?",
    ),
    "contours of a model of images": (
        figure(kind="contours", models=[UNI]),
        f"figures.mine: {UNI} is no toy, which contours needs",
    ),
    "contours in five dimensions": (
        figure(kind="contours", models=["toy/mixture_5/unimodal"]),
        "figures.mine: toy/mixture_5/unimodal is not in two dimensions, which contours needs: take",
    ),
    "decoded images of points": (
        figure(kind="decoded", models=["toy/mixture_2/unimodal"]),
        "figures.mine: toy/mixture_2/unimodal is no vae or glow or cv_glow, which decoded needs",
    ),
    "pixels of a model that was not analysed": (
        figure(kind="pixels", models=[UNI]),
        f"figures.mine.models: ['{UNI}'] was not analysed; analyses.pixels has "
        "['vae/fashion_1_7/bimodal_75']",
    ),
    "companion scores of a toy flow": (
        {"tables": {"mine": {"kind": "companions", "models": ["toy/mixture_2/unimodal"]}}},
        "tables.mine: toy/mixture_2/unimodal is no vae or glow or cv_glow, which companions needs",
    ),
    "a mistyped companion score": (
        figure(kind="companions", models=[UNI], scores=["typicality"]),
        "figures.mine.scores.0: 'typicality' is not one of log_prob, prior_own, ",
    ),
    "clusters where there are none": (
        {"analyses": {"clusters": {"subset": "fashion_1_7"}}},
        "analyses.clusters.subset: 'fashion_1_7' is no subset with kmeans",
    ),
    "the analysis of another architecture": (
        {"analyses": {"second_order": {"models": [UNI]}}},
        f"analyses.second_order: {UNI} is no cv_glow, which second_order needs",
    ),
    # texts
    "a title that the fonts lack": (
        {"subsets": {"fashion_1": {"title": "ファッション"}}},
        "subsets.fashion_1.title: 'フ' (U+30D5, KATAKANA LETTER HU) cannot be printed: write it "
        "with Latin, Greek or Cyrillic letters, or other symbols",
    ),
    "a title in two lines": (
        {"priors": {"unimodal": {"title": "two\n\nparagraphs"}}},
        "priors.unimodal.title: write it in one line, with no blank at its ends",
    ),
    "an empty title": (
        of("vae", title=""),
        "models.vae.title: '' should be non-empty (name in figures and tables)",
    ),
    "a title that is a number": (
        of("vae", title=75),
        "models.vae.title: 75 is not of type 'string' (name in figures and tables); write it in "
        "quotes",
    ),
    "a panel that is a number": (
        figure(panels={75: [UNI]}),
        "figures.mine.panels: 75 is no text: write it in quotes",
    ),
    "a script in a caption": (
        figure(panels={"VAE": [UNI]}, caption="a</script><script>alert(1)</script>"),
        "figures.mine.caption: '</' begins a tag of HTML: put a blank after <",
    ),
    # some experiments
    "an unknown experiment alone": (
        {"only": ["ciphar"]},
        "only: there is no experiment 'ciphar'; did you mean cifar?",
    ),
    "an experiment alone that is no list": (
        {"only": "cifar"},
        "only: 'cifar' is not of type 'array', 'null' (experiments to run, with the figures, "
        "tables and claims that need no other experiment; null runs all); write a list, [cifar]",
    ),
    "toy flows alone": (
        {"only": ["toy"]},
        "only: toy alone leaves no table; name another experiment as well",
    ),
}

# Values of --config; nested ones are passed as text.
OPTIONS = {
    "a misspelt scale": ("scale=papr", "scale: 'papr' is not one of smoke, quick, short, paper"),
    "seeds in a row": ("seeds=0,1", "seeds: '0,1' is not of type 'array' (seeds of the trainings"),
    "an unknown key with nested values": ("train={epochs: 7}", "train: unknown key; known: "),
    "nested values": (
        "models={glow: {draws: 2}}",
        "models.glow.draws: '2' is not of type 'integer' (importance samples (VAE, at least 2) or "
        "dequantisation draws (Glow) per image); it is text: write 2, in a --configfile if it is",
    ),
}

# What Snakemake refuses before it reads the workflow, with its own message (and a traceback,
# if there is no file).
FILES = {
    "an open bracket": ("models: {vae: [\nseeds: 3\n", "Config file is not valid JSON or YAML"),
    "a tab": ("models:\n\tvae: 3\n", "make sure to not mix whitespace and tab indentation"),
    "a list": (
        "- seeds\n- 3\n",
        "Config file must be given as JSON or YAML with keys at top level",
    ),
    "an empty file": ("", "Config file must be given as JSON or YAML with keys at top level"),
    "no file": (None, "No such file or directory: '"),
    "a value within itself": (
        "seeds: &seeds [*seeds]\n",
        "config: seeds.0: it contains itself: write values in the place of the alias (*)",
    ),
    "a key twice": (
        "seeds: [0]\nmodels: {vae: {draws: 4, draws: 5}}\n",
        ".yaml: models.vae.draws is there twice, in lines 2 and 2: keep one",
    ),
}

# What a run needs, and mistakes in what it does not need.
OWN_RUN = {"only": ["mine"], "experiments": {"mine": {"models": ["vae/fashion_1/unimodal"]}}}
ALLOWED = {
    "few images for an architecture that is not run": (
        OWN_RUN | {"images": {"train": 10}, "models": {"vae": {"training": {"batch_size": 5}}}}
    ),
    "a latent that is too small for a prior that is not used": (
        OWN_RUN | {"models": {"vae": {"network": {"grey": {"latent_dim": 2}}}}}
    ),
    "an analysis of our own": (
        OWN_RUN | {"analyses": {"pixels": {"model": "vae/fashion_1/unimodal"}}}
    ),
    "no toy flows": {"toy": None},
    "whole numbers with a point": (
        OWN_RUN | {"images": {"train": 192.0}, "models": {"vae": {"draws": 4.0, "threads": 1.0}}}
    ),
}


def arguments_of(kind: str, name: str, folder: Path) -> list[str]:
    """Options of a dry run, and the file that they use."""
    if kind == "option":
        return ["--config", OPTIONS[name][0]]
    file = folder / f"{kind} {name}.yaml"
    if kind == "file":
        text = FILES[name][0]
    else:
        text = yaml.safe_dump(MISTAKES[name][0] if kind == "mistake" else ALLOWED[name])
    if text is not None:
        file.write_text(text)
    return ["--configfile", str(file)]


@pytest.fixture(scope="module")
def dry_runs(request, tmp_path_factory) -> dict[tuple[str, str], str]:
    """Outputs of the dry runs for all tested mistakes, in one copy of the project."""
    folder = copy_project(tmp_path_factory.mktemp("mistakes"))
    files = tmp_path_factory.mktemp("configurations")
    wanted = [
        next(iter(item.callspec.params.items()))
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    runs = [["-n", *arguments_of(kind, name, files)] for kind, name in wanted]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("many.py")],
        cwd=folder,
        input=json.dumps(runs),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert not (folder / "results").exists()
    return dict(zip(wanted, json.loads(done.stdout), strict=True))


def refused(run: dict) -> str:
    assert run["status"] != 0, run["output"]
    assert "Job stats" not in run["output"]
    return run["output"]


def first_line(output: str) -> str:
    assert "Traceback" not in output, output
    told = [line for line in output.splitlines() if line.startswith("config: ")]
    assert told, output
    return told[0].removeprefix("config: ")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_the_run_before_it_starts(dry_runs, mistake: str):
    line = first_line(refused(dry_runs["mistake", mistake]))
    assert line.startswith(MISTAKES[mistake][1])


@pytest.mark.parametrize("option", OPTIONS)
def test_a_mistaken_option_ends_the_run_before_it_starts(dry_runs, option: str):
    line = first_line(refused(dry_runs["option", option]))
    assert line.startswith(OPTIONS[option][1])


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_cannot_be_read_ends_the_run_before_it_starts(dry_runs, file: str):
    assert FILES[file][1] in refused(dry_runs["file", file])


@pytest.mark.parametrize("allowed", ALLOWED)
def test_what_is_not_run_is_not_refused(dry_runs, allowed: str):
    run = dry_runs["allowed", allowed]
    assert run["status"] == 0, run["output"]
    assert "Job stats" in run["output"]


def test_all_mistakes_are_told_at_once(project: Path):
    several = {"seeds": [], "device": "gpu", "images": {"trian": 5}}
    (project / "mine.yaml").write_text(yaml.safe_dump(several))
    output = snakemake(project, "-n", "--configfile", "mine.yaml", check=False).stdout
    told = [line for line in output.splitlines() if line.startswith("config: ")]
    assert [line.split()[1] for line in told] == ["device:", "images.trian:", "seeds:"]
    assert not (project / "results").exists()
