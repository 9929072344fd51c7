"""Odd inputs, and users' own code: nothing of the user's is changed, nothing fails in silence."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def unsorted(matrix):
    """Return a csr or csc matrix with the indices of each row or column in reverse."""
    matrix = matrix.copy()
    for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        for values in (matrix.indices, matrix.data):
            values[start:stop] = values[start:stop][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


def with_duplicates(matrix):
    """Return a coo, csr or csc matrix that holds half of each value twice."""
    halves = sparse.coo_array(matrix)
    halves.data = halves.data / 2
    twice = sparse.coo_array(
        (np.tile(halves.data, 2), tuple(np.tile(one, 2) for one in halves.coords)),
        shape=matrix.shape,
    )
    if matrix.format == "coo":
        return twice
    # Conversion would sum the duplicates.
    other = matrix.copy()
    other.data = np.repeat(other.data / 2, 2)
    other.indices = np.repeat(other.indices, 2)
    other.indptr = other.indptr * 2
    return type(matrix)((other.data, other.indices, other.indptr), shape=matrix.shape)


def arrays_of(matrix):
    return {
        name: values
        for name, values in vars(matrix).items()
        for values in (values if isinstance(values, tuple) else (values,))
        if isinstance(values, np.ndarray)
    }


def sparse_table():
    X, y = make_table()
    X[X < 0.3] = 0
    return X, y


def sparse_tables():
    X, _ = sparse_table()
    for name in FORMATS:
        yield name, sparse.csr_array(X).asformat(name)
    for name in ("csr", "csc"):
        yield f"{name}, unsorted", unsorted(sparse.csr_array(X).asformat(name))
    for name in ("coo", "csr", "csc"):
        yield f"{name}, duplicates", with_duplicates(sparse.csr_array(X).asformat(name))
    yield "csc matrix, unsorted", unsorted(sparse.csc_matrix(X))


SPARSE_TABLES = dict(sparse_tables())


@pytest.mark.filterwarnings("ignore:Constructing a DIA matrix")
@pytest.mark.parametrize("name", SPARSE_TABLES)
def test_a_read_only_sparse_table_is_read_and_stays_as_it_is(name):
    X, y = sparse_table()
    matrix = SPARSE_TABLES[name].copy()
    arrays = arrays_of(matrix)
    before = {key: values.copy() for key, values in arrays.items()}
    for values in arrays.values():
        values.flags.writeable = False
    drawn = quick().fit_resample(matrix, y)[0].toarray()
    assert_array_equal(drawn, quick().fit_resample(sparse.csr_array(X), y)[0].toarray())
    assert arrays.keys() == arrays_of(matrix).keys()
    for key, values in arrays_of(matrix).items():
        assert values is arrays[key]
        assert_array_equal(values, before[key])


@pytest.mark.parametrize("name", ["csr, unsorted", "csc, unsorted", "csc, duplicates"])
def test_threads_may_fit_on_one_sparse_table(name):
    _, y = sparse_table()
    matrix = SPARSE_TABLES[name].copy()

    def draw(_=None):
        return quick().fit_resample(matrix, y)[0].toarray()

    expected = draw()
    with ThreadPoolExecutor(4) as pool:
        for drawn in pool.map(draw, range(8)):
            assert_array_equal(drawn, expected)


@pytest.mark.parametrize("y_format", ["csr", "csc", "coo"])
def test_a_read_only_sparse_y_is_read_and_stays_as_it_is(y_format):
    X, y = make_table()
    one_hot = sparse.csr_array(np.eye(3)[y]).asformat(y_format)
    arrays = arrays_of(one_hot)
    before = {key: values.copy() for key, values in arrays.items()}
    for values in arrays.values():
        values.flags.writeable = False
    _, resampled = quick().fit_resample(X, one_hot)
    assert resampled.format == y_format
    for key, values in arrays_of(one_hot).items():
        assert_array_equal(values, before[key])
