"""Every mistake in the configuration is reported with its key; valid values are accepted."""

import math

import pytest
from tests.unit.config.conftest import GREY_NPZ, NPZ, REMOVED, SCHEMA, UNI, checked, mistakes_of

from oodpriors.config.schema import ConfigError
from oodpriors.kinds import architectures
from oodpriors.models.vae import ARCHITECTURES

THREE = {"title": "3", "means": [[1], [2], [3]], "assignment": "random"}


FOUR = {
    "title": "4",
    "means": {"rule": "axes", "k": 4, "distance": 9},
    "assignment": "label",
}


MULTI = "vae/fashion_1_7/bimodal_75"
TWIN = {"title": "Twin", "dataset": "own", "labels": [3]}
OWN_OUT = "subsets.own.out_of_distribution: "


REFERENCE_MISTAKES = [
    (
        {"datasets.mnist": {"kind": "npz"}},
        "datasets.mnist: kind npz needs the key path",
    ),
    (
        {"datasets.mnist": {"kind": "embedded"}},
        "datasets.mnist: kind embedded needs the key stands_for",
    ),
    (
        {"datasets.mnist.path": "mnist.npz"},
        "datasets.mnist.path: only kinds npz and folder have a path; kind is mnist",
    ),
    (
        {"datasets.mnist": {"kind": "embedded", "stands_for": "mnist", "path": "x"}},
        "datasets.mnist.path: only kinds npz and folder have a path; kind is embedded",
    ),
    (
        {"subsets.svhn.dataset": "shvn"},
        "subsets.svhn.dataset: there is no data set 'shvn'; did you mean svhn?",
    ),
    (
        {"subsets.svhn.dataset": "x"},
        "there is no data set 'x'; known: fashion_mnist, mnist, cifar10, svhn",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": "mnst"},
        "subsets.fashion_1.out_of_distribution: there is no subset 'mnst'; did you mean mnist?",
    ),
    (
        {"subsets.fashion_1.labels": [12, 1, 10]},
        "subsets.fashion_1.labels: the train split of fashion_mnist lacks [10, 12]; it has [0, 1, ",
    ),
    (
        {"subsets.svhn.kmeans": {"k": 3}},
        "subsets.svhn.kmeans: svhn has no train split to find clusters in",
    ),
    (
        {"subsets.cifar_0_4.kmeans": {"k": 3, "keep": 3}},
        "subsets.cifar_0_4.kmeans.keep: there is no cluster 3; they are numbered 0 to 2",
    ),
    (
        {"experiments.x": {"models": ["gloww/fashion_1/unimodal"]}},
        "gloww/fashion_1/unimodal: there is no model 'gloww'; did you mean glow?",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_2/unimodal"]}},
        "experiments.x: vae/fashion_2/unimodal: there is no subset 'fashion_2'; did you mean fash",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_1/unimodel"]}},
        "there is no prior 'unimodel'; did you mean unimodal?",
    ),
    (
        {
            "priors.long": {"title": "l", "means": [[0] * 51], "assignment": "single"},
            "experiments.x": {"models": ["vae/fashion_1/long"]},
        },
        "priors.long.means: 51 coordinates, but the latent of vae on fashion_1 has 50",
    ),
    (
        {
            "priors.long": {"title": "l", "means": [[0] * 785], "assignment": "single"},
            "experiments.x": {"models": ["glow/fashion_1/long"]},
        },
        "priors.long.means: 785 coordinates, but the latent of glow on fashion_1 has 784",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_1/bimodal_75"]}},
        "experiments.x: vae/fashion_1/bimodal_75: assignment 'label' makes 1 groups of images, "
        "priors.bimodal_75 has 2 means",
    ),
    (
        {
            "subsets.all": {
                "title": "All",
                "dataset": "fashion_mnist",
                "out_of_distribution": "mnist",
            },
            "experiments.x": {"models": ["vae/all/bimodal_75"]},
        },
        "assignment 'label' makes 10 groups of images, priors.bimodal_75 has 2 means",
    ),
    (
        {
            "subsets.parts": {
                "title": "Parts",
                "dataset": "fashion_mnist",
                "labels": [1, 7],
                "out_of_distribution": "mnist",
                "kmeans": {"k": 3},
            },
            "priors.four": {"title": "4", "means": [[1], [2], [3], [4]], "assignment": "cluster"},
            "experiments.x": {"models": ["vae/parts/four"]},
        },
        "assignment 'cluster' makes 6 groups of images, priors.four has 4 means",
    ),
    (
        {
            "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "single"},
            "experiments.x": {"models": ["vae/fashion_1_7/two"]},
        },
        "assignment 'single' makes 1 groups of images, priors.two has 2 means",
    ),
    (
        {"priors.bimodal_50.assignment": "mixture"},
        "figures.fig11: glow/fashion_1_7/bimodal_50 assigns no images to components (assignment "
        "mixture), which decoded shows",
    ),
    (
        {"priors.bimodal_9.trainable_means": True},
        "toy.priors: bimodal_9 has trainable_means, which only models of images have",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": None},
        "vae/fashion_1/unimodal: subsets.fashion_1 names no out_of_distribution subset",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": "svhn"},
        "vae/fashion_1/unimodal: images are (1, 28, 28), those of svhn are (3, 32, 32)",
    ),
    (
        {
            "subsets.svhn.out_of_distribution": "svhn",
            "experiments.x": {"models": ["vae/svhn/unimodal"]},
        },
        "experiments.x: vae/svhn/unimodal: svhn has no train split to learn or test on",
    ),
    (
        NPZ | {"subsets.own.labels": [3, 4], "experiments.x": {"models": ["vae/own/unimodal"]}},
        "subsets.own.labels: the train split of own lacks [4]; it has [3, 5]",
    ),
    (
        NPZ
        | {
            "experiments.x": {"models": ["vae/own/three"]},
            "priors.three": {"title": "3", "means": [[1], [2], [3]], "assignment": "label"},
        },
        "assignment 'label' makes 2 groups of images, priors.three has 3 means",
    ),
    (
        {"models.vae.draws": 1},
        "models.vae.draws: a standard error needs at least 2 importance samples",
    ),
    (
        {"figures.fig04.panels": {"(a)": ["vae/fashion_1_7/bimodal_50"]}},
        "figures.fig04: there is no model of an experiment named 'vae/fashion_1_7/bimodal_50'; did",
    ),
    (
        {"tables.table1.models": [UNI, "glow/mnist/unimodal"]},
        "tables.table1: there is no model of an experiment named 'glow/mnist/unimodal'; did you m",
    ),
    (
        {"priors.three": THREE, "experiments.x": {"models": ["vae/fashion_1_7/three"]}},
        "assignment 'random' makes 2 groups of images, priors.three has 3 means",
    ),
    *(
        ({place: entry}, f"{place}: there is no model of an experiment named 'vae/mnist/unimodal'")
        for place, entry in {
            "figures.x": {"kind": "decoded", "models": ["vae/mnist/unimodal"]},
            "tables.x": {"kind": "decomposition", "pairs": [[UNI, "vae/mnist/unimodal"]]},
            "curves.x": {"title": "x", "models": [UNI, "vae/mnist/unimodal"]},
            "analyses.pixels": {"model": "vae/mnist/unimodal"},
            "analyses.decoded": {"models": ["vae/mnist/unimodal"]},
        }.items()
    ),
    *(
        (
            {"tables.x": {"kind": kind} | entry},
            f"tables.x: toy/mixture_2/unimodal is no vae or glow or cv_glow, which {kind} needs",
        )
        for kind, entry in {
            "likelihoods": {"models": ["toy/mixture_2/unimodal"]},
            "companions": {"models": [UNI, "toy/mixture_2/unimodal"]},
            "decomposition": {"pairs": [[UNI, "toy/mixture_2/unimodal"]]},
        }.items()
    ),
    (
        {"tables.x": {"kind": "second_order", "models": [UNI]}},
        f"tables.x: {UNI} is no cv_glow, which second_order needs",
    ),
    (
        {"figures.x": {"kind": "curves", "curves": ["vae_gausian"]}},
        "figures.x.curves: there is no curve 'vae_gausian'; did you mean vae_gaussian?",
    ),
    (
        {"analyses.clusters": {"subset": "fashion"}},
        "analyses.clusters.subset: there is no subset 'fashion'; did you mean",
    ),
    (
        {"figures.x": {"kind": "clusters", "subset": "fashion_1_7"}},
        "figures.x.subset: 'fashion_1_7' is no subset with kmeans",
    ),
    (
        {"figures.x": {"panels": {"(a) VAE": [UNI]}, "columns": {"(a) VAF": "latent_first"}}},
        "figures.x.columns: there is no panel '(a) VAF'; did you mean (a) VAE?",
    ),
    (
        {"figures.fig02.levels": [-1, -10]},
        "figures.fig02.levels: [-1, -10]: write the lowest contour first",
    ),
    (
        {
            "priors.four": FOUR,
            "experiments.x": {"models": ["glow/fashion_0_1_7_8/four"]},
            "curves.x": {"title": "x", "models": ["glow/fashion_0_1_7_8/four"]},
        },
        "curves.x: glow/fashion_0_1_7_8/four has 4 components; a distance needs two",
    ),
    (
        {"toy.priors": ["unimodl"]},
        "toy.priors: there is no prior 'unimodl'; did you mean unimodal?",
    ),
    (
        {"priors.four": FOUR, "toy.priors": ["unimodal", "bimodal_9", "four"]},
        "toy.priors: four has 4 components, the mixtures have 2",
    ),
    *(
        (NPZ | changes | {"experiments.x": {"models": ["vae/own/unimodal"]}}, OWN_OUT)
        for changes in (
            {"subsets.own.out_of_distribution": "own"},
            {"subsets.own.out_of_distribution": "twin", "subsets.twin": TWIN},
            {
                "subsets.own.out_of_distribution": "twin",
                "datasets.copy": {"kind": "npz", "path": "elsewhere/copy.npz"},
                "subsets.twin": TWIN | {"dataset": "copy"},
            },
        )
    ),
    *(
        (
            {
                f"datasets.{name}_full": {"kind": f"{name}_full"},
                "subsets.full": {
                    "title": "F",
                    "dataset": f"{name}_full",
                    "labels": [0, 1],
                    "out_of_distribution": name,
                },
                "experiments.x": {"models": ["vae/full/unimodal"]},
            },
            f"subsets.full.out_of_distribution: {name} has test images of full itself",
        )
        for name in ("mnist", "svhn")
    ),
    (
        {
            "subsets.cifar_0_4_clusters.out_of_distribution": "rest",
            "subsets.rest": {
                "title": "Rest",
                "dataset": "cifar10",
                "labels": [0, 4],
                "kmeans": {"k": 3, "keep": 0},
            },
        },
        "subsets.cifar_0_4_clusters.out_of_distribution: rest has test images of cifar_0_4",
    ),
    (
        {"subsets.fashion_1.title": "MNIST"},
        "subsets.mnist.title: fashion_1 has the same title: tables could not tell them",
    ),
    *(
        (
            {"tables.x": {"kind": kind, "pairs": [pair]}},
            f"tables.x.pairs: [{', '.join(pair)}]: write two models of one architecture and "
            "subset, first that with a unimodal prior, then that with a multimodal one",
        )
        for kind in ("decomposition", "remedy")
        for pair in (
            [MULTI, UNI],
            [UNI, UNI],
            [MULTI, MULTI],
            [UNI, "glow/fashion_1_7/bimodal_50"],
            ["vae/fashion_1/unimodal", MULTI],
        )
    ),
    *(
        ({place: entry}, f"{place}.{key}: only kind {kinds}")
        for place, entry, key, kinds in (
            ("tables.x", {"kind": "ranking", "models": [UNI]}, "models", "likelihoods or second_"),
            (
                "tables.x",
                {"models": [UNI], "pairs": [[UNI, MULTI]]},
                "pairs",
                "decomposition or remedy has it",
            ),
            (
                "figures.x",
                {"panels": {"a": [UNI]}, "levels": [-10, -1]},
                "levels",
                "contours has it",
            ),
            ("figures.x", {"panels": {"a": [UNI]}, "set": "ood"}, "set", "ridges"),
            (
                "figures.x",
                {"kind": "densities", "column": "log_prob"},
                "column",
                "histograms or ridges",
            ),
        )
    ),
    (
        {
            "experiments.x": {"models": [UNI], "weights": "one"},
            "experiments.y": {"models": [UNI], "weights": "other"},
        },
        "experiments.y.weights: other is not that of experiments.x, one, which has "
        f"{UNI} as well: give both the same",
    ),
    *(
        ({f"{table}.{name}": entry}, f"{table}.{name}: the pipeline uses this name itself")
        for table, name, entry in (
            *(("tables", name, {"models": [UNI]}) for name in ("models", "claims", "comparison")),
            ("figures", "main", {"panels": {"(a)": [UNI]}}),
            ("experiments", "toy", {"models": [UNI]}),
            ("subsets", "mixture_10", {"title": "m", "dataset": "mnist"}),
            ("subsets", "gaussian_2", {"title": "g", "dataset": "mnist"}),
        )
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), REFERENCE_MISTAKES, ids=[message for _, message in REFERENCE_MISTAKES]
)
def test_what_does_not_fit_together_is_told(changes, message):
    own = GREY_NPZ["own"]
    inspected = {"own": own, "copy": own} if "datasets.own" in changes else {}
    lines = mistakes_of(changes, inspected)
    assert any(message in line for line in lines)


