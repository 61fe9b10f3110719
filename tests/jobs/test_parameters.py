from dataclasses import dataclass

from bench.jobs.work.parameters import fields


@dataclass(frozen=True)
class Parent:
    """A parent.

    Arguments:
        first: said of it by the parent.
        second, third: both are
            numbers.
    """

    first: int = 1
    second: int = 2
    third: int = 3


@dataclass(frozen=True)
class Child(Parent):
    """A child.

    Arguments:
        first: said of it by the child.
        fourth: a number.
    """

    fourth: int = 4


def test_inherited_parameters_have_their_help():
    assert {one["name"]: one["doc"] for one in fields(Child)} == {
        "first": "said of it by the child.",
        "second": "both are numbers.",
        "third": "both are numbers.",
        "fourth": "a number.",
    }
