"""`LatentSampler` and its subclasses: draw the codes that rows are decoded from."""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from vaesampler._runtime.noise import choose_rows, standard_normal, uniform
from vaesampler._runtime.users_code import errors_noted, require
from vaesampler._vae.posterior import Posterior

# Number of rows that are encoded at once, which bounds memory.
BLOCK_ROWS = 16_384


class LatentDraw(NamedTuple):
    """Codes that a `LatentSampler` drew, and their source rows.

    Attributes
    ----------
    z : torch.Tensor of shape (1, n_samples, latent_dim)
        The codes.
    sources : torch.Tensor of int64, of shape (n_samples,), or None
        Index, among the rows that the sampler was given, of the row that each code was drawn
        around. None if the codes were not drawn around rows.

    Examples
    --------
    >>> import torch
    >>> from vaesampler import LatentDraw
    >>> draw = LatentDraw(torch.zeros(1, 5, 4), sources=torch.tensor([0, 0, 1, 2, 2]))
    >>> draw.z.shape
    torch.Size([1, 5, 4])
    """

    z: Tensor
    sources: Tensor | None


class Encoder(Protocol):
    """The part of a trained VAE that a `LatentSampler` uses.

    The VAEs in `vaes_` of a fitted :class:`vaesampler.VAEOversampler` are encoders.

    Attributes
    ----------
    latent_dim : int
        Number of dimensions of the latent space.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(random_state=0).fit(X, y)
    >>> encoder = sampler.vaes_[2]
    >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
    >>> encoder.latent_dim, encoder.encode(rows).mean.shape
    (4, torch.Size([1, 48, 4]))
    """

    latent_dim: int

    def encode(self, rows: Tensor) -> Posterior:
        """Return the posteriors q(z | row).

        Parameters
        ----------
        rows : torch.Tensor of float32, of shape (1, n_rows, width)
            Encoded rows, standardized by class.

        Returns
        -------
        posterior : Posterior
            `mean` and `log_var`, each of shape (1, n_rows, latent_dim).

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
        >>> posterior = sampler.vaes_[2].encode(rows)
        >>> posterior.mean.shape == posterior.log_var.shape
        True
        """
        ...


class LatentSampler(ABC):
    """Base class of strategies to draw the codes that rows are decoded from.

    To use a strategy of your own, implement `draw`, and pass an instance as `latent_sampling`
    of :class:`vaesampler.VAEOversampler`.

    Attributes
    ----------
    wants_different_rows : bool, default=False
        Whether `draw` gets each real row at most once. Set it to True if the strategy compares
        rows with each other. If False, `draw` gets at least `n_samples` rows: each real row of
        a small class several times, with different noise (`smoothing`).

    See Also
    --------
    PosteriorSampling : Draws from the posteriors of real rows. The default.
    PriorSampling : Draws from the standard normal prior.
    InterpolationSampling : Draws between neighbouring codes.
    DenoisingSampling : Encodes noisy rows.

    Examples
    --------
    Draw around the centre of the class:

    >>> import torch
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import LatentDraw, LatentSampler, VAEOversampler
    >>> class CentralSampling(LatentSampler):
    ...     def draw(self, vae, rows, n_samples, generator):
    ...         center = vae.encode(rows).mean.mean(dim=1, keepdim=True)
    ...         noise = torch.randn(1, n_samples, vae.latent_dim, generator=generator)
    ...         return LatentDraw(center + 0.5 * noise, sources=None)
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(latent_sampling=CentralSampling(), random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> X_resampled.shape
    (213, 13)
    """

    wants_different_rows: ClassVar[bool] = False

    @abstractmethod
    def draw(
        self, vae: Encoder, rows: Tensor, n_samples: int, generator: torch.Generator
    ) -> LatentDraw:
        """Draw codes.

        Several threads may call this at once, so it must not change the sampler.

        Parameters
        ----------
        vae : Encoder
            Trained VAE of the class, as a stack of one model. `vae.encode(rows)` returns the
            posteriors of rows, with `mean` and `log_var` of shape (1, n_rows, latent_dim).
        rows : torch.Tensor of float32, of shape (1, n_rows, width)
            Random real rows of the class, encoded and standardized by class, with the noise of
            `smoothing` added: at most 8,000 of them, each once, if `wants_different_rows`,
            else at least `n_samples`.
        n_samples : int
            Number of codes to draw.
        generator : torch.Generator
            The only source of randomness, on the device of `rows`.

        Returns
        -------
        draw : LatentDraw
            The codes `z`, of shape (1, n_samples, latent_dim), and `sources`, of shape
            (n_samples,): for each code, the index of its source row in `rows`; or None.

        Examples
        --------
        Use the codes of real rows, without noise:

        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import LatentDraw, LatentSampler, VAEOversampler
        >>> class CodesOfRows(LatentSampler):
        ...     def draw(self, vae, rows, n_samples, generator):
        ...         sources = torch.randint(rows.shape[1], (n_samples,), generator=generator)
        ...         return LatentDraw(vae.encode(rows[:, sources]).mean, sources)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(latent_sampling=CodesOfRows(), random_state=0).fit(X, y)
        >>> rows, sources = sampler.sample(2, 5, return_sources=True)
        >>> y[sources]
        array([2, 2, 2, 2, 2])
        """


