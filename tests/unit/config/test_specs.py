"""Specifications of models from a configuration."""

import copy

import pytest
from tests.unit.config.conftest import GREY_NPZ, NPZ, OWN, UNI, checked, every_scale

from oodpriors.config.specs import (
    ModelId,
    background,
    class_names,
    dataset_facts,
    further_datasets,
    further_sets,
    further_subsets,
    lookup,
    model_ids,
    model_seeds,
    model_spec,
    models_of,
    prior_pair,
    published_means,
    run_name,
    selection,
    taken,
    toy_ids,
    toy_spec,
    used_datasets,
    used_subsets,
    with_stand_ins,
)


def test_labels_of_an_npz_are_those_that_were_found_in_it():
    models = {"experiments.x": {"models": ["vae/own/bimodal_75"]}}
    config = checked(NPZ | models, GREY_NPZ)
    assert dataset_facts(config, "own", GREY_NPZ) == (
        GREY_NPZ["own"]["shape"],
        GREY_NPZ["own"]["labels"],
    )


def test_labels_of_official_data_have_names_and_those_of_stand_ins_have_none():
    assert class_names(checked(), "cifar10")["4"] == "deer"
    assert class_names(checked(), "mnist") == {}
    assert class_names(with_stand_ins(checked()), "cifar10") == {}
    assert class_names(checked(NPZ, GREY_NPZ), "own") == {}


def test_the_means_of_likelihoods_are_found_among_the_paper_s_numbers():
    mean, nll = ({"model": UNI, "statistic": s} for s in ("mean", "nll"))
    entries = [
        {"quantity": nll, "value": 1647.76},
        {"quantity": mean | {"set": "test"}, "value": -3.25},
        {"quantity": nll | {"set": "test", "component": 1}, "value": 1},
        {"quantity": mean | {"column": "latent_first"}, "value": 2},
        {"quantity": {"model": UNI, "statistic": "median"}, "value": 3},
        {"quantity": {"difference": [mean, nll]}, "value": 4},
        {"setting": "priors.bimodal_75.means", "value": 75},
    ]
    assert published_means(entries) == {UNI: {"ood": -1647.76, "test": -3.25}}


def test_models_with_weights_are_taken_with_the_seeds_of_their_experiment():
    assert taken(checked()) == {}
    entry = {"models": [UNI], "seeds": [3, 4], "weights": "somewhere"}
    own = taken(checked({"experiments.x": entry}))
    assert own == {(ModelId.of(UNI), seed): ("x", "somewhere") for seed in (3, 4)}


# lookups in the configuration


@pytest.mark.parametrize(
    ("subset", "split", "limit"),
    [
        ("fashion_1_7", "test", 50),
        ("mnist", "test", 60),
    ],
)
def test_the_limit_follows_the_role_of_the_subset(subset, split, limit):
    config = checked({"images.train": 70, "images.test": 50, "images.ood": 60})
    chosen = selection(config, subset, split)
    assert (chosen["limit"], chosen["each_training"]) == (limit, None)


@pytest.mark.parametrize("subset", ["fashion_1_7", "mnist"])
def test_all_training_images_are_kept_and_each_training_draws_some(subset):
    config = checked({"images.train": 70, "images.test": 50, "images.ood": 60})
    chosen = selection(config, subset, "train")
    assert (chosen["limit"], chosen["each_training"]) == (None, 70)
    if subset == "fashion_1_7":
        model = ModelId("glow", subset, "unimodal")
        assert model_spec(config, model, 0, {})["images"] == 70


@pytest.mark.parametrize(
    ("scale", "own", "limit"),
    [(None, None, None), (None, 50, 50), (90, None, 90), (90, 50, 50), (50, 90, 50)],
)
@pytest.mark.parametrize(("split", "key"), [("train", "each_training"), ("test", "limit")])
def test_the_smaller_limit_counts(scale, own, limit, split, key):
    config = checked({f"images.{split}": scale, f"subsets.fashion_1.limit.{split}": own})
    assert selection(config, "fashion_1", split)[key] == limit


def test_a_selection_has_labels_seed_and_cluster():
    changes = {"data_seed": 4, "subsets.fashion_1.kmeans": {"k": 3, "keep": 1}}
    assert selection(checked(changes | {"images.train": None}), "fashion_1", "train") == {
        "labels": [1],
        "limit": None,
        "each_training": None,
        "seed": 4,
        "cluster": 1,
    }