NEEDED = {
    "figures": {
        "histograms": "panels",
        "curves": "curves",
        "contours": "models",
        "topology": "models",
        "densities": None,
        "pixels": "models",
        "decoded": "models",
        "clusters": "subset",
        "ridges": "panels",
        "companions": "models",
    },
    "tables": {
        "likelihoods": "models",
        "ranking": None,
        "refined": None,
        "decomposition": "pairs",
        "architecture": "network",
        "toy": None,
        "second_order": "models",
        "companions": "models",
        "best_scores": "models",
        "remedy": "pairs",
    },
}


every_kind = pytest.mark.parametrize(
    ("table", "kind"), [(table, kind) for table in NEEDED for kind in NEEDED[table]]
)


def kinds_of(table):
    properties = SCHEMA["properties"][table]["additionalProperties"]["properties"]
    return set(properties["kind"]["enum"])


@every_kind
def test_a_kind_without_its_needed_key_is_told(table, kind):
    assert set(NEEDED[table]) == kinds_of(table)
    needed, change = NEEDED[table][kind], {f"{table}.x": {"kind": kind}}
    if needed:
        assert mistakes_of(change) == [
            f"config: {table}.x: kind {kind} needs the key {needed}",
        ]
    else:
        checked(change)


def test_only_a_model_with_an_encoder_has_a_refined_likelihood():
    panels = {"(a)": ["vae/fashion_1_7/unimodal"], "(b)": ["glow/fashion_1_7/unimodal"]}
    for columns in ({"column": "log_prob_refined"}, {"columns": {"(b)": "latent_first_refined"}}):
        assert mistakes_of({"figures.x": {"panels": panels, **columns}}) == [
            "config: figures.x: panel '(b)': glow has no posterior to refine; take models of vae, "
            "or another column"
        ]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("steps", 0, "0 is less than the minimum of 1"),
        ("screening", 0, "0 is less than the minimum of 1"),
        ("samples", 15, "15 is less than the minimum of 16"),
        ("defensive", 0.0, "0.0 is less than the minimum of 0.125"),
        ("defensive", 1.0, "1.0 is greater than the maximum of 0.875"),
        ("images", 0, "0 is less than the minimum of 1"),
    ],
)
def test_settings_of_refined_posteriors_that_make_no_sense_are_told(key, value, told):
    (line,) = mistakes_of({f"models.vae.refined.{key}": value})
    assert line.startswith(f"config: models.vae.refined.{key}: {told}")