def draw_codes(
    sampler: LatentSampler,
    label: Hashable,
    vae: Encoder,
    rows: Tensor,
    n_samples: int,
    generator: torch.Generator,
) -> LatentDraw:
    """Return the codes that a sampler draws for the class `label`, after checking them.

    Raises
    ------
    ValueError
        If they are not as `LatentSampler.draw` must return them.
    """
    who = f"{type(sampler).__name__}.draw"
    with errors_noted(f"Raised by {who}, for class {label!r}."):
        drawn = sampler.draw(vae, rows, n_samples, generator)
    is_pair = isinstance(drawn, tuple) and len(drawn) == 2
    require(is_pair, f"{who} must return a LatentDraw", type(drawn).__name__)
    z, sources = drawn
    shape, device = (1, n_samples, vae.latent_dim), rows.device
    require(
        _has_form(z, shape, (torch.float32,), device),
        f"{who} must return `z` of shape {shape}, float32, on {device}",
        _form(z),
    )
    n_wrong = n_samples - int(torch.isfinite(z).all(dim=-1).sum())
    require(
        n_wrong == 0,
        f"{who} must return finite codes",
        f"NaN or infinity in {n_wrong} of {n_samples} codes of class {label!r}",
    )
    if sources is not None:
        require(
            _has_form(sources, shape[1:2], (torch.int64, torch.int32), device),
            f"{who} must return `sources` of shape {shape[1:2]}, int64, on {device}, or None",
            _form(sources),
        )
        lowest, highest = (int(end) for end in torch.aminmax(sources))
        require(
            0 <= lowest <= highest < rows.shape[1],
            f"{who} must return `sources` from 0 to {rows.shape[1] - 1}, indices of `rows`",
            f"{lowest} to {highest} for class {label!r}",
        )
    return LatentDraw(z, sources)


def _has_form(
    values: Any, shape: tuple[int, ...], dtypes: Collection[torch.dtype], device: torch.device
) -> bool:
    return (
        isinstance(values, Tensor)
        and values.shape == shape
        and values.dtype in dtypes
        and values.device == device
    )


def _form(values: Any) -> str:
    """Describe what should have been a tensor."""
    if not isinstance(values, Tensor):
        return type(values).__name__
    return f"shape {tuple(values.shape)}, {values.dtype}, on {values.device}"


@dataclass(frozen=True)
class PriorSampling(LatentSampler):
    """Draw codes from the standard normal prior, independently of real rows.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Examples
    --------
    >>> from vaesampler import PriorSampling, VAEOversampler
    >>> sampler = VAEOversampler(latent_sampling=PriorSampling())
    """

    def draw(
        self,
        vae: Encoder,
        rows: Tensor,  # noqa: ARG002
        n_samples: int,
        generator: torch.Generator,
    ) -> LatentDraw:
        """Draw z ~ N(0, I). See `LatentSampler.draw` for the parameters.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import PriorSampling, VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
        >>> generator = torch.Generator().manual_seed(0)
        >>> drawn = PriorSampling().draw(sampler.vaes_[2], rows, 5, generator)
        >>> drawn.z.shape, drawn.sources
        (torch.Size([1, 5, 4]), None)
        """
        return LatentDraw(standard_normal((1, n_samples, vae.latent_dim), generator), None)


@dataclass(frozen=True)
class PosteriorSampling(LatentSampler):
    """Draw codes from the posteriors of real rows, z ~ q(z | x_i).

    Each row x_i is used about equally often. The mixture of these posteriors (the aggregated
    posterior) covers the region where the decoder was trained; the prior may cover more.

    References
    ----------
    Jakub M. Tomczak, Max Welling (2018). VAE with a VampPrior.

    Examples
    --------
    >>> from vaesampler import PosteriorSampling, VAEOversampler
    >>> sampler = VAEOversampler(latent_sampling=PosteriorSampling())
    """

    def draw(
        self, vae: Encoder, rows: Tensor, n_samples: int, generator: torch.Generator
    ) -> LatentDraw:
        """Draw z ~ q(z | row). See `LatentSampler.draw` for the parameters.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import PosteriorSampling, VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
        >>> generator = torch.Generator().manual_seed(0)
        >>> drawn = PosteriorSampling().draw(sampler.vaes_[2], rows, 5, generator)
        >>> drawn.z.shape, drawn.sources.shape
        (torch.Size([1, 5, 4]), torch.Size([5]))
        """
        chosen = choose_rows(rows.shape[1], n_samples, generator)
        blocks = []
        for block in torch.split(chosen, BLOCK_ROWS):
            posterior = vae.encode(rows.index_select(1, block))
            blocks.append(posterior.draw(standard_normal(posterior.mean.shape, generator)))
        return LatentDraw(torch.cat(blocks, dim=1), chosen)


