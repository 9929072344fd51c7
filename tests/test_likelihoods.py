"""What every likelihood must be: a distribution, drawn from, with its gradient."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from vaesampler._encoding.layout import Part
from vaesampler._training.gradients import GRADIENTS, AutogradGradient, GaussianGradient
from vaesampler._vae.likelihoods import LIKELIHOODS, LOWEST_LOG_VAR, MOST_GROUPS_AT_ONCE

SCORES = ((-1.2, 0.1, 1.7), (-0.8, -0.3, 0.2, 2.0), (-0.5, 0.9))
PARTS = {
    "gaussian": Part("gaussian", (1, 1, 1)),
    "bernoulli": Part("bernoulli", (1, 1)),
    "categorical": Part("categorical", (3, 2)),
    "ordinal": Part("ordinal", (1, 2, 2), SCORES),
}
# All rows that each of the discrete likelihoods may draw.
ROWS = {
    "bernoulli": list(product((0.0, 1.0), repeat=2)),
    "categorical": [
        (*np.eye(3)[first], *np.eye(2)[second]) for first, second in product(range(3), range(2))
    ],
    "ordinal": [
        (first, *second, *third)
        for first, second, third in product(
            SCORES[0],
            *([*((score, 0.0) for score in own), (0.0, 1.0)] for own in SCORES[1:]),
        )
    ],
}
seeds = st.integers(0, 1000)


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


def make(name, n_models=1, seed=0):
    likelihood = LIKELIHOODS[name](n_models, PARTS[name])
    for values in likelihood.parameters():
        values.data += 0.5 * torch.randn(values.shape, generator=generator_of(seed))
    return likelihood


def output_of(name, n_models=1, n_rows=1, seed=0):
    shape = (n_models, n_rows, PARTS[name].width)
    return 2 * torch.randn(shape, generator=generator_of(seed + 1))


def drawn_rows(name, likelihood, n_models, n_rows, seed):
    return likelihood.draw(output_of(name, n_models, n_rows, seed), generator_of(seed))


def test_every_likelihood_is_tested():
    assert set(PARTS) == set(LIKELIHOODS)
    assert set(ROWS) == set(LIKELIHOODS) - {"gaussian"}


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
@given(seed=seeds, n_models=st.integers(1, 3), n_rows=st.integers(1, 20))
def test_drawn_rows_have_a_finite_likelihood_each_by_its_own_model(
    name, seed, n_models, n_rows
):
    likelihood = make(name, n_models, seed)
    output = output_of(name, n_models, n_rows, seed)
    rows = likelihood.draw(output, generator_of(seed))
    assert rows.shape == output.shape
    losses = likelihood.negative_log_likelihood(output, rows)
    assert losses.shape == (n_models, n_rows)
    assert losses.isfinite().all()
    one = LIKELIHOODS[name](1, PARTS[name])
    one.load_state_dict({key: values[:1] for key, values in likelihood.state_dict().items()})
    alone = one.negative_log_likelihood(output[:1], rows[:1])
    torch.testing.assert_close(alone, losses[:1])


@pytest.mark.parametrize("name", sorted(ROWS))
@given(seed=seeds)
def test_the_probabilities_of_all_rows_sum_to_one_and_are_the_shares_of_drawn_ones(name, seed):
    likelihood, output = make(name, seed=seed), output_of(name, seed=seed)
    every = torch.tensor(ROWS[name], dtype=torch.float32)[None]
    same = output.expand(1, len(ROWS[name]), -1)
    probabilities = torch.exp(-likelihood.negative_log_likelihood(same, every))[0]
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-4)
    drawn = likelihood.draw(output.expand(1, 20_000, -1), generator_of(seed))[0]
    is_row = (drawn[:, None] == every).all(dim=-1)
    assert is_row.any(dim=1).all(), "a row that may not be drawn was"
    torch.testing.assert_close(is_row.float().mean(dim=0), probabilities, atol=0.02, rtol=0)


@given(seed=seeds)
def test_the_gaussian_density_integrates_to_one_in_each_slot(seed):
    likelihood, output = make("gaussian", seed=seed), output_of("gaussian", seed=seed)
    grid = torch.linspace(-40, 40, 20_001)[None, :, None].expand(1, -1, 3)
    same = output.expand_as(grid)
    for slot in range(3):
        counted = torch.zeros_like(grid)
        counted[..., slot] = 1
        density = torch.exp(-likelihood.negative_log_likelihood(same, grid, counted))[0]
        assert torch.trapezoid(density, grid[0, :, 0]).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["gaussian", "ordinal"])
def test_before_training_the_deviation_of_a_slot_is_that_of_encoded_columns(name):
    likelihood = LIKELIHOODS[name](1, PARTS[name])
    if name == "gaussian":
        variance = torch.exp(likelihood.log_var)
    else:
        variance = (math.pi * likelihood.scale) ** 2 / 3  # of a logistic distribution
    torch.testing.assert_close(variance, torch.ones_like(variance), atol=0.01, rtol=0)


@given(seed=seeds)
def test_gaussian_slots_are_drawn_with_the_decoders_means_and_the_learned_variances(seed):
    likelihood, output = make("gaussian", 2, seed), output_of("gaussian", 2, 1, seed)
    drawn = likelihood.draw(output.expand(2, 20_000, 3), generator_of(seed)).detach()
    scores = (drawn - output) / torch.exp(likelihood.log_var.detach() / 2)
    torch.testing.assert_close(scores.mean(dim=1), torch.zeros(2, 3), atol=0.04, rtol=0)
    torch.testing.assert_close(scores.std(dim=1), torch.ones(2, 3), atol=0.03, rtol=0)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
@given(seed=seeds)
def test_to_count_every_slot_is_to_count_without_weights(name, seed):
    likelihood, output = make(name, 2, seed), output_of(name, 2, 9, seed)
    rows = likelihood.draw(output, generator_of(seed))
    every = torch.ones_like(rows)
    for loss in (
        lambda *counted: likelihood.negative_log_likelihood(output, rows, *counted),
        lambda *counted: likelihood.marginal_loss(rows, *counted),
    ):
        torch.testing.assert_close(loss(every), loss())


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
@given(seed=seeds)
def test_slots_that_are_not_counted_have_no_part_in_the_loss(name, seed):
    likelihood, output = make(name, 2, seed), output_of(name, 2, 10, seed)
    rows = likelihood.draw(output, generator_of(seed))
    counted = (torch.rand(rows.shape, generator=generator_of(seed)) < 0.5).float()
    changed = torch.where(counted > 0, output, output + 3)
    before, after = (
        likelihood.negative_log_likelihood(one, rows, counted) for one in (output, changed)
    )
    torch.testing.assert_close(before, after)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
@given(seed=seeds)
def test_no_constant_output_is_better_than_the_marginal_loss(name, seed):
    likelihood = make(name, seed=seed)
    rows = drawn_rows(name, likelihood, 1, 500, seed)
    best = likelihood.marginal_loss(rows).item()
    outputs = output_of(name, 1, 50, seed)
    losses = [
        likelihood.negative_log_likelihood(one.expand_as(rows), rows).mean().item()
        for one in outputs.transpose(0, 1)[:, None]
    ]
    assert best <= min(losses) + 1e-3


def slots_of_variables(name):
    stops = np.cumsum(PARTS[name].widths)
    return [
        slice(stop - width, stop) for stop, width in zip(stops, PARTS[name].widths, strict=True)
    ]


@pytest.mark.parametrize("name", sorted(ROWS))
@given(seed=seeds, n_rows=st.integers(1, 60))
def test_the_marginal_loss_of_levels_is_the_entropy_of_their_shares(name, seed, n_rows):
    rows = drawn_rows(name, make(name, 2, seed), 2, n_rows, seed)
    expected = [
        sum(
            entropy(np.unique(of_model[:, slots], axis=0, return_counts=True)[1])
            for slots in slots_of_variables(name)
        )
        for of_model in rows.detach().numpy()
    ]
    found = make(name, 2, seed).marginal_loss(rows)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


@given(seed=seeds, deviation=st.sampled_from([0.01, 0.3, 1.0, 4.0]))
def test_the_marginal_loss_of_numbers_is_that_of_their_mean_and_variance(seed, deviation):
    likelihood = make("gaussian", 2, seed)
    rows = 2 + deviation * torch.randn(2, 50, 3, generator=generator_of(seed))
    mean, variance = rows.mean(dim=1, keepdim=True), rows.var(dim=1, correction=0)
    # The variance is one that may be learned.
    target = (variance.log() - LOWEST_LOG_VAR).clamp(min=1e-6)
    likelihood.raw_log_var.data = torch.log(torch.expm1(target))[:, None]
    expected = likelihood.negative_log_likelihood(mean.expand_as(rows), rows).mean(dim=1)
    found = make("gaussian", 2, seed).marginal_loss(rows)
    torch.testing.assert_close(found, expected.detach(), atol=1e-4, rtol=1e-4)


@given(seed=seeds, value=st.floats(-3, 3))
def test_a_constant_slot_has_the_same_marginal_loss_as_the_vae_that_predicts_it(seed, value):
    likelihood = make("gaussian", 2, seed)
    rows = torch.full((2, 20, 3), value)
    expected = likelihood.negative_log_likelihood(rows, rows).mean(dim=1)
    torch.testing.assert_close(likelihood.marginal_loss(rows), expected)


@pytest.mark.parametrize("name", ["gaussian", "bernoulli"])
@given(seed=seeds, n_counted=st.integers(0, 12))
def test_the_marginal_loss_of_counted_slots_is_theirs_alone(name, seed, n_counted):
    likelihood = make(name, seed=seed)
    rows = drawn_rows(name, likelihood, 1, 12, seed)
    counted = torch.ones_like(rows)
    counted[:, n_counted:, 0] = 0
    without = torch.ones_like(rows)
    without[..., 0] = 0
    expected = likelihood.marginal_loss(rows, without)
    if n_counted > 0:
        alone = rows[:, :n_counted]
        first = likelihood.marginal_loss(alone, 1 - without[:, :n_counted])
        expected = expected + first * n_counted / 12
    torch.testing.assert_close(likelihood.marginal_loss(rows, counted), expected)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
@pytest.mark.parametrize("n_models", [1, 3])
@given(seed=seeds)
def test_the_gradient_that_training_takes_is_autograds(name, n_models, seed):
    likelihood = make(name, n_models, seed).double()
    output = output_of(name, n_models, 7, seed).double()
    rows = likelihood.draw(output.float(), generator_of(seed)).detach().double()
    for values in likelihood.parameters():
        values.grad = torch.zeros_like(values)
    leaf = output.clone().requires_grad_()
    losses = likelihood.negative_log_likelihood(leaf, rows).sum(dim=1)
    parameters = list(likelihood.parameters())
    expected, *own = torch.autograd.grad(losses.sum(), [leaf, *parameters])
    with torch.inference_mode():
        if name == "gaussian":
            scale = torch.empty(n_models, 1, 3, dtype=torch.float64)
            written = GaussianGradient(likelihood, output, scale)
            loss = (written.write(output - rows, None) / 2 + written.constant) * 7
            gradient = (output - rows) * scale * 7
        else:
            kind = GRADIENTS.get(type(likelihood), AutogradGradient)
            written = kind(likelihood, 7)
            loss, gradient = written.write(output, written.targets(rows, None))
    torch.testing.assert_close(loss, losses.detach())
    torch.testing.assert_close(gradient, expected)
    for values, of_values in zip(parameters, own, strict=True):
        torch.testing.assert_close(values.grad, of_values / 7)


@pytest.mark.parametrize("name", sorted(ROWS))
@given(seed=seeds, is_counted=st.booleans())
def test_a_likelihood_without_a_written_gradient_gets_the_same_from_autograd(
    name, seed, is_counted
):
    likelihood, output = make(name, 2, seed), output_of(name, 2, 9, seed)
    rows = likelihood.draw(output, generator_of(seed)).detach()
    for values in likelihood.parameters():
        values.grad = torch.zeros_like(values)
    counted = None if is_counted or name == "ordinal" else (output > -1).float()
    found = []
    for kind in (GRADIENTS[type(likelihood)], AutogradGradient):
        gradient = kind(likelihood, 9)
        found.append(gradient.write(output, gradient.targets(rows, counted)))
    for written, automatic in zip(*found, strict=True):
        torch.testing.assert_close(written, automatic)


@given(seed=seeds)
def test_a_far_location_draws_the_outermost_level_and_overflows_nowhere(seed):
    likelihood = make("ordinal", seed=seed)
    for sign, level in ((-1, 0), (1, -1)):
        output = torch.full((1, 50, PARTS["ordinal"].width), sign * 1e4)
        rows = likelihood.draw(output, generator_of(seed))
        assert (rows[..., 0] == SCORES[0][level]).all()
        assert likelihood.negative_log_likelihood(output, rows).isfinite().all()
        assert likelihood.negative_log_likelihood(-output, rows).isfinite().all()


@pytest.mark.parametrize("name", ["gaussian", "ordinal"])
@pytest.mark.parametrize("value", [-1e3, 1e3])
def test_losses_are_finite_however_far_training_moves_the_parameters(name, value):
    likelihood, output = make(name), output_of(name, 1, 20)
    rows = likelihood.draw(output, generator_of(0)).detach()
    for values in likelihood.parameters():
        values.data.fill_(value)
    assert likelihood.negative_log_likelihood(output, rows).isfinite().all()
    assert likelihood.marginal_loss(rows).isfinite().all()


@pytest.mark.parametrize("n_groups", [1, 2, MOST_GROUPS_AT_ONCE, *range(101, 118)])
def test_sums_over_many_groups_are_those_of_each_group(n_groups):
    widths = tuple(2 + index % 5 for index in range(n_groups))
    likelihood = LIKELIHOODS["categorical"](2, Part("categorical", widths))
    weights = torch.rand(2, 5, sum(widths), generator=generator_of(0))
    groups = weights.split(widths, dim=-1)
    expected = torch.cat([group.sum(dim=-1, keepdim=True) for group in groups], dim=-1)
    totals = likelihood.totals(weights)
    torch.testing.assert_close(totals, expected)
    repeated = torch.repeat_interleave(totals, torch.tensor(widths), dim=-1)
    assert torch.equal(likelihood.spread(totals), repeated)