def test_a_flow_has_no_refined_posteriors():
    (line,) = mistakes_of({"models.glow.refined": {"images": 3}})
    assert line.startswith("config: models.glow.refined: unknown key")


def test_columns_need_panels():
    for kind in ("histograms", "densities"):
        lines = mistakes_of({"figures.x": {"kind": kind, "columns": {"(a)": "latent_first"}}})
        assert any("figures.x" in line for line in lines)


def test_every_mistaken_reference_has_its_line():
    lines = mistakes_of({"subsets.mnist.dataset": "x", "subsets.svhn.dataset": "y"})
    assert [line.split(":")[1].strip() for line in lines] == [
        "subsets.mnist.dataset",
        "subsets.svhn.dataset",
    ]


# unusual values that are allowed

NOTHING = {key: {} for key in ("experiments", "figures", "tables", "curves", "analyses")}


ALLOWED = {
    "as many coordinates as the latent": {
        "priors.full": {"title": "f", "means": [[0] * 50], "assignment": "single"},
        "experiments.x": {"models": ["vae/fashion_1/full"]},
    },
    "the last cluster": {"subsets.cifar_0_4_clusters.kmeans": {"k": 3, "keep": 2}},
    "no limits": dict.fromkeys(("images.train", "images.test", "images.ood")),
    "a component of each cluster": {
        "subsets.fashion_1.kmeans": {"k": 2},
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "cluster"},
        "experiments.x": {"models": ["glow/fashion_1/two"]},
    },
    "one kept cluster of each label": {
        "subsets.fashion_1_7.kmeans": {"k": 2, "keep": 1},
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "cluster"},
        "experiments.x": {"models": ["glow/fashion_1_7/two"]},
    },
    "colour": {
        "subsets.cifar": {
            "title": "CIFAR-10",
            "dataset": "cifar10",
            "labels": [0, 4],
            "out_of_distribution": "svhn",
        },
        "experiments.x": {"models": ["vae/cifar/bimodal_75", "glow/cifar/unimodal"]},
    },
    "no figures and tables": {"figures": {}, "tables": {}},
    "only one architecture": {
        **NOTHING,
        "models.vae": REMOVED,
        "experiments": {"x": {"models": ["glow/fashion_1/unimodal"]}},
    },
    "no toy flows": {"toy": None},
    "only toy flows": NOTHING,
    "toy flows without a bound": {"toy.network.log_scale_bound": None},
    "a random assignment": {
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "random"},
        "experiments.x": {"models": ["vae/fashion_1_7/two"]},
    },
    "other labels of the same data out of distribution": {
        "subsets.fashion_1.out_of_distribution": "fashion_7"
    },
    "other clusters of the same labels out of distribution": {
        "subsets.cifar_0_4_clusters.out_of_distribution": "rest",
        "subsets.rest": {
            "title": "Rest",
            "dataset": "cifar10",
            "labels": [0, 4],
            "kmeans": {"k": 4, "keep": 0},
        },
    },
    "a curve of one component": {"curves.x": {"title": "x", "models": [UNI]}},
    "another column for a panel": {
        "figures.x": {"panels": {"(a)": [UNI]}, "columns": {"(a)": "latent_first"}}
    },
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED)
def test_what_fits_together_is_allowed(changes):
    checked(changes)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"shape": (3, 32, 32)}, "images are (3, 32, 32), those of mnist are (1, 28, 28)"),
        ({"labels": {"train": [3, 5]}}, "own has no test split to learn or test on"),
        ({"labels": {"test": [3, 5]}}, "own has no train split to learn or test on"),
    ],
)
def test_an_npz_has_to_suit_the_models_that_learn_it(facts, message):
    inspected = {"own": GREY_NPZ["own"] | facts}
    lines = mistakes_of(NPZ | {"experiments.x": {"models": ["vae/own/unimodal"]}}, inspected)
    assert any(message in line for line in lines)