@dataclass(frozen=True)
class InterpolationSampling(LatentSampler):
    """Draw codes on line segments between the codes of neighbouring rows.

    The code is z = m_i + u * (m_j - m_i), where m_i is the posterior mean of a real row, m_j
    that of one of its nearest neighbours in latent space, and u is uniform on [0, 1]. This is
    the rule of SMOTE in latent space: decoded, the segments follow the curvature of the class.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest neighbours, among the rows of the class.

    References
    ----------
    Nitesh V. Chawla, Kevin W. Bowyer, Lawrence O. Hall, W. Philip Kegelmeyer (2002).
    SMOTE: Synthetic Minority Over-sampling Technique.

    Terrance DeVries, Graham W. Taylor (2017). Dataset Augmentation in Feature Space.

    Examples
    --------
    >>> from vaesampler import InterpolationSampling, VAEOversampler
    >>> sampler = VAEOversampler(latent_sampling=InterpolationSampling(n_neighbors=3))
    """

    wants_different_rows: ClassVar[bool] = True

    n_neighbors: int = 5

    def __post_init__(self) -> None:
        if not (isinstance(self.n_neighbors, Integral) and self.n_neighbors >= 1):
            raise ValueError(
                f"n_neighbors must be a whole number of at least 1; found {self.n_neighbors}."
            )

    def draw(
        self, vae: Encoder, rows: Tensor, n_samples: int, generator: torch.Generator
    ) -> LatentDraw:
        """Draw between neighbours. See `LatentSampler.draw` for the parameters.

        The source of a code is the row at the start of its segment.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import InterpolationSampling, VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
        >>> generator = torch.Generator().manual_seed(0)
        >>> drawn = InterpolationSampling().draw(sampler.vaes_[2], rows, 5, generator)
        >>> drawn.z.shape, drawn.sources.shape
        (torch.Size([1, 5, 4]), torch.Size([5]))
        """
        n_rows, device = rows.shape[1], rows.device
        blocks = torch.split(rows, BLOCK_ROWS, dim=1)
        means = torch.cat([vae.encode(block).mean.detach() for block in blocks], dim=1)
        chosen = choose_rows(n_rows, n_samples, generator)
        n_neighbors = min(self.n_neighbors, n_rows - 1)
        search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="kd_tree")
        # Without a query, kneighbors excludes each code from its own neighbours.
        neighbors = search.fit(means[0].cpu().numpy()).kneighbors(return_distance=False)
        which = torch.randint(n_neighbors, (n_samples,), generator=generator, device=device)
        share = uniform((n_samples, 1), generator)
        start = means[:, chosen]
        end = means[:, torch.from_numpy(neighbors).to(device)[chosen, which]]
        return LatentDraw(start + share * (end - start), chosen)


@dataclass(frozen=True)
class DenoisingSampling(LatentSampler):
    """Use the codes of real rows with noise added; decoding removes the noise again.

    The code is the posterior mean of x_i + e, where x_i is a real row, and e is independent
    normal noise.

    Parameters
    ----------
    noise_level : float, default=0.5
        Standard deviation of the noise, in standard deviations of the class, column by column.

    References
    ----------
    Yoshua Bengio, Li Yao, Guillaume Alain, Pascal Vincent (2013). Generalized Denoising
    Auto-Encoders as Generative Models.

    Examples
    --------
    >>> from vaesampler import DenoisingSampling, VAEOversampler
    >>> sampler = VAEOversampler(latent_sampling=DenoisingSampling(noise_level=1.0))
    """

    noise_level: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.noise_level < math.inf:
            raise ValueError(
                f"noise_level must be finite and at least 0; found {self.noise_level}."
            )

    def draw(
        self, vae: Encoder, rows: Tensor, n_samples: int, generator: torch.Generator
    ) -> LatentDraw:
        """Encode noisy rows. See `LatentSampler.draw` for the parameters.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import DenoisingSampling, VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(2, X[y == 2]))[None]
        >>> generator = torch.Generator().manual_seed(0)
        >>> drawn = DenoisingSampling().draw(sampler.vaes_[2], rows, 5, generator)
        >>> drawn.z.shape, drawn.sources.shape
        (torch.Size([1, 5, 4]), torch.Size([5]))
        """
        spread = self.noise_level * rows.std(dim=1, keepdim=True)
        chosen = choose_rows(rows.shape[1], n_samples, generator)
        blocks = []
        for block in torch.split(chosen, BLOCK_ROWS):
            real = rows.index_select(1, block)
            noisy = real + spread * standard_normal(real.shape, generator)
            blocks.append(vae.encode(noisy).mean)
        return LatentDraw(torch.cat(blocks, dim=1), chosen)


LATENT_SAMPLERS: dict[str, LatentSampler] = {
    "prior": PriorSampling(),
    "posterior": PosteriorSampling(),
    "interpolate": InterpolationSampling(),
    "denoise": DenoisingSampling(),
}
