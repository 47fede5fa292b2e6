"""Stand-ins have the format of the real data and are marked as stand-ins."""

import numpy as np
import pytest
from tests.unit.data.conftest import SHAPES, every_official

from oodpriors.data.loading import load_embedded


@every_official
def test_stand_ins_have_the_shape_and_type_of_the_real_thing(stand_ins, kind):
    data = stand_ins[kind]
    assert data.images.shape == (len(data.labels), *SHAPES[kind])
    assert (data.images.dtype, data.labels.dtype) == (np.uint8, np.int64)
    assert data.split.shape == data.labels.shape


@pytest.mark.parametrize(
    ("kind", "splits"),
    [
        ("mnist", {"test"}),
        ("svhn", {"test"}),
        ("fashion_mnist", {"train", "test"}),
        ("cifar10", {"train", "test"}),
    ],
)
def test_every_split_of_a_stand_in_has_all_ten_labels(stand_ins, kind, splits):
    data = stand_ins[kind]
    assert set(data.split.tolist()) == splits
    for split in splits:
        assert set(data.labels[data.split == split].tolist()) == set(range(10))


@every_official
def test_stand_ins_are_the_same_every_time(stand_ins, kind):
    np.random.seed(1)  # noqa: NPY002, the global state must not matter
    again = load_embedded(kind)
    np.testing.assert_array_equal(stand_ins[kind].images, again.images)
    np.testing.assert_array_equal(stand_ins[kind].labels, again.labels)


@every_official
def test_images_of_a_stand_in_are_no_copies_of_one_another(stand_ins, kind):
    images = stand_ins[kind].images
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@every_official
def test_stand_ins_say_that_they_are(stand_ins, kind):
    provenance = stand_ins[kind].provenance
    assert provenance["stand_in"] is True
    assert (provenance["kind"], provenance["stands_for"]) == ("embedded", kind)
    assert provenance["description"]
    assert sum(provenance["images"].values()) == len(stand_ins[kind].images)


def test_an_unknown_stand_in_is_refused():
    with pytest.raises(ValueError, match="no stand-in for 'imagenet'; there are mnist, "):
        load_embedded("imagenet")
