"""The classes are trained in stacks, which change no class's rows."""

import re

import numpy as np
import pytest
import torch
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st

from vaesampler._runtime.devices import one_thread
from vaesampler._training import stacks
from vaesampler._training.stacks import MOST_ROWS_BY_STEP, stacks_of, suited_batch_size

N_ROWS = st.dictionaries(st.integers(), st.integers(2, 10_000), min_size=1, max_size=300)
MANY_CLASSES = {label: 3 + label % 9 for label in range(40)} | {40: 30}


@given(n_rows=N_ROWS, width=st.integers(1, 20_000), batch_size=st.integers(1, 5_000))
def test_every_class_is_in_one_stack_of_its_batch_size_and_no_step_is_large(
    n_rows, width, batch_size
):
    divided = stacks_of(n_rows, width, batch_size)
    assert sorted(label for stack in divided for label in stack.labels) == sorted(n_rows)
    for stack in divided:
        sizes = {suited_batch_size(batch_size, n_rows[one], width) for one in stack.labels}
        assert sizes == {stack.batch_size}
        n_rows_by_step = len(stack.labels) * stack.batch_size
        assert n_rows_by_step <= MOST_ROWS_BY_STEP or len(stack.labels) == 1


@given(
    batch_size=st.integers(1, 5_000), n_rows=st.integers(2, 10**6), width=st.integers(1, 20_000)
)
def test_batches_are_as_large_as_asked_for_unless_rows_are_few_or_wide(
    batch_size, n_rows, width
):
    suited = suited_batch_size(batch_size, n_rows, width)
    assert 1 <= suited <= batch_size
    if 16 * n_rows >= 2 * batch_size and width * batch_size <= 400_000:
        assert suited == batch_size
    assert suited <= 16 * n_rows
    assert suited * width <= 400_000 or suited <= 40


@pytest.mark.parametrize("most_rows", [1, 128, 400])
def test_rows_do_not_depend_on_how_classes_are_divided_into_stacks(most_rows, monkeypatch):
    X, y = make_table(MANY_CLASSES, n_features=5)
    expected = quick(max_iter=20, latent_dim=2).fit_resample(X, y)[0]
    monkeypatch.setattr(stacks, "MOST_ROWS_BY_STEP", most_rows)
    found = quick(max_iter=20, latent_dim=2).fit_resample(X, y)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_rows_do_not_depend_on_the_threads_that_train_stacks():
    X, y = make_table(MANY_CLASSES, n_features=5)
    n_threads = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        expected = quick(max_iter=20, latent_dim=2).fit_resample(X, y)[0]
        torch.set_num_threads(1)
        found = quick(max_iter=20, latent_dim=2).fit_resample(X, y)[0]
    finally:
        torch.set_num_threads(n_threads)
    np.testing.assert_array_equal(found, expected)


def test_nested_limits_of_threads_end_with_the_last_of_them():
    before = torch.get_num_threads()
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert torch.get_num_threads() == 1
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("sizes", [{0: 30, 1: 12}, MANY_CLASSES])
def test_the_log_ends_with_the_last_step_however_many_stacks_there_are(sizes, caplog):
    with caplog.at_level("INFO", logger="vaesampler"):
        quick(max_iter=20, latent_dim=2, verbose=2).fit(*make_table(sizes, n_features=5))
    step, n_steps = re.match(r"step (\d+) of (\d+)", caplog.messages[-1]).groups()
    assert step == n_steps
