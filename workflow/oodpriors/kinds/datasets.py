"""Official data sets, whose files need not be opened to know what is in them."""

from typing import NamedTuple

LABELS = list(range(10))
OWN = ("npz", "folder")  # kinds of data sets of the user
PARTS = {"mnist": "mnist_full", "svhn": "svhn_full"}  # kinds whose images are those of another


class DatasetKind(NamedTuple):
    """An official data set.

    Attributes:
        files: function that lists the :class:`~oodpriors.data.fetching.RemoteFile` of it.
        read: function that reads them: paths by name -> (split, images, labels) of each split.
        draw: function that draws a small stand-in, in the form that ``read`` gives.
        shape: of an image, (C, H, W).
        splits: that are used, of train and test.
        stand_in: what the stand-in shows.
        classes: names of the labels; without names there are the ten of :data:`LABELS`.
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
    # beside the paper's four
    "kmnist": DatasetKind(
        "oodpriors.data.battery:kmnist_files",
        "oodpriors.data.battery:read_kmnist",
        "oodpriors.data.battery_stand_ins:draw_kmnist",
        splits=("test",),
        stand_in="digits on their sides, 28 x 28",
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    "emnist_letters": DatasetKind(
        "oodpriors.data.battery:emnist_files",
        "oodpriors.data.battery:read_emnist_letters",
        "oodpriors.data.battery_stand_ins:draw_letters",
        splits=("test",),
        stand_in="digits in a mirror, 28 x 28, with the labels of letters",
        classes=tuple("abcdefghijklmnopqrstuvwxyz"),
    ),
    "notmnist": DatasetKind(
        "oodpriors.data.battery:notmnist_files",
        "oodpriors.data.battery:read_notmnist",
        "oodpriors.data.battery_stand_ins:draw_notmnist",
        splits=("test",),
        stand_in="digits upside down with hard edges, 28 x 28",
        classes=tuple("ABCDEFGHIJ"),
    ),
    "omniglot": DatasetKind(
        "oodpriors.data.battery:omniglot_files",
        "oodpriors.data.battery:read_omniglot",
        "oodpriors.data.battery_stand_ins:draw_omniglot",
        splits=("test",),
        stand_in="outlines of digits, 28 x 28, with the labels of alphabets",
        classes=(
            *("Angelic", "Atemayar Qelisayer", "Atlantean", "Aurek-Besh", "Avesta", "Ge'ez"),
            *("Glagolitic", "Gurmukhi", "Kannada", "Keble", "Malayalam", "Manipuri", "Mongolian"),
            *("Old Church Slavonic", "Oriya", "Sylheti", "Syriac (Serto)", "Tengwar", "Tibetan"),
            "ULOG",
        ),
    ),
    "usps": DatasetKind(
        "oodpriors.data.battery:usps_files",
        "oodpriors.data.battery:read_usps",
        "oodpriors.data.battery_stand_ins:draw_usps",
        splits=("test",),
        stand_in="digits that fill the image, 28 x 28",
    ),
    "cifar100": DatasetKind(
        "oodpriors.data.battery:cifar100_files",
        "oodpriors.data.battery:read_cifar100",
        "oodpriors.data.battery_stand_ins:draw_cifar100",
        shape=(3, 32, 32),
        splits=("test",),
        stand_in="coloured objects in other colours, 32 x 32",
        classes=(
            *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle"),
            *("bicycle", "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can"),
            *("castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud"),
            *("cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant"),
            *("flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard"),
            *("lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree"),
            *("motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid"),
            *("otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy"),
            *("porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea"),
            *("seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider"),
            *("squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone"),
            *("television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe"),
            *("whale", "willow_tree", "wolf", "woman", "worm"),
        ),
    ),
    "mnist_full": DatasetKind(
        "oodpriors.data.battery:mnist_full_files",
        "oodpriors.data.battery:read_mnist_full",
        "oodpriors.data.battery_stand_ins:draw_mnist_full",
        stand_in="scikit-learn's handwritten digits, enlarged to 28 x 28",
    ),
    "svhn_full": DatasetKind(
        "oodpriors.data.battery:svhn_full_files",
        "oodpriors.data.battery:read_svhn_full",
        "oodpriors.data.battery_stand_ins:draw_svhn_full",
        shape=(3, 32, 32),
        stand_in="scikit-learn's digits in colour on flat grounds, 32 x 32",
    ),
}