def test_without_kmeans_there_is_no_cluster():
    assert selection(checked(), "fashion_1", "train")["cluster"] is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"scale": "quick"}, "quick"),
        ({"scale": "smoke", "data": "embedded"}, "smoke-embedded"),
        ({"scale": "paper", "run": "mine"}, "mine"),
        ({"data": "embedded", "run": "mine"}, "mine"),
        ({"scale": "quick", "only": ["toy", "cifar"]}, "quick-cifar-toy"),
        ({"scale": "quick", **NPZ}, "quick"),  # it is not used
        ({"scale": "quick", **NPZ, "subsets.fashion_1.out_of_distribution": "own"}, "quick-own"),
        ({"only": ["cifar"], "run": "mine"}, "mine"),
    ],
)
def test_a_run_is_named_by_its_scale_data_and_part_unless_it_has_a_name(changes, name):
    assert run_name(checked(changes, GREY_NPZ)) == name


def test_what_is_used_is_learnt_tested_or_shown():
    changes = {"experiments": {"one": {"models": [UNI]}}}
    changes |= {key: {} for key in ("figures", "tables", "curves", "analyses")}
    assert used_datasets(checked(changes)) == ["fashion_mnist", "mnist"]
    changes["analyses"] = {"clusters": {"subset": "cifar_0_4_clusters"}}
    assert used_datasets(checked(changes)) == ["fashion_mnist", "mnist", "cifar10"]


def test_models_of_all_experiments_stand_once_in_their_order():
    config = checked({"experiments.again": {"models": [UNI, "glow/fashion_1/unimodal"]}})
    names = []
    for experiment in OWN["experiments"].values():
        names += [name for name in experiment["models"] if name not in names]
    assert [str(model) for model in model_ids(config)] == names
    assert model_ids(config)[0] == ModelId("vae", "fashion_1_7", "unimodal")


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mnist", (1, 28, 28)), ("fashion_mnist", (1, 28, 28)), ("svhn", (3, 32, 32))],
)
@pytest.mark.parametrize("stand_ins", [False, True])
def test_official_images_have_their_known_shapes(name, shape, stand_ins):
    config = with_stand_ins(checked()) if stand_ins else checked()
    assert dataset_facts(config, name, {})[0] == shape


def test_stand_ins_replace_official_data_sets_alone():
    before = checked(NPZ | {"data": "embedded"}, GREY_NPZ)
    given = copy.deepcopy(before)
    after = with_stand_ins(before)
    assert before == given
    for name in ("mnist", "fashion_mnist", "cifar10", "svhn"):
        entry = after["datasets"][name]
        assert (entry["kind"], entry["stands_for"]) == ("embedded", name)
    assert after["datasets"]["own"] == before["datasets"]["own"]
    assert {k: v for k, v in after.items() if k != "datasets"} == {
        k: v for k, v in before.items() if k != "datasets"
    }


def test_a_specification_holds_everything_that_defines_a_model():
    config = checked(
        {
            "models.vae.training": {
                "epochs": 3,
                "batch_size": 8,
                "learning_rate": 0.1,
                "beta1": 0.5,
                "beta2": None,
            }
        }
    )
    assert model_spec(config, ModelId("vae", "fashion_1_7", "bimodal_75"), 6, {}) == {
        "architecture": "vae",
        "image_shape": [1, 28, 28],
        "prior": {"kind": "gaussian", "means": [[75], [-75]], "scale": 1.0},
        "network": {
            "latent_dim": 50,
            "decoder_width": 4,
            "encoder_norm_last": True,
            "scaled_start": True,
            "decoder_precision": "auto",
        },
        "training": {
            "epochs": 3,
            "batch_size": 8,
            "learning_rate": 0.1,
            "beta1": 0.5,
            "beta2": None,
            "warmup_epochs": 0,
            "decay_fraction": 0,
            "max_grad_norm": None,
            "polyak_epochs": 0,
            "initialization_batch": 256,
            "shift": 0.0,
        },
        "images": 192,
        "seed": 6,
    }


def test_a_specification_has_the_shape_of_the_prior_where_it_has_one():
    config = checked({"priors.unimodal.kind": "generalized_gaussian", "priors.unimodal.beta": 4})
    spec = model_spec(config, ModelId("glow", "fashion_1", "unimodal"), 0, {})
    expected = {"kind": "generalized_gaussian", "means": [[0]], "scale": 1.0, "beta": 4}
    assert spec["prior"] == expected


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"assignment": "mixture"}, {"unsupervised": True}),
        ({"trainable_means": True}, {"trainable_means": True}),
        ({"trainable_means": False}, {}),
    ],
)
def test_a_specification_says_how_a_prior_is_trained_only_where_it_differs(changes, more):
    prior = {f"priors.bimodal_50.{key}": value for key, value in changes.items()}
    config = checked(prior | {"figures": {}})
    spec = model_spec(config, ModelId("glow", "fashion_1_7", "bimodal_50"), 0, {})
    plain = {"kind": "gaussian", "means": [[50], [-50]], "scale": 1.0}
    assert spec["prior"] == plain | more


