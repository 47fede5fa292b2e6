"""Official data sets, whose files need not be opened to know what is in them."""

from typing import NamedTuple

LABELS = list(range(10))


class DatasetKind(NamedTuple):
    """An official data set, with ten labels.

    Attributes:
        files: function that lists the :class:`~oodpriors.data.fetching.RemoteFile` of it.
        read: function that reads them: paths by name -> (split, images, labels) of each split.
        draw: function that draws a small stand-in, in the form that ``read`` gives.
        shape: of an image, (C, H, W).
        splits: that are used, of train and test.
        stand_in: what the stand-in shows.
        classes: names of the labels, if they have others than their numbers.
    """

    files: str
    read: str
    draw: str
    shape: tuple[int, int, int] = (1, 28, 28)
    splits: tuple[str, ...] = ("train", "test")
    stand_in: str = ""
    classes: tuple[str, ...] = ()


OFFICIAL = {
    "mnist": DatasetKind(
        "oodpriors.data.official:mnist_files",
        "oodpriors.data.official:read_mnist",
        "oodpriors.data.stand_ins:draw_digits",
        splits=("test",),
        stand_in="scikit-learn's handwritten digits, enlarged to 28 x 28",
    ),
    "fashion_mnist": DatasetKind(
        "oodpriors.data.official:fashion_mnist_files",
        "oodpriors.data.official:read_fashion_mnist",
        "oodpriors.data.stand_ins:draw_garments",
        stand_in="garments drawn from outlines with a fixed seed, 28 x 28",
        classes=(
            *("T-shirt", "trouser", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "boot"),
        ),
    ),
    "cifar10": DatasetKind(
        "oodpriors.data.official:cifar10_files",
        "oodpriors.data.official:read_cifar10",
        "oodpriors.data.stand_ins:draw_objects",
        shape=(3, 32, 32),
        stand_in="coloured objects drawn with a fixed seed, 32 x 32",
        classes=(
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
    ),
    "svhn": DatasetKind(
        "oodpriors.data.official:svhn_files",
        "oodpriors.data.official:read_svhn",
        "oodpriors.data.stand_ins:draw_house_numbers",
        shape=(3, 32, 32),
        splits=("test",),
        stand_in="scikit-learn's digits in colour on flat grounds, 32 x 32",
    ),
}