def own_set(**labels) -> dict:
    return {"own": {"shape": (1, 28, 28), "labels": labels, "content": "own"}}


def test_an_ood_set_needs_a_test_split():
    with pytest.raises(ConfigError, match="own has no test split"):
        checked(NPZ | {"subsets.fashion_1.out_of_distribution": "own"}, own_set(train=[0]))


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_have_to_be_in_every_split_that_is_used(split):
    inspected = own_set(**{"train": [3, 5], "test": [3, 5], split: [3]})
    models = {"models": ["vae/own/unimodal"]}
    with pytest.raises(ConfigError, match=rf"the {split} split of own lacks \[5\]"):
        checked(NPZ | {"subsets.own.labels": [3, 5], "experiments.x": models}, inspected)


@pytest.mark.parametrize(("labels", "number"), [([3], 4), (None, 9)])
def test_own_images_that_do_not_fill_a_batch_are_told(labels, number):
    own = own_set(train=[3, 5], test=[3, 5])["own"] | {"training_images": {3: 4, 5: 5}}
    change = NPZ | {"subsets.own.labels": labels, "models.vae.training.batch_size": number + 1}
    change |= {"experiments.x": {"models": ["vae/own/unimodal"]}, "only": ["x"]}
    assert mistakes_of(change, {"own": own}) == [
        f"config: models.vae.training.batch_size: {number + 1} is more than the {number} training "
        "images of own in datasets.own: lower it, or add images"
    ]
    checked(change | {"models.vae.training.batch_size": number}, {"own": own})