def test_a_mixture_may_have_any_number_of_components():
    three = {"title": "3", "means": [[1], [2], [3]], "assignment": "mixture"}
    experiment = {"models": ["vae/fashion_1/three"]}
    config = checked({"priors.three": three, "experiments.x": experiment})
    assert config["priors"]["three"]["assignment"] == "mixture"


@pytest.mark.parametrize(("shape", "latent"), [((1, 28, 28), 50), ((3, 32, 32), 100)])
def test_the_network_follows_the_number_of_channels(shape, latent):
    inspected = {"own": {"shape": shape, "labels": {"train": [0], "test": [0]}}}
    spec = model_spec(checked(NPZ, inspected), ModelId("vae", "own", "unimodal"), 0, inspected)
    assert (spec["image_shape"], spec["network"]["latent_dim"]) == (list(shape), latent)


def test_what_does_not_define_a_model_is_not_in_its_specification():
    model = ModelId("glow", "fashion_1", "unimodal")
    other = {
        "subsets.fashion_1.title": "Trousers",
        "priors.unimodal.title": "one",
        "models.glow.draws": 9,
        "models.glow.threads": 9,
        "bootstrap": 999,
        "device": "cpu",
    }
    assert model_spec(checked(), model, 0, {}) == model_spec(checked(other), model, 0, {})


def test_the_shift_of_a_subset_is_in_the_specification_of_its_models():
    config = checked({"subsets.fashion_1.shift": 0.25})
    for subset, shift in (("fashion_1", 0.25), ("fashion_7", 0.0)):
        spec = model_spec(config, ModelId("vae", subset, "unimodal"), 0, {})
        assert spec["training"]["shift"] == shift


def test_mutations_are_in_the_specification_only_where_there_are_any():
    config = checked({"subsets.fashion_1.mutate": 0.25})
    model = ModelId("vae", "fashion_1", "unimodal")
    assert model_spec(config, model, 0, {})["training"]["mutate"] == 0.25
    other = model._replace(subset="fashion_7")
    assert "mutate" not in model_spec(config, other, 0, {})["training"]


MUTATED = {
    "title": "mutated",
    "dataset": "fashion_mnist",
    "labels": [1],
    "out_of_distribution": "mnist",
    "mutate": 0.1,
}


@pytest.mark.parametrize(
    ("name", "changes", "found"),
    [
        ("vae/fashion_1/unimodal", {}, "vae/mutated/unimodal"),
        ("vae/fashion_7/unimodal", {}, None),  # other images
        ("glow/fashion_1/unimodal", {}, None),  # another architecture
        ("vae/mutated/unimodal", {}, None),
        ("vae/mutated/unimodal", {"subsets.more": MUTATED | {"mutate": 0.3}}, None),
        ("vae/fashion_1/unimodal", {"subsets.fashion_1.limit": {"test": 7}}, None),
        ("vae/fashion_1/unimodal", {"subsets.mutated": MUTATED | {"mutate": 0.0}}, None),
    ],
)
def test_a_background_model_differs_in_the_mutations_of_its_images_alone(name, changes, found):
    models = ["vae/mutated/unimodal", *(["vae/more/unimodal"] if "subsets.more" in changes else [])]
    config = checked({"subsets.mutated": MUTATED, "experiments.x": {"models": models}} | changes)
    assert background(config, ModelId.of(name)) == (found and ModelId.of(found))


# seeds


def seeded(**experiments):
    entries = {name: {"models": [UNI], "seeds": seeds} for name, seeds in experiments.items()}
    return {"seeds": [4, 2], "experiments": entries, "toy": None}


@pytest.mark.parametrize(
    ("experiments", "seeds"),
    [
        ({"a": None}, [2, 4]),
        ({"a": [7]}, [7]),
        ({"a": [7, 0], "b": [3]}, [0, 3, 7]),
        ({"a": [7, 4], "b": None}, [2, 4, 7]),
        ({"a": [1, 2], "b": [2, 1]}, [1, 2]),
    ],
)
def test_a_model_has_the_seeds_of_all_its_experiments(experiments, seeds):
    assert model_seeds(seeded(**experiments)) == {ModelId.of(UNI): seeds}


