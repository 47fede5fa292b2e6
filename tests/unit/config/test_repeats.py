"""A key that stands twice is told with its file and lines."""

import pytest

from oodpriors.config.repeats import check_repeats
from oodpriors.config.schema import ConfigError

TWICE = {
    "at the top": ("seeds: [0]\nscale: smoke\nseeds: [1]\n", "seeds", 1, 3),
    "below others": ("models:\n  vae:\n    draws: 4\n    draws: 5\n", "models.vae.draws", 3, 4),
    "in quotes": ('a: 1\n"a": 2\n', "a", 1, 2),
    "in one line": ("images: {test: 5, test: 6}\n", "images.test", 1, 1),
    "in a list": ("a:\n- b: 1\n- b: 1\n  b: 2\n", "a.1.b", 3, 4),
    "in JSON": ('{\n\t"a": {"b": 1,\n\t"b": 2}\n}', "a.b", 2, 3),
    "behind an anchor": ("a: &x\n  b: 1\n  b: 2\nc: *x\n", "a.b", 2, 3),
}


@pytest.mark.parametrize(("text", "key", "first", "second"), TWICE.values(), ids=TWICE)
def test_a_key_that_stands_twice_is_refused(text, key, first, second):
    with pytest.raises(ConfigError) as caught:
        check_repeats({"mine.yaml": text})
    assert str(caught.value) == (
        f"config: mine.yaml: {key} is there twice, in lines {first} and {second}: keep one"
    )


ONCE = {
    "the same key in two places": "a: {c: 1}\nb: {c: 1}\n",
    "in two entries of a list": "- a: 1\n- a: 1\n",
    "a number and its text": "1: a\n'1': b\n",
    "merged and overridden": "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
    "empty": "",
    "no YAML": "a: [",
    "an alias in itself": "a: &x\n  b: *x\n",
}


@pytest.mark.parametrize("text", ONCE.values(), ids=ONCE)
def test_what_stands_once_is_not(text):
    check_repeats({"mine.yaml": text, "other.yaml": text})
