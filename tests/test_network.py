"""The stack of VAEs is what it says, and no model in it feels the others."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Normal, OneHotCategorical, kl_divergence

from vaesampler import VAEOversampler
from vaesampler._encoding.layout import Layout, Part
from vaesampler._encoding.rows import DenseRows
from vaesampler._runtime.settings import TrainingSettings
from vaesampler._training.gradients import VAEGradient
from vaesampler._training.loop import ClassRows, train
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.heads import TableHead
from vaesampler._vae.layers import ACTIVATIONS
from vaesampler._vae.likelihoods import LOWEST_LOG_VAR, GaussianLikelihood
from vaesampler._vae.model import EvidenceBound, StackedVAE
from vaesampler._vae.posterior import Posterior

SETTINGS = TrainingSettings(
    max_iter=30, learning_rate_init=1e-2, batch_size=16, beta=1.0, alpha=1e-2
)


# Two numbers (the first may be missing or at a spike), a binary column, groups of 3 and 2.
CATEGORIES = (Part("bernoulli", (1,)), Part("categorical", (3, 2)))
MIXED = Layout(2, 2, CATEGORIES, ((0, 0), (1, 0), (0, 3)))


SIX_COLUMNS = Layout(6)


def make_stack(n_models=3, layout=SIX_COLUMNS, hidden=(8,), latent_dim=2, activation="relu"):
    generators = [torch.Generator().manual_seed(number) for number in range(n_models)]
    stack = StackedVAE(n_models, layout, hidden, latent_dim, activation)
    return stack.initialize(generators)


def make_rows(layout, n_models=3, n_rows=10):
    """Return encoded rows: values, flags of 0 or 1, standardized truth, one level a group."""
    rows = torch.randn(n_models, n_rows, layout.width, dtype=torch.float64)
    rows[..., layout.flags] = (rows[..., layout.flags] > 0.5).double()
    start = layout.flags.stop
    for part in layout.categories_parts:
        for width in part.widths:
            slots = slice(start, start + width)
            if part.likelihood == "bernoulli":
                rows[..., slots] = torch.where(rows[..., slots] > 0, 1.3, -0.8).double()
            else:
                level = rows[..., slots].argmax(dim=-1)
                rows[..., slots] = torch.nn.functional.one_hot(level, width).double()
            start += width
    return rows


def count(module):
    return sum(values.numel() for values in module.parameters())


def test_the_default_network_on_64_features_is_64_32_4_4_32_64():
    X, y = make_table({0: 20, 1: 10}, n_features=64)
    vae = quick(hidden_layer_sizes=(32,), latent_dim=4).fit(X, y).vaes_[1]
    assert isinstance(vae, torch.nn.Module)
    assert count(vae.encoder) == 64 * 32 + 32 + 32 * (4 + 4) + (4 + 4)
    assert count(vae.decoder) == 4 * 32 + 32 + 32 * 64 + 64
    assert count(vae.head) == 64  # one log-variance a feature
    assert count(vae) == count(vae.encoder) + count(vae.decoder) + count(vae.head)


def test_the_documented_network_is_the_default_one():
    assert VAEOversampler().hidden_layer_sizes == (32,)
    assert VAEOversampler().latent_dim == 4


def test_the_decoder_mirrors_the_encoder():
    vae = make_stack(hidden=(8, 5), latent_dim=3)
    assert [tuple(layer.weight.shape[1:]) for layer in vae.encoder.layers] == [
        (6, 8),
        (8, 5),
        (5, 6),
    ]
    assert [tuple(layer.weight.shape[1:]) for layer in vae.decoder.layers] == [
        (3, 5),
        (5, 8),
        (8, 6),
    ]


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("hidden", [(8,), (8, 5)])
@pytest.mark.parametrize("latent_dim", [1, 4])
def test_encoding_and_decoding_change_the_width_and_nothing_else(n_models, hidden, latent_dim):
    vae = make_stack(n_models, hidden=hidden, latent_dim=latent_dim)
    posterior = vae.encode(torch.zeros(n_models, 7, 6))
    assert posterior.mean.shape == posterior.log_var.shape == (n_models, 7, latent_dim)
    assert vae.decode(posterior.mean).shape == (n_models, 7, 6)
    assert vae.draw(posterior.mean, torch.Generator()).shape == (n_models, 7, 6)


@pytest.mark.parametrize(
    "layout", [Layout(6), MIXED, Layout(0, 0, CATEGORIES[:1]), Layout(0, 0, CATEGORIES[1:])]
)
@pytest.mark.parametrize("hidden", [(8,), (8, 5)])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_hand_written_gradient_is_autograds(activation, hidden, layout):
    torch.manual_seed(0)
    vae = make_stack(layout=layout, hidden=hidden, activation=activation).double()
    vae.head.normal.raw_log_var.data.normal_()
    rows, noise = make_rows(layout), torch.randn(3, 10, 2).double()
    bound = vae.evidence_bound(rows, noise)
    expected = (bound.reconstruction + 0.7 * bound.kl).mean(dim=1)
    expected.sum().backward()
    gradients = [values.grad.clone() for values in vae.parameters()]
    for values in vae.parameters():
        values.grad.zero_()
    written = EvidenceBound(*torch.empty(2, 3, dtype=torch.float64))
    gradient = VAEGradient(vae, n_rows=10, beta=0.7)
    gradient.write(gradient.head.targets(rows), noise, written)
    torch.testing.assert_close(written.reconstruction, bound.reconstruction.mean(dim=1))
    torch.testing.assert_close(written.kl, bound.kl.mean(dim=1))
    for values, gradient in zip(vae.parameters(), gradients, strict=True):
        torch.testing.assert_close(values.grad, gradient)


@given(seed=st.integers(0, 2**32))
def test_the_reconstruction_is_a_normal_likelihood(seed):
    generator = torch.Generator().manual_seed(seed)
    head = GaussianLikelihood(2, Part("gaussian", (1,) * 4))
    head.raw_log_var.data.normal_(generator=generator)
    output, rows = torch.randn(2, 2, 7, 4, generator=generator)
    expected = -Normal(output, torch.exp(0.5 * head.log_var)).log_prob(rows).sum(dim=-1)
    torch.testing.assert_close(head.negative_log_likelihood(output, rows), expected)


@given(seed=st.integers(0, 2**32))
def test_the_reconstruction_of_categories_is_that_of_bernoullis_and_softmaxes(seed):
    torch.manual_seed(seed)
    layout = Layout(0, 0, (Part("bernoulli", (1, 1)), Part("categorical", (3, 2))))
    output, rows = torch.randn(2, 7, layout.width).double() * 3, make_rows(layout, 2, 7)
    yes_no = Bernoulli(logits=output[..., :2])
    expected = -yes_no.log_prob((rows[..., :2] > 0).double()).sum(dim=-1)
    for group in (slice(2, 5), slice(5, 7)):
        expected -= OneHotCategorical(logits=output[..., group]).log_prob(rows[..., group])
    found = TableHead(2, layout).double().negative_log_likelihood(output, rows)
    torch.testing.assert_close(found, expected)


def test_what_a_flag_silences_does_not_count():
    torch.manual_seed(0)
    head = TableHead(1, MIXED).double()
    output, rows = torch.randn(1, 50, MIXED.width).double(), make_rows(MIXED, 1, 50)
    before = head.negative_log_likelihood(output, rows)
    changed = output.clone()
    changed[..., 0] += 5
    after = head.negative_log_likelihood(changed, rows)
    is_silenced = rows[..., MIXED.flags].any(dim=-1)
    assert is_silenced.any()
    assert (before[is_silenced] == after[is_silenced]).all()
    assert (before[~is_silenced] != after[~is_silenced]).all()


def test_drawn_categories_have_the_decoders_probabilities():
    head, generator = TableHead(1, MIXED), torch.Generator().manual_seed(0)
    output = torch.linspace(-2, 2, MIXED.width).expand(1, 20_000, MIXED.width)
    drawn = head.draw(output, generator)[0]
    yes_no = slice(MIXED.flags.start, MIXED.flags.stop + 1)
    torch.testing.assert_close(
        drawn[:, yes_no].mean(dim=0), torch.sigmoid(output[0, 0, yes_no]), atol=0.02, rtol=0
    )
    for group in (slice(5, 8), slice(8, 10)):
        assert (drawn[:, group].sum(dim=-1) == 1).all()
        expected = torch.softmax(output[0, 0, group], dim=-1)
        torch.testing.assert_close(drawn[:, group].mean(dim=0), expected, atol=0.02, rtol=0)


def test_certain_decoders_overflow_nowhere():
    head = TableHead(1, MIXED)
    rows = make_rows(MIXED, 1, 10).float()
    for size in (1e4, -1e4):
        output = torch.full((1, 10, MIXED.width), size)
        assert head.draw(output, torch.Generator()).isfinite().all()
        output[..., MIXED.normal] = 0
        assert head.negative_log_likelihood(output, rows).isfinite().all()


@given(seed=st.integers(0, 2**32), size=st.sampled_from([1e-3, 1.0, 5.0]))
def test_the_kl_is_that_of_normals_and_never_negative(seed, size):
    generator = torch.Generator().manual_seed(seed)
    # In float32, divergences near zero would be rounded below it.
    posterior = Posterior(*(size * torch.randn(2, 2, 5, 3, generator=generator).double()))
    q = Normal(posterior.mean, torch.exp(0.5 * posterior.log_var))
    expected = kl_divergence(q, Normal(0.0, 1.0)).sum(dim=-1)
    torch.testing.assert_close(posterior.kl_to_prior(), expected)
    assert (posterior.kl_to_prior() >= 0).all()


def test_a_columns_variance_stays_above_the_floor():
    head = GaussianLikelihood(1, Part("gaussian", (1,) * 3))
    head.raw_log_var.data.fill_(-1e4)
    assert (head.log_var >= LOWEST_LOG_VAR).all()


def test_selected_models_share_no_memory_with_the_stack():
    stack = make_stack()
    twice = stack.select([1, 1])
    before = twice.encoder.layers[0].weight.clone()
    stack.encoder.layers[0].weight.data.zero_()
    torch.testing.assert_close(twice.encoder.layers[0].weight, before)
    torch.testing.assert_close(before[0], before[1])


def rebuilt(stack):
    sizes = stack.hidden_layer_sizes
    vae = StackedVAE(stack.n_models, stack.layout, sizes, stack.latent_dim, stack.activation)
    vae.load_state_dict(stack.state_dict())
    return vae


@pytest.mark.parametrize(
    "copy",
    [rebuilt, deepcopy, lambda stack: stack.select([0]), lambda stack: stack.double().float()],
    ids=["state_dict", "deepcopy", "select", "to"],
)
def test_a_trained_vae_is_complete_in_its_copies(copy, table):
    frame, y = pd.DataFrame(table[0]), table[1]
    frame["plan"] = np.where(frame[0] > 0, "monthly", "yearly")
    frame.loc[::3, 1] = np.nan
    frame.loc[1::3, 2] = 0
    vae = quick().fit(frame.rename(columns=str), y).vaes_[1]
    z = torch.randn(1, 50, 4, generator=torch.Generator().manual_seed(0))
    expected, found = (
        one.draw(z, torch.Generator().manual_seed(1)) for one in (vae, copy(vae))
    )
    assert torch.equal(found, expected)


@pytest.mark.parametrize("n_rows", [(5, 12, 9), (5, 40, 300)])
def test_a_model_trains_the_same_whichever_models_are_stacked_with_it(n_rows):
    def class_rows(number):
        generator = torch.Generator().manual_seed(number)
        rows = DenseRows(torch.randn(n_rows[number], 6, generator=generator).numpy())
        return ClassRows(number, SmoothedRows.fit(rows, Layout(6), 1.0, "cpu"), generator)

    stack = make_stack()
    alone = [stack.select([number]) for number in range(3)]
    together = train(stack, [class_rows(number) for number in range(3)], SETTINGS)
    for number, vae in enumerate(alone):
        (history,) = train(vae, [class_rows(number)], SETTINGS)
        np.testing.assert_allclose(
            history.curve.total, together[number].curve.total, rtol=1e-3, atol=1e-3
        )
        for one, all_three in zip(vae.parameters(), stack.parameters(), strict=True):
            torch.testing.assert_close(one[0], all_three[number], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("batch_size", [4, 20, 128])
@pytest.mark.parametrize("others", [{2: 30}, {0: 60}, {0: 41, 2: 9}])
def test_a_classs_rows_are_the_same_whichever_classes_are_oversampled_too(
    batch_size, others, table
):
    def rows_of_class_1(strategy):
        sampler = quick(sampling_strategy=strategy, batch_size=batch_size)
        return sampler.fit(*table).sample(1, 20, random_state=0)

    alone, beside = rows_of_class_1({1: 30}), rows_of_class_1({1: 30, **others})
    np.testing.assert_allclose(alone, beside, rtol=1e-3, atol=1e-3)


def test_training_lowers_the_loss(table):
    sampler = quick(max_iter=200, pretrain_iter=0).fit(*table)
    for curve in sampler.loss_curves_.values():
        assert curve.total[-20:].mean() < curve.total[:20].mean() - 1


def test_a_strong_l2_penalty_gives_small_weights(table):
    def size(alpha):
        vae = quick(alpha=alpha, max_iter=200).fit(*table).vaes_[1]
        return sum(layer.weight.square().sum() for layer in vae.encoder.layers)

    assert size(1e3) < 0.5 * size(0.0)


def test_a_large_beta_leaves_nothing_in_the_latent_space(table):
    X, y = table
    sampler = quick(beta=100.0, max_iter=300).fit(X, y)
    rows = torch.from_numpy(sampler.to_matrix(1, X[y == 1]))[None]
    assert sampler.vaes_[1].encode(rows).kl_to_prior().mean() < 0.2