@every_scale
def test_every_model_has_seeds(scale):
    config = checked(scale=scale)
    seeds = model_seeds(config)
    assert list(seeds) == [*model_ids(config), *toy_ids(config)]
    assert all(own == sorted(set(own)) and own for own in seeds.values())


@pytest.mark.parametrize(("own", "found"), [(None, [4]), ([7, 8, 9], [7, 8, 9])])
def test_toy_flows_have_seeds_of_their_own_or_the_general_ones(own, found):
    config = checked({"seeds": [4], "toy.seeds": own})
    assert {seed for toy in toy_ids(config) for seed in model_seeds(config)[toy]} == set(found)


# properties of the whole configuration


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", {"b": [[5, 6], {"c": 7}]}),
        ("a.b.0.1", 6),
        ("a.b.1.c", 7),
        ("2.x", "digits may be a name"),
    ],
)
def test_a_dotted_key_leads_through_mappings_and_lists(key, value):
    config = {"a": {"b": [[5, 6], {"c": 7}]}, "2": {"x": "digits may be a name"}}
    assert lookup(config, key) == value


@pytest.mark.parametrize(("key", "error"), [("a.x", KeyError), ("a.b.9", IndexError)])
def test_a_key_that_leads_nowhere_is_an_error(key, error):
    with pytest.raises(error):
        lookup({"a": {"b": [1]}}, key)


def test_an_entry_names_its_models_and_nothing_else():
    entry = {
        "title": "VAE, Gaussian",
        "where": "a/b/c",
        "model": "toy/mixture_2/uni",
        "models": ["vae/f/uni"],
        "panels": {"(a) x/y/z": ["glow/f_1/uni_2", "no model"]},
        "pairs": [["vae/f/a", "vae/f/b"]],
    }
    names = ["toy/mixture_2/uni", "vae/f/uni", "glow/f_1/uni_2", "no model", "vae/f/a", "vae/f/b"]
    assert list(models_of(entry)) == names
    assert list(models_of({})) == []


def test_a_toy_flow_is_named_by_its_mixture_and_prior():
    config = {"toy": {"dims": [2, 10], "priors": ["uni", "two"]}}
    assert [str(model) for model in toy_ids(config)] == [
        "toy/mixture_2/uni",
        "toy/mixture_2/two",
        "toy/mixture_10/uni",
        "toy/mixture_10/two",
    ]
    assert toy_ids({"toy": None}) == []


def test_the_specification_of_a_toy_flow_holds_everything_that_defines_it():
    data = {"mean": 2.0, "variance": 1.0, "ood_variance": 0.1}
    network = {"couplings": 3, "width": 5, "log_scale_bound": None}
    config = checked({"toy.points.train": 277, "toy.network": network, "toy.data": data})
    config["priors"]["two"] = {
        "title": "t",
        "kind": "gaussian",
        "means": [[1], [2]],
        "scale": 2.0,
        "beta": None,
        "assignment": "label",
    }
    assert toy_spec(config, 5, "two", 6) == {
        "architecture": "toy",
        "dim": 5,
        "data": data,
        "prior": {"kind": "gaussian", "means": [[1], [2]], "scale": 2.0},
        "network": network,
        "points": 277,
        "training": config["toy"]["training"],
        "seed": 6,
    }


PAIRS = {
    "vae/fashion_1_7/unimodal": [[75], [-75]],
    "vae/fashion_1_7/bimodal_75": [[0]],
    "vae/fashion_1_7/random_75": [[0]],
    "vae/fashion_1_7/gaussian_d10": [[0]],
    "vae/fashion_1_7/generalized_d0": [[2.5], [-2.5]],
    "vae/fashion_1_7/generalized_d200": [[0]],
    "glow/fashion_1_7/unimodal": [[50], [-50]],
    "glow/fashion_0_1_7_8/line_200": [[0]],
    "cv_glow/fashion_1_7/bimodal_50": [[0]],
    "vae/fashion_1/unimodal": None,
    "vae/cifar_0_4/bimodal_100": None,
}


def test_a_pair_may_differ_in_how_its_priors_were_trained():
    changes = {
        "priors.bimodal_50.assignment": "mixture",
        "priors.bimodal_50.trainable_means": True,
        "figures": {},
    }
    config = checked(changes)
    own, other = prior_pair(config, ModelId.of("glow/fashion_1_7/bimodal_50"))
    assert (own["unsupervised"], other["means"]) == (True, [[0]])
    # learnt means are in no specification: the next prior with two components is taken
    _, other = prior_pair(config, ModelId.of("glow/fashion_1_7/unimodal"))
    assert other["means"] == [[50], [-50]]
    assert "trainable_means" not in other