def test_one_place_of_weights_may_be_given_to_several_experiments():
    checked(
        {
            "experiments.x": {"models": [UNI], "weights": "one"},
            "experiments.y": {"models": [UNI], "weights": "one", "seeds": [0, 1]},
            "experiments.z": {"models": [UNI], "weights": "other", "seeds": [2]},
        }
    )


def test_the_name_of_a_folder_that_is_too_long_is_told():
    names = [letter * 50 for letter in "abcde"]
    change = {f"experiments.{name}": {"models": [UNI]} for name in names} | {"only": names}
    assert mistakes_of(change) == [
        "config: run: the experiments in only make the name of a folder of 260 letters, at most "
        "255 can be: give it a name, run: NAME"
    ]
    checked(change | {"run": "mine"})


def test_labels_of_a_subset_that_nothing_uses_are_not_checked():
    checked(NPZ | {"subsets.own.labels": [3, 5]}, own_set(train=[3], test=[3]))


@pytest.mark.parametrize(
    ("architecture", "message"), [("vae", ": vae takes images"), ("glow", "squeezes do not divide")]
)
def test_images_that_no_network_takes_are_told(architecture, message):
    labels = {"train": [0], "test": [0]}
    inspected = {"own": {"shape": (1, 9, 9), "labels": labels, "content": "own"}}
    models = {"models": [f"{architecture}/own/unimodal"]}
    change = {"subsets.own.out_of_distribution": "own", "experiments.x": models}
    with pytest.raises(ConfigError, match=message):
        checked(NPZ | change, inspected)


