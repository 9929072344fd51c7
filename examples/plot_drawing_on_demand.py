"""
===============================================
Conditions, constraints, sources and likelihood
===============================================

What a fitted sampler draws on demand, in pictures: rows that meet a condition, rows that keep a
rule, the real row that each row comes from, and how likely a row is. See
:doc:`Drawing on demand </drawing_on_demand>` for how each works.
"""

# %%
# Rows that meet a condition
# --------------------------
# Guests who cancel are the rare class. The longer they book ahead, the less they pay per night.
# ``given`` asks for guests who book 60 to 90 days ahead; the price follows. Black are the real
# ones.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import RocCurveDisplay

from vaesampler import VAEOversampler

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#bbbbbb"
rng = np.random.default_rng(0)
n_rows = 3_000
days_ahead = rng.gamma(2, 20, n_rows).round()
arrival = rng.integers(1, 300, n_rows)
bookings = pd.DataFrame(
    {
        "days_ahead": days_ahead,
        "price": (230 - 0.9 * days_ahead + rng.normal(0, 15, n_rows)).round(2),
        "arrival": arrival,
        "departure": arrival + rng.geometric(0.25, n_rows),
    }
)
cancels = rng.random(n_rows) < 0.02 + 0.1 * (days_ahead > 50)

sampler = VAEOversampler(random_state=0).fit(bookings, cancels)
early = sampler.sample(True, 300, given={"days_ahead": (60, 90)}, random_state=0)

figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.axvspan(60, 90, color="#f2f2f2")
ax.scatter(early["days_ahead"], early["price"], s=9, color=BLUE, label="drawn on condition")
real = bookings[cancels]
ax.scatter(real["days_ahead"], real["price"], s=9, color="black", label="real")
ax.set(xlabel="days ahead", ylabel="price")
ax.legend(frameon=False)
plt.show()

# %%
# Rows that keep a rule
# ---------------------
# Without a constraint, some drawn guests leave before they arrive. The left panel shows the
# nights of 2,000 drawn rows, the right panel those of a sampler that is told the rule.


def leaves_after_arrival(table):
    """Return whether each guest leaves after the arrival."""
    return table["arrival"] < table["departure"]


ruled = VAEOversampler(constraints=leaves_after_arrival, random_state=0).fit(bookings, cancels)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
for ax, (title, one) in zip(
    axes, {"without a constraint": sampler, "with it": ruled}.items(), strict=True
):
    drawn = one.sample(True, 2_000, random_state=0)
    nights = drawn["departure"] - drawn["arrival"]
    ax.hist(nights, bins=np.arange(-20.5, 31), color=BLUE)
    ax.axvspan(-20.5, 0.5, color=ORANGE, alpha=0.15)
    ax.set(title=f"{title}: {np.mean(nights <= 0):.0%} are wrong", xlabel="nights")
axes[0].set_ylabel("drawn rows")
plt.show()

# %%
# Where rows come from
# --------------------
# ``return_sources=True`` also returns the positions of the real rows that rows were drawn
# around. A line joins each of 60 drawn rows to its source.

drawn, sources = sampler.sample(True, 60, random_state=1, return_sources=True)
around = bookings.iloc[sources]
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.plot(
    [around["days_ahead"], drawn["days_ahead"]],
    [around["price"], drawn["price"]],
    color=GREY,
    linewidth=1,
)
ax.scatter(around["days_ahead"], around["price"], s=12, color="black", label="sources")
ax.scatter(drawn["days_ahead"], drawn["price"], s=12, color=BLUE, label="drawn around them")
ax.set(xlabel="days ahead", ylabel="price")
ax.legend(frameon=False)
plt.show()

# %%
# How likely a row is
# -------------------
# ``log_density`` is the logarithm of the density of a row according to the VAE of a class. A
# tenth of these bookings had their prices shuffled, which no single column shows.

strange = rng.random(n_rows) < 0.1
shuffled = bookings.copy()
shuffled.loc[strange, "price"] = rng.permutation(bookings.loc[strange, "price"])
both = VAEOversampler(sampling_strategy={True: 3_000, False: 3_000}, random_state=0)
both.fit(bookings, cancels)
score = both.log_density(False, shuffled, random_state=0)
figure, ax = plt.subplots(figsize=(4.4, 4.2), layout="constrained")
RocCurveDisplay.from_predictions(strange, -score, name="low density", ax=ax)
ax.plot([0, 1], [0, 1], color=GREY, linestyle="--")
plt.show()
