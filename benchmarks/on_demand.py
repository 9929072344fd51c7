"""What conditions and constraints cost, on a table of columns that depend on each other.

    python benchmarks/on_demand.py          # a minute

Stays have a start and an end, a net price, VAT and gross price, and a postcode of a city.
Prints, for each constraint, how many rows break it without and with it, the share of drawn rows
that meets it, and the times to draw 20,000 rows of the rare class and of `fit_resample`,
relative to a sampler without constraints; then the time to draw on condition, relative to a
draw without one.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from quality import to_markdown

from vaesampler import Fixed, VAEOversampler

N_ROWS, N_DRAWN, N_ROUNDS = 3_000, 20_000, 3


def make_table(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return stays, and which of them are in the rare class."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, N_ROWS), unit="D")
    end = start + pd.to_timedelta(rng.geometric(0.1, N_ROWS) - 1, unit="D")
    codes = np.array([f"{8000 + index}" for index in range(40)])
    cities = rng.choice([f"city {index}" for index in range(12)], 40)
    place = rng.choice(40, N_ROWS, p=rng.dirichlet(np.ones(40)))
    net = np.round(np.exp(rng.normal(4, 0.8, N_ROWS)), 2)
    vat = np.round(net * rng.choice([0.081, 0.026], N_ROWS, p=[0.8, 0.2]), 2)
    table = pd.DataFrame(
        {
            "start": start,
            "end": end,
            "net": net,
            "vat": vat,
            "gross": np.round(net + vat, 2),
            "zip": codes[place],
            "city": cities[place],
        }
    )
    log_odds = (net - 100) / 80 + (codes[place] < "8010") - 3.2
    return table, rng.random(N_ROWS) < 1 / (1 + np.exp(-log_odds))


def ends_after_it_starts(table: pd.DataFrame) -> pd.Series:
    return table["start"] <= table["end"]


def adds_up(table: pd.DataFrame) -> pd.Series:
    """Return whether net and VAT are the gross price, up to 2% of it."""
    return (table["net"] + table["vat"] - table["gross"]).abs() <= 0.02 * table["gross"]


def is_of_its_city(table: pd.DataFrame) -> pd.Series:
    known = make_table()[0].drop_duplicates("zip").set_index("zip")["city"]
    return table["city"] == table["zip"].map(known)


def seconds(work: Callable[[], object]) -> float:
    """Return the shortest of some times."""
    times = []
    for _ in range(N_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def times_of(constraints, X, y) -> tuple[float, float]:
    """Return the times to draw rows, and to resample."""
    sampler = VAEOversampler(constraints=constraints, random_state=0).fit(X, y)
    return (
        seconds(lambda: sampler.sample(True, N_DRAWN, random_state=0)),
        seconds(lambda: sampler.fit_resample(X, y)),
    )


def measure_constraints(X, y) -> pd.DataFrame:
    """Return figures by constraint."""
    rules = {
        "start <= end": ([ends_after_it_starts], ends_after_it_starts),
        "net + VAT = gross, up to 2%": ([adds_up], adds_up),
        "Fixed(zip, city)": ([Fixed("zip", "city")], is_of_its_city),
    }
    free = VAEOversampler(random_state=0).fit(X, y).sample(True, N_DRAWN, random_state=0)
    draw_free, resample_free = times_of(None, X, y)
    everything = [one for constraints, _ in rules.values() for one in constraints]
    found = []
    for name, (constraints, holds) in {**rules, "all three": (everything, None)}.items():
        sampler = VAEOversampler(constraints=constraints, random_state=0)
        sampler.fit_resample(X, y)
        drawn = sampler.sample(True, N_DRAWN, random_state=0)
        draw, resample = times_of(constraints, X, y)
        checks = [holds] if holds else [check for _, check in rules.values()]
        found.append(
            {
                "constraint": name,
                "broken without": 1 - np.mean([check(free).mean() for check in checks]),
                "broken with": 1 - np.mean([check(drawn).mean() for check in checks]),
                "accepted": sampler.constraint_acceptance_[True],
                "sample": draw / draw_free,
                "fit_resample": resample / resample_free,
            }
        )
    return pd.DataFrame(found).set_index("constraint").round(2)


def measure_conditions(X, y) -> pd.DataFrame:
    """Return the time to draw rows on condition, relative to a draw without one."""
    sampler = VAEOversampler(random_state=0).fit(X, y)
    free = seconds(lambda: sampler.sample(True, N_DRAWN, random_state=0))
    found = {}
    for given in ({"city": "city 1"}, {"net": (200, None)}):
        work = lambda given=given: sampler.sample(True, N_DRAWN, random_state=0, given=given)  # noqa: E731
        found[str(given)] = seconds(work) / free
    return pd.DataFrame({"sample": found}).rename_axis("condition").round(2)


def main() -> None:
    X, y = make_table()
    print(f"{y.mean():.1%} of the rows are rare\n")
    print(to_markdown(measure_constraints(X, y)))
    print(to_markdown(measure_conditions(X, y)))


if __name__ == "__main__":
    main()