PRIOR = {"title": "t", "means": [[1], [-1]], "assignment": "label"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"priors.p": PRIOR | {"beta": 4}}, "priors.p.beta: only kind generalized_gaussian has it"),
        ({"priors.p": PRIOR | {"means": [[math.inf], [1]]}}, "means.0.0: inf .*must be finite"),
        ({"priors.p": PRIOR | {"scale": math.nan}}, "priors.p.scale: nan .*must be finite"),
        ({"priors.p": PRIOR | {"means": "far.csv"}}, "priors.p.means: nan is no coordinate of at"),
        (
            {"models.glow.network.grey.couplings": 1},
            r"squeeze_after: there are 1 couplings, so no squeeze comes after \[",
        ),
    ],
)
def test_numbers_that_no_model_takes_are_told(change, message):
    with pytest.raises(ConfigError, match=message):
        checked(change, files=lambda path: "1, nan")


ELSEWHERE = {
    "a batch": {"images.train": 5, "models.vae.training.batch_size": 5},
    "a latent": {"models.vae.network.grey.latent_dim": 2},
    "a squeeze": {"models.glow.network.grey.squeeze_after": [99]},
    "an analysis": {"analyses.pixels": {"model": "vae/fashion_1/unimodal"}},
    "a file of means": {"priors.axes_150.means": "nowhere.csv"},
    "a data set": {"datasets.lost": {"kind": "npz"}},
    "labels": {"subsets.fashion_0_1_7_8.labels": [12]},
    "names": {"experiments.other": {"models": ["vae/nothing/unimodal"]}},
    "clusters": {"subsets.cifar_0_4_clusters.kmeans": None},
}


