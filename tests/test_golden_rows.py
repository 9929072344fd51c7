"""A release that draws other rows is noticed; the changelog is to say so."""

import json

import numpy as np
import pandas as pd
import pytest
from golden_rows import FILE, TABLES, draw, means_of_kept

GOLDEN = json.loads(FILE.read_text())
# Platforms round differently: values differ in their last digits, rarely in a level.
RELATIVE, ABSOLUTE = 1e-3, 2e-2
LEAST_SHARE_ALIKE = 0.9


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_those_of_the_last_release(name):
    expected, found = (pd.DataFrame(rows) for rows in (GOLDEN[name]["rows"], draw(name)))
    numeric = expected.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    found_numeric = found.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    is_alike = np.isclose(found_numeric, numeric, RELATIVE, ABSOLUTE) | (
        found.astype(str) == expected.astype(str)
    )
    assert is_alike.to_numpy().mean() >= LEAST_SHARE_ALIKE


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_the_critic_keeps_have_the_means_of_the_last_release(name):
    X, y = TABLES[name]()
    deviation = pd.DataFrame(X)[y].select_dtypes("number").std().to_numpy()
    moved = (np.array(means_of_kept(name)) - GOLDEN[name]["means"]) / deviation
    assert np.abs(moved).max() < 0.15
