"""Samplers to compare with that imbalanced-learn does not have."""

import logging
import warnings
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

# Samplers whose package is in the extra "rivals", and may be absent.
OPTIONAL_PACKAGES = {
    **dict.fromkeys(("LVQ-SMOTE", "ProWSyn", "Lee", "SMOBD"), "smote_variants"),
    "ARF": "arfpy",
    "MGS-GRF": "mgs_grf",
}


def installed(names: list[str]) -> list[str]:
    """Return the samplers whose package is installed; print which ones are skipped."""
    kept = []
    for name in names:
        package = OPTIONAL_PACKAGES.get(name)
        if package is None or find_spec(package):
            kept.append(name)
        else:
            print(f"{name} is skipped: {package} is not installed (extra: rivals)")
    return kept


class ClasswiseSampler(BaseOverSampler):
    """Draws each class's new rows from that class's rows alone; subclasses say how."""

    def __init__(self, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state

    def _fit_resample(self, X, y):
        rng = check_random_state(self.random_state)
        new_rows, new_labels = [X], [y]
        for label, n_samples in self.sampling_strategy_.items():
            if n_samples > 0:
                drawn = self._draw_among(X[y == label], X[y != label], n_samples, rng)
                new_rows.append(drawn)
                new_labels.append(np.full(n_samples, label, dtype=y.dtype))
        return np.concatenate(new_rows), np.concatenate(new_labels)

    def _draw_among(self, rows, other_rows, n_samples, rng):  # noqa: ARG002
        """Draw rows of a class; subclasses that look at the other rows override it."""
        return self._draw(rows, n_samples, rng)


class PolynomFitSMOTEStar(ClasswiseSampler):
    """Points at even steps on the lines from each row to the mean of its class.

    Sami Gazzah, Najoua Essoukri Ben Amara (2008). New Oversampling Approaches Based on
    Polynomial Fitting for Imbalanced Data Sets (the star topology).
    """

    def _draw(self, rows, n_samples, rng):
        n_steps = int(np.ceil(n_samples / len(rows)))
        start = np.tile(rows, (n_steps, 1))
        share = np.repeat(np.arange(1, n_steps + 1) / (n_steps + 1), len(rows))[:, None]
        points = start + share * (rows.mean(axis=0) - start)
        return points[rng.permutation(len(points))[:n_samples]]


class MultivariateGaussianSMOTE(ClasswiseSampler):
    """Draws from the Gaussian fitted to a random row and its d + 1 nearest neighbours.

    Abdoulaye Sakho, Erwan Scornet, Emmanuel Malherbe (2024). Do we need rebalancing
    strategies? A theoretical and empirical study around SMOTE and its variants.
    """

    def _draw(self, rows, n_samples, rng):
        return local_gaussians(rows, n_samples, rng)[0]


def local_gaussians(rows, n_samples, rng):
    """Draw from the Gaussians of random rows and their neighbours; return the rows' indices."""
    n_neighbors = min(rows.shape[1] + 2, len(rows))
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(rows)
    groups = rows[neighbors.kneighbors(rows, return_distance=False)]
    means = groups.mean(axis=1)  # (n_rows, n_features)
    # A Gaussian with the group's covariance is a random mix of its centred rows.
    centred = (groups - means[:, None]) / np.sqrt(n_neighbors)
    chosen = rng.randint(len(rows), size=n_samples)
    weights = rng.standard_normal((n_samples, n_neighbors))
    drawn = means[chosen] + np.einsum("nk,nkd->nd", weights, centred[chosen])
    return drawn, chosen


class SMOTEVariantsSampler(ClasswiseSampler):
    """Draws with a class of the `smote-variants` package, with its defaults.

    Gyorgy Kovacs (2019). An empirical comparison and evaluation of minority oversampling
    techniques on a large number of imbalanced datasets.

    SMOBD draws nothing where no row of the class has enough others within its radius, 1; the
    radius is then doubled until it draws.
    """

    def __init__(self, variant="ProWSyn", *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.variant = variant

    def _draw_among(self, rows, other_rows, n_samples, rng):
        import smote_variants

        logging.getLogger("smote_variants").setLevel(logging.CRITICAL)
        X = np.concatenate([rows, other_rows])
        y = np.repeat([1, 0], [len(rows), len(other_rows)])
        # The package rounds down the share of the difference of the classes.
        share = (n_samples + 0.5) / (len(other_rows) - len(rows))
        seed = rng.randint(2**31 - 1)
        make = getattr(smote_variants, self.variant)  # which ignores arguments it doesn't have
        for radius in 2.0 ** np.arange(10):
            variant = make(share, max_eps=radius, random_state=seed)
            drawn = variant.sample(X, y)[0][len(X) :]
            if len(drawn) == n_samples:
                return drawn
        raise ValueError(f"{self.variant} drew {len(drawn)} rows instead of {n_samples}")


class CTGANPackageSampler(ClasswiseSampler):
    """Fits a synthesizer of the `ctgan` package, with its defaults, to the class's rows.

    Lei Xu, Maria Skoularidou, Alfredo Cuesta-Infante, Kalyan Veeramachaneni (2019).
    Modeling Tabular Data using Conditional GAN.
    """

    def __init__(self, synthesizer="TVAE", *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.synthesizer = synthesizer

    def _draw(self, rows, n_samples, rng):
        import ctgan
        import torch

        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            seed = rng.randint(2**31 - 1)
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002  the package draws from the global generator
            model = getattr(ctgan, self.synthesizer)(enable_gpu=False)
            frame = pd.DataFrame(rows, columns=[f"c{i}" for i in range(rows.shape[1])])
            model.fit(frame)
            return model.sample(n_samples).to_numpy(dtype=rows.dtype)


class ARFSampler(ClasswiseSampler):
    """Fits an adversarial random forest of `arfpy`, with its defaults, to the class's rows.

    David S. Watson, Kristin Blesch, Jan Kapar, Marvin N. Wright (2023). Adversarial random
    forests for density estimation and generative modeling.
    """

    def _draw(self, rows, n_samples, rng):
        from arfpy import arf

        frame = pd.DataFrame(rows, columns=[f"c{i}" for i in range(rows.shape[1])])
        np.random.seed(rng.randint(2**31 - 1))  # noqa: NPY002  as for ctgan
        # It calls a function that NumPy 2.4 has no more.
        with warnings.catch_warnings(), patch.object(np, "in1d", np.isin, create=True):
            warnings.simplefilter("ignore")
            model = arf.arf(frame, verbose=False)
            model.forde()
            return model.forge(n_samples).to_numpy(dtype=rows.dtype)


def fill_missing(X: pd.DataFrame) -> pd.DataFrame:
    """Fill the missing cells of categories with the mode, of numbers with the median."""
    filled = X.copy()
    for name in X:
        values = X[name]
        fill = values.mode()[0] if values.dtype == "category" else values.median()
        filled[name] = values.fillna(fill)
    return filled


class FilledMGSGRF:
    """MGS-GRF of the `mgs-grf` package, with its defaults; missing cells are filled first.

    Abdoulaye Sakho, Emmanuel Malherbe, Carl-Erik Gauthier, Erwan Scornet (2025). Harnessing
    Mixed Features for Imbalance Data Oversampling: Application to Bank Customers Scoring.

    It refuses tables of categories alone.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_resample(self, X, y):
        """Fill, draw rows of the smaller class, and give each column its dtype back."""
        from mgs_grf import MGSGRFOverSampler, over_sampling

        class BatchedForest(type(over_sampling.CLASSIFIERS["grf"])):
            """Compares a few new rows at a time with all real ones, to need less memory."""

            def predict(self, X):
                return super().predict(X, batch_size=min(50, len(X)))

        filled = fill_missing(X)
        is_categorical = (X.dtypes == "category").to_numpy()
        cells = [
            filled[name].cat.codes if categorical else filled[name]
            for name, categorical in zip(X, is_categorical, strict=True)
        ]
        n_numbers = int((~is_categorical).sum())
        sampler = MGSGRFOverSampler(
            # By default as many as there are numbers, which small classes do not have.
            K=min(n_numbers, int(y.value_counts().min()) - 1),
            categorical_features=np.flatnonzero(is_categorical),
            random_state=self.random_state,
        )
        forest = BatchedForest(random_state=0)
        with patch.dict(over_sampling.CLASSIFIERS, grf=forest):
            rows, labels = sampler.fit_resample(np.column_stack(cells), y.to_numpy())
        drawn = pd.DataFrame(rows[len(X) :], columns=X.columns).astype(np.float64)
        for name in X:
            drawn[name] = _with_dtype(drawn[name], X[name].dtype)
        return (
            pd.concat([filled, drawn], ignore_index=True),
            pd.Series(labels, dtype=y.dtype),
        )


def _with_dtype(numbers: pd.Series, dtype) -> pd.Series:
    if dtype == "category":
        return pd.Series(pd.Categorical.from_codes(numbers.astype(int), dtype=dtype))
    return (numbers.round() if dtype.kind in "iu" else numbers).astype(dtype)


class MixedTVAE:
    """TVAE of the `ctgan` package, with its defaults, on frames with categories.

    It takes no missing cells: those of numbers are filled with the median, and those of
    categories are a category of their own; drawn as such, they are missing again.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_resample(self, X, y):
        """Fit it to the rows of the smaller class, and draw as many as are wanting."""
        import ctgan
        import torch

        counts = y.value_counts()
        rows = X[y == counts.idxmin()]
        n_samples = int(counts.max() - counts.min())
        categorical = list(X.columns[X.dtypes == "category"])
        filled = rows.copy()
        for name in X:
            if name in categorical:
                filled[name] = rows[name].astype(object).fillna("missing").astype(str)
            else:
                filled[name] = rows[name].fillna(rows[name].median()).fillna(X[name].median())
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            torch.manual_seed(self.random_state)
            np.random.seed(self.random_state)  # noqa: NPY002
            model = ctgan.TVAE(enable_gpu=False)
            model.fit(filled, categorical)
            drawn = model.sample(n_samples)
        for name in X:
            if name in categorical:
                drawn[name] = pd.Categorical(
                    drawn[name].where(drawn[name] != "missing"), dtype=X[name].dtype
                )
            else:
                drawn[name] = drawn[name].astype(np.float64)
        new_labels = pd.Series(np.full(n_samples, counts.idxmin()), dtype=y.dtype)
        return (
            pd.concat([X, drawn[X.columns]], ignore_index=True),
            pd.concat([y, new_labels], ignore_index=True),
        )