@pytest.mark.parametrize("changes", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_not_run_is_not_checked(changes):
    mine = {"experiments.mine": {"models": ["vae/fashion_1/unimodal"]}, "only": ["mine"]}
    checked(changes | mine)
    with pytest.raises(ConfigError):
        checked(changes | mine | {"only": None})


def test_shapes_that_the_vae_takes_are_those_of_its_architectures():
    assert set(architectures.ARCHITECTURES["vae"].shapes) == set(ARCHITECTURES)


# further sets out of distribution

NOISE = {"title": "noise", "made": "noise", "of": "fashion_1"}
SETS = "subsets.fashion_1.out_of_distribution"
BATTERY = {SETS: ["mnist", "noise"], "subsets.noise": NOISE}
BATTERY_MISTAKES = [
    ({SETS: ["mnist", "mnist"]}, f"{SETS}: mnist is there 2 times: keep one"),
    ({SETS: ["mnist", "nois"]}, f"{SETS}: there is no subset 'nois'; did you mean noise?"),
    (
        {SETS: ["mnist", "svhn"]},
        "vae/fashion_1/unimodal: images are (1, 28, 28), those of svhn are (3, 32, 32)",
    ),
    (
        {"subsets.noise": NOISE | {"of": "cifar_0_4"}},
        "vae/fashion_1/unimodal: images are (1, 28, 28), those of noise are (3, 32, 32)",
    ),
    ({SETS: ["mnist", "fashion_1_7"]}, f"{SETS}: fashion_1_7 has test images of fashion_1 itself"),
    ({SETS: ["noise"]}, "subsets.noise.made: a made subset can only be a further set out of"),
    ({SETS: ["mnist", 3]}, f"{SETS}.1: 3 is not of type 'string'"),
    ({SETS: []}, f"{SETS}: [] should be non-empty"),
    (
        {"subsets.noise": {"title": "n", "made": "noise"}},
        "subsets.noise: made: noise needs the key of",
    ),
    (
        {"subsets.noise": {"title": "n"}},
        "subsets.noise: a subset that is not made needs the key dataset",
    ),
    ({"subsets.noise": NOISE | {"of": "fashio_1"}}, "subsets.noise.of: there is no subset"),
    ({"subsets.noise": NOISE | {"dataset": "mnist"}}, "noise.dataset: made: noise has none"),
    ({"subsets.noise": NOISE | {"labels": [1]}}, "subsets.noise.labels: made: noise has none"),
    (
        {"subsets.noise": {"title": "s", "made": "samples", "of": "mnist"}},
        "subsets.noise.of: made: samples has none",
    ),
    ({"subsets.noise": NOISE | {"made": "nois"}}, "subsets.noise.made: 'nois' is not one of const"),
    (
        {"subsets.more": {"title": "m", "made": "blends", "of": "noise"}},
        "subsets.more.of: noise is made itself: name a subset of a data set",
    ),
    (
        {"subsets.noise": NOISE | {"title": "MNIST"}},
        "subsets.noise.title: mnist has the same title: tables could not tell them",
    ),
    (
        {"subsets.test": NOISE, SETS: ["mnist", "test"]},
        f"{SETS}: the score files have a set test: give this subset another name",
    ),
    ({"datasets.mnist": {"kind": "folder"}}, "datasets.mnist: kind folder needs the key path"),
    (
        {"datasets.mnist": {"kind": "mnist", "shape": [1, 28, 28]}},
        "datasets.mnist.shape: only kind folder has a shape; kind is mnist",
    ),
    (
        {"datasets.mnist": {"kind": "folder", "path": "x", "shape": [28, 28, 1]}},
        "datasets.mnist.shape: write the channels first, 1 or 3: [28, 28, 1]",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), BATTERY_MISTAKES)
def test_mistakes_in_further_sets_are_told_with_their_key(changes, expected):
    lines = mistakes_of(BATTERY | changes)
    assert any(expected in line for line in lines), lines


def test_further_sets_of_all_kinds_are_taken():
    sets = {
        "rest": {"title": "rest", "dataset": "fashion_mnist", "labels": [0, 2]},
        "kmnist": {"title": "KMNIST", "dataset": "kmnist"},
        "letters": {"title": "letters", "dataset": "letters"},
        "samples": {"title": "own samples", "made": "samples"},
    }
    changes = {f"subsets.{name}": entry for name, entry in sets.items()}
    changes |= {SETS: ["mnist", *sets, "noise"], "subsets.noise": NOISE}
    changes |= {"datasets.kmnist": {"kind": "kmnist"}}
    changes |= {"datasets.letters": {"kind": "folder", "path": "letters"}}
    letters = {"shape": (1, 28, 28), "labels": {"test": [0]}, "content": "letters"}
    config = checked(changes, {"letters": letters})
    assert config["subsets"]["fashion_1"]["out_of_distribution"] == "mnist"
    assert config["subsets"]["fashion_1"]["further"] == [*sets, "noise"]
