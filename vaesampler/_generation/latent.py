"""`LatentSampler` and its strategies: where in latent space new rows are drawn."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar, NamedTuple, Protocol

import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from vaesampler._runtime.noise import choose_rows, standard_normal
from vaesampler._vae.posterior import Posterior

# Rows are encoded in blocks of this many, which bounds memory whatever the table's size.
BLOCK_ROWS = 16_384


class LatentDraw(NamedTuple):
    """Latent points, and which real row each was drawn around."""

    z: Tensor  # (1, n_samples, latent_dim)
    sources: Tensor | None  # (n_samples,), numbers of rows; None if around no row


class Encoder(Protocol):
    """What a `LatentSampler` needs of a VAE."""

    latent_dim: int

    def encode(self, rows: Tensor) -> Posterior:
        """Return q(z | row) of rows of shape (n_models, n_rows, n_features)."""
        ...


class LatentSampler(ABC):
    """Where in the latent space of a trained VAE new rows are decoded from.

    Subclass it and implement `draw` to pass a strategy of your own as the
    `latent_sampling` of :class:`vaesampler.VAEOversampler`.

    Attributes
    ----------
    wants_different_rows : bool, default=False
        Whether `draw` is to be given each real row once at most, because it compares rows with
        each other. Otherwise a small class's come several times, each moved by `smoothing`.
    """

    wants_different_rows: ClassVar[bool] = False

    @abstractmethod
    def draw(
        self, vae: Encoder, rows: Tensor, n_samples: int, generator: torch.Generator
    ) -> LatentDraw:
        """Draw latent points; of large tables, in several threads at once.

        Parameters
        ----------
        vae : object
            The trained VAE of the class, a stack of one. Its `encode(rows)` returns a
            `Posterior` with `mean` and `log_var` of shape (1, n_rows, latent_dim).
        rows : torch.Tensor of shape (1, n_rows, n_features)
            The class's real rows, encoded: float32, each column standardized. With
            `smoothing`, each is a row near a real one.
        n_samples : int
            How many points to draw.
        generator : torch.Generator
            The only source of randomness, on the device of `rows`.

        Returns
        -------
        draw : LatentDraw
            `z`, of shape (1, n_samples, latent_dim), and `sources`, of shape (n_samples,):
            the number of the row that each point was drawn around, or None.
        """


@dataclass(frozen=True)
class PriorSampling(LatentSampler):
    """Draw z from the standard normal prior, without regard to any real row.

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
        """Draw z ~ N(0, I)."""
        return LatentDraw(standard_normal((1, n_samples, vae.latent_dim), generator), None)


@dataclass(frozen=True)
class PosteriorSampling(LatentSampler):
    """Draw z from the posterior of real rows, each of them used about equally often.

    The mixture of all posteriors (the "aggregated posterior") lies where the decoder was
    trained, which the prior does not always.

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
        """Draw z ~ q(z | row)."""
        chosen = choose_rows(rows.shape[1], n_samples, generator)
        blocks = []
        for block in chosen.split(BLOCK_ROWS):
            posterior = vae.encode(rows.index_select(1, block))
            blocks.append(posterior.draw(standard_normal(posterior.mean.shape, generator)))
        return LatentDraw(torch.cat(blocks, dim=1), chosen)


@dataclass(frozen=True)
class InterpolationSampling(LatentSampler):
    """Draw z on the line between the posterior means of two latent neighbours.

    It is SMOTE's rule, carried out where the lines between rows are curved.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many nearest rows of the class, in latent space, a row may be joined with.

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
        """Draw points between neighbours; their sources are the lines' starts."""
        n_rows = rows.shape[1]
        means = torch.cat(
            [vae.encode(block).mean for block in rows.split(BLOCK_ROWS, dim=1)], dim=1
        )
        chosen = choose_rows(n_rows, n_samples, generator)
        n_neighbors = min(self.n_neighbors, n_rows - 1)
        points = means[0].cpu().numpy()
        # Without a query, kneighbors leaves each point out of its own neighbours.
        neighbors = torch.from_numpy(
            NearestNeighbors(n_neighbors=n_neighbors, algorithm="kd_tree")
            .fit(points)
            .kneighbors(return_distance=False)
        ).to(rows.device)
        device = rows.device
        which = torch.randint(n_neighbors, (n_samples,), generator=generator, device=device)
        share = torch.rand(
            (n_samples, 1), generator=generator, device=device, dtype=torch.float32
        )
        start, end = means[:, chosen], means[:, neighbors[chosen, which]]
        return LatentDraw(start + share * (end - start), chosen)


@dataclass(frozen=True)
class DenoisingSampling(LatentSampler):
    """Add noise to a real row and encode the noisy row; decoding removes the noise again.

    Parameters
    ----------
    noise_level : float, default=0.5
        Standard deviation of the noise, in standard deviations of each of the class's
        columns.

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
        """Return the posterior means of noisy rows."""
        spread = self.noise_level * rows.std(dim=1, keepdim=True)
        chosen = choose_rows(rows.shape[1], n_samples, generator)
        blocks = []
        for block in chosen.split(BLOCK_ROWS):
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


def resolve_latent_sampling(latent_sampling: str | LatentSampler) -> LatentSampler:
    """Return the strategy of this name, or the one that was passed.

    Raises
    ------
    ValueError
        If it is neither a name nor a `LatentSampler`.
    """
    if isinstance(latent_sampling, LatentSampler):
        return latent_sampling
    if isinstance(latent_sampling, str) and latent_sampling in LATENT_SAMPLERS:
        return LATENT_SAMPLERS[latent_sampling]
    raise ValueError(
        f"The 'latent_sampling' parameter must be one of {sorted(LATENT_SAMPLERS)} or an "
        f"object of a subclass of LatentSampler; found {latent_sampling!r}."
    )
