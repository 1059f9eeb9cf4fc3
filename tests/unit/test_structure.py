"""The product's structure stays within its limits, so that a newcomer can read it."""

import pytest
from structure import PACKAGES, Structure, measure, measure_rooms

MOST_MODULES_A_FOLDER = 12
MOST_COMPLEX = 15
P90 = 8
# Limits for text/ and layout/ of the reader together, which decide how a file is read
ROOMS_LINES = 2_993
ROOMS_PREDICATES = 23
ROOMS_P90 = 10
ROOMS_MOST_COMPLEX = 15


@pytest.fixture(scope="module", params=PACKAGES, ids=[package.name for package in PACKAGES])
def structure(request: pytest.FixtureRequest) -> Structure:
    """The figures of a package."""
    return measure(request.param, most_modules=MOST_MODULES_A_FOLDER)


def test_functions_are_simple(structure: Structure) -> None:
    assert structure.above(MOST_COMPLEX) == []
    assert structure.p90 <= P90


def test_every_public_callable_and_module_has_a_docstring(structure: Structure) -> None:
    assert structure.undocumented == []


def test_folders_are_not_crowded_and_module_names_are_unique(structure: Structure) -> None:
    assert structure.crowded_folders == {}
    assert structure.same_names == []


def test_no_modules_import_each_other_in_a_cycle(structure: Structure) -> None:
    assert structure.circle == []


def test_layout_code_stays_small() -> None:
    rooms = measure_rooms()
    assert rooms.lines <= ROOMS_LINES
    assert len(rooms.predicates) <= ROOMS_PREDICATES
    assert rooms.p90 <= ROOMS_P90
    assert max(rooms.complexities.values()) <= ROOMS_MOST_COMPLEX