@pytest.mark.parametrize("name", PAIRS)
def test_the_other_prior_of_a_pair_has_several_components_for_one_and_the_reverse(name):
    config = checked()
    own, other = prior_pair(config, ModelId.of(name))
    assert own["means"] == config["priors"][name.split("/")[2]]["means"]
    assert (other and other["means"]) == PAIRS[name]
    if other:
        assert {k: v for k, v in other.items() if k != "means"} == {
            k: v for k, v in own.items() if k != "means"
        }


def test_identical_components_count_as_one():
    config = checked()
    config["priors"]["gaussian_d10"]["means"] = [[0.0], [0.0]]
    _, other = prior_pair(config, ModelId.of("vae/fashion_1_7/gaussian_d10"))
    assert other["means"] == [[75], [-75]]


# further sets out of distribution

SETS = "subsets.fashion_1.out_of_distribution"
MORE = {
    SETS: ["mnist", "rest", "noise", "samples", "kmnist"],
    "datasets.kmnist": {"kind": "kmnist"},
    "subsets.kmnist": {"title": "KMNIST", "dataset": "kmnist"},
    "subsets.rest": {"title": "rest", "dataset": "fashion_mnist", "labels": [0, 2]},
    "subsets.noise": {"title": "noise", "made": "noise", "of": "rest"},
    "subsets.samples": {"title": "samples", "made": "samples"},
    "subsets.fashion_1_7.out_of_distribution": "mnist",
    "subsets.cifar_0_4_clusters.out_of_distribution": "svhn",
}


def test_the_first_of_a_list_is_the_set_of_the_paper():
    config = checked(MORE)
    assert config["subsets"]["fashion_1"]["out_of_distribution"] == "mnist"
    sets = further_sets(config)
    assert set(sets) == {m for m in model_ids(config) if m.subset == "fashion_1"}
    assert set(map(tuple, sets.values())) == {("rest", "noise", "samples", "kmnist")}


def test_a_list_of_one_is_its_name():
    assert checked({SETS: ["mnist"]})["subsets"] == checked({SETS: "mnist"})["subsets"]


def test_experiments_without_further_sets_have_none():
    off = {"experiments.two_modes.further": False}
    assert further_sets(checked(MORE | off)) == {}
    mine = {"experiments.mine": {"models": ["vae/fashion_1/unimodal"]}}
    assert [*map(str, further_sets(checked(MORE | off | mine)))] == ["vae/fashion_1/unimodal"]


def test_images_for_further_sets_alone_are_those_that_no_model_learns_or_is_tested_on():
    config = checked(MORE)
    assert further_subsets(config) == ["rest", "noise", "kmnist"]
    assert further_datasets(config) == ["kmnist"]
    assert "kmnist" not in used_datasets(config)
    twice = MORE | {"subsets.cifar_0_4.out_of_distribution": ["svhn", "objects"]}
    twice |= {"subsets.objects": {"title": "o", "dataset": "cifar10", "labels": [7]}}
    assert further_datasets(checked(twice)) == ["kmnist"]


def test_further_sets_change_nothing_of_what_is_trained_and_scored():
    before, after = checked(MORE | {SETS: "mnist"}), checked(MORE)
    for model in model_ids(before):
        assert model_spec(before, model, 0, {}) == model_spec(after, model, 0, {})
        for split in ("train", "test"):
            assert selection(before, model.subset, split) == selection(after, model.subset, split)
    assert used_subsets(before) == used_subsets(after)
    assert run_name(before) == run_name(after)


def test_a_further_set_of_ones_own_goes_into_the_same_folder():
    own = {**NPZ, "subsets.own.out_of_distribution": None, SETS: ["mnist", "own"]}
    assert run_name(checked({"scale": "quick", **own}, GREY_NPZ)) == "quick"


def test_labels_of_an_official_set_are_as_many_as_its_classes():
    config = checked({f"datasets.{kind}": {"kind": kind} for kind in ("emnist_letters", "kmnist")})
    assert dataset_facts(config, "emnist_letters", {})[1] == {"test": [*range(26)]}
    assert dataset_facts(config, "kmnist", {}) == ((1, 28, 28), {"test": [*range(10)]})


def test_a_set_of_another_kind_may_be_learnt():
    changes = {
        "datasets.digits": {"kind": "mnist_full"},
        "subsets.digits": {"title": "d", "dataset": "digits", "out_of_distribution": "fashion_7"},
        "experiments.mine": {"models": ["vae/digits/unimodal"]},
        "only": ["mine"],
    }
    config = checked(changes)
    assert "digits" in used_datasets(config)
    assert further_datasets(config) == []
