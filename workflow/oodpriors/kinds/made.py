"""Sets out of distribution that are made, and not read from files."""

from typing import NamedTuple


class MadeKind(NamedTuple):
    """A kind of made images.

    Attributes:
        place: function ``make(images, rng)`` of test images, uint8 (N, H, W[, 3]), that gives
            as many others of the same shape; "" if they are drawn from each model.
        description: what they are.
    """

    place: str
    description: str

    @property
    def of_images(self) -> bool:
        """Whether they are made of the images of a subset."""
        return bool(self.place)


MADE = {
    "constants": MadeKind(
        "oodpriors.data.made:constants", "one random colour in all pixels of an image"
    ),
    "noise": MadeKind("oodpriors.data.made:noise", "independent pixels, uniform between 0 and 255"),
    "shuffled": MadeKind(
        "oodpriors.data.made:shuffled", "the pixels of each image in a random order"
    ),
    "blends": MadeKind("oodpriors.data.made:blends", "means of two images"),
    "samples": MadeKind("", "images drawn from the model itself"),
}
