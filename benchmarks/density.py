"""How far `log_density` is from known log-densities: mean absolute errors, in nats per row.

python benchmarks/density.py             # docs/drawing_on_demand.md
python benchmarks/density.py --windows   # of SLOPE_WINDOW
"""

import argparse
import warnings

import numpy as np
from scipy.stats import multivariate_normal

from vaesampler import VAEOversampler
from vaesampler._table import normal_scores

N_TEST_ROWS = 2_000
N_SEEDS = 3
CORRELATED = multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]])
PARTS = [multivariate_normal([0, 0], [1, 0.25]), multivariate_normal([6, 4], [0.5, 2])]
WIDE = multivariate_normal(np.zeros(10), 0.5 * np.eye(10) + 0.5)


def of_mixture(n_rows, rng):
    """Draw rows of either part."""
    from_first = rng.random(n_rows) < 0.5
    drawn = [part.rvs(n_rows, random_state=rng) for part in PARTS]
    return np.where(from_first[:, None], *drawn)


# How to draw rows, and their log-density.
DISTRIBUTIONS = {
    "normal, 2 columns, correlation .8": (
        lambda n_rows, rng: CORRELATED.rvs(n_rows, random_state=rng),
        CORRELATED.logpdf,
    ),
    "lognormal, 2 columns, correlation .8 of the logarithms": (
        lambda n_rows, rng: np.exp(CORRELATED.rvs(n_rows, random_state=rng)),
        lambda X: CORRELATED.logpdf(np.log(X)) - np.log(X).sum(axis=1),
    ),
    "mixture of two normal distributions, 2 columns": (
        of_mixture,
        lambda X: np.logaddexp(*(part.logpdf(X) for part in PARTS)) - np.log(2),
    ),
    "normal, 10 columns, correlations .5": (
        lambda n_rows, rng: WIDE.rvs(n_rows, random_state=rng),
        WIDE.logpdf,
    ),
}


def errors_of(distribution, n_rows, windows):
    """Return the errors for each window, and those of a normal distribution."""
    draw, log_density = DISTRIBUTIONS[distribution]
    found = []
    for seed in range(N_SEEDS):
        rng = np.random.default_rng(seed)
        X, X_test = draw(2 * n_rows + 1, rng), draw(N_TEST_ROWS, rng)
        y = np.repeat([1, 0], [n_rows, n_rows + 1])
        sampler = VAEOversampler(random_state=seed).fit(X, y)
        own, expected = X[y == 1], log_density(X_test)
        scores = []
        for window in windows:
            normal_scores.SLOPE_WINDOW = window
            scores.append(sampler.log_density(1, X_test, random_state=0))
        normal = multivariate_normal(own.mean(axis=0), np.cov(own.T)).logpdf(X_test)
        found.append([np.abs(one - expected).mean() for one in (*scores, normal)])
    return np.mean(found, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--windows", action="store_true", help="compare widths of the window")
    windows = [normal_scores.SLOPE_WINDOW]
    if parser.parse_args().windows:
        windows = [0.001, 0.05, 0.1, 0.25, 0.5]
    warnings.simplefilter("ignore")
    print("rows ", *(f"window {window:<5}" for window in windows), "normal", sep="  ")
    for distribution in DISTRIBUTIONS:
        print(distribution)
        for n_rows in (200, 1_000, 5_000):
            errors = errors_of(distribution, n_rows, windows)
            print(f"{n_rows:5}", *(f"{error:12.2f}" for error in errors), sep="  ")


if __name__ == "__main__":
    main()
