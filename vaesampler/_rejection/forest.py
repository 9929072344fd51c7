"""`ForestCritic`: estimates the probability of a class with a random forest."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import (
    Candidates,
    Critic,
    FittedCritic,
    SizeLimits,
    Verdict,
    log_probability,
    require_positive,
)
from vaesampler._rejection.near_copies import NearCopies
from vaesampler._runtime.seeds import RandomStream

# Maximum number of rows of the class, and of all others, that trees are fitted to.
MAX_ROWS_BY_SIDE = 3_000
# In wide tables there are fewer: at most this many cells, but at least this many rows.
MAX_CELLS_BY_SIDE = 200_000
MIN_ROWS_BY_SIDE = 500


@dataclass(frozen=True)
class ForestCritic(Critic):
    """Estimate the probability of a class with a random forest.

    The odds of the class at a drawn row are::

        (v + 0.5) / (t - v + 0.5) * (s / (1 - s)) ** 0.3

    where v is the number of votes for the class among the t trees that were fitted without
    the row that the candidate was drawn around (out of bag), and s is the share of the class
    in the table. Each tree is fitted to bootstrap samples of at most 3,000 rows of the class
    and 3,000 of all others, fewer in wide tables, with equal weights of both sides. A row
    counts as a fraction of a vote where rows of both sides have equal cells.

    A candidate is a near copy if it is nearer to the row that it was drawn around than the 10%
    quantile of the distances between rows of the class and their nearest neighbours.

    Trees look at one column at a time, so they can tell what combinations of categories belong
    to a class, where distances say little.

    Parameters
    ----------
    n_estimators : int, default=50
        Number of trees.

    See Also
    --------
    NeighborCritic : The default in tables of numbers.
    NetworkCritic : The default for large classes in large tables.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.

    Leo Breiman (2001). Random Forests.

    Examples
    --------
    >>> from vaesampler import ForestCritic, VAEOversampler
    >>> sampler = VAEOversampler(critic=ForestCritic(n_estimators=100))
    """

    n_estimators: int = 50

    def __post_init__(self) -> None:
        require_positive("n_estimators", self.n_estimators)

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> "FittedForestCritic":
        """Fit the trees, and estimate the threshold for near copies.

        Examples
        --------
        Tell a class from the rows that are most like it, in a critic of your own:

        >>> import numpy as np
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import ForestCritic, VAEOversampler
        >>> class NearForestCritic(ForestCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         center = own_rows.spread(1_000).mean(axis=0)
        ...         others = other_rows.take(np.arange(len(other_rows)))
        ...         nearest = np.linalg.norm(others - center, axis=1).argsort()[:40]
        ...         return super().fit(own_rows, other_rows.subset(nearest), random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(critic=NearForestCritic(), random_state=0).fit(X, y)
        >>> sampler.sample(2, 5).shape
        (5, 13)
        """
        rng = random.numpy()
        limits = SizeLimits(MAX_ROWS_BY_SIDE, MAX_CELLS_BY_SIDE, MIN_ROWS_BY_SIDE)
        own, others = limits.choose(own_rows, other_rows, rng)
        sides = own_rows.take(own), other_rows.take(others)
        return FittedForestCritic(
            [Tree.fit(*sides, own, len(own_rows), rng) for _ in range(self.n_estimators)],
            len(own_rows) / (len(own_rows) + len(other_rows)),
            NearCopies.fit(own_rows, random.torch()),
        )


@dataclass(frozen=True, eq=False)
class TreeNodes:
    """The nodes of a fitted tree, as arrays of shape (n_nodes,).

    They predict what the tree predicts, bit for bit, but more slowly.
    """

    left: npt.NDArray[np.intp]  # the child where the feature is at most the threshold
    right: npt.NDArray[np.intp]  # the other child; a leaf is its own children
    feature: npt.NDArray[np.intp]
    threshold: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]  # of the class in the node

    @classmethod
    def of(cls, classifier: DecisionTreeClassifier) -> "TreeNodes":
        """Return the nodes of a fitted tree."""
        tree = classifier.tree_
        is_leaf = tree.children_left < 0
        own_indices = np.arange(tree.node_count)
        return cls(
            np.where(is_leaf, own_indices, tree.children_left),
            np.where(is_leaf, own_indices, tree.children_right),
            np.where(is_leaf, 0, tree.feature),
            tree.threshold.copy(),
            tree.value[:, 0, 1].copy(),
        )

    def shares(
        self, rows: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:  # (n_rows, width) to (n_rows,)
        """Return the share of the class in the leaf of each row."""
        row_indices, nodes = np.arange(len(rows)), np.zeros(len(rows), dtype=np.intp)
        while (self.left[nodes] != nodes).any():
            is_left = rows[row_indices, self.feature[nodes]] <= self.threshold[nodes]
            nodes = np.where(is_left, self.left[nodes], self.right[nodes])
        return self.share[nodes]


class Tree(NamedTuple):
    """A fitted tree, and the rows of the class that it was fitted without."""

    classifier: DecisionTreeClassifier | TreeNodes
    is_out_of_bag: npt.NDArray[np.bool_]  # (n_own_rows + 1,); the last entry is for no source

    @classmethod
    def fit(
        cls,
        own: npt.NDArray[np.float32],
        others: npt.NDArray[np.float32],
        own_indices: npt.NDArray[np.intp],  # of `own` among the rows of the class
        n_own_rows: int,
        rng: np.random.Generator,
    ) -> "Tree":
        """Fit a tree to a bootstrap sample of either side."""
        bags = [rng.integers(len(side), size=len(side)) for side in (own, others)]
        rows = np.concatenate([own[bags[0]], others[bags[1]]])
        classifier = DecisionTreeClassifier(
            max_features="sqrt", class_weight="balanced", random_state=int(rng.integers(2**31))
        )
        is_own = np.arange(len(rows)) < len(own)
        classifier.fit(rows, is_own, check_input=False)
        is_out_of_bag = np.ones(n_own_rows + 1, dtype=bool)
        is_out_of_bag[own_indices[bags[0]]] = False
        return cls(classifier, is_out_of_bag)

    @property
    def nodes(self) -> TreeNodes:
        """The nodes of the tree."""
        if isinstance(self.classifier, TreeNodes):
            return self.classifier
        return TreeNodes.of(self.classifier)

    def shares(
        self, rows: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:  # (n_rows, width) to (n_rows,)
        """Return the share of the class in the leaf of each row."""
        if isinstance(self.classifier, TreeNodes):
            return self.classifier.shares(rows)
        shares: npt.NDArray[np.float64] = self.classifier.predict_proba(rows, check_input=False)
        return shares[:, 1]


@dataclass(frozen=True, eq=False)
class FittedForestCritic(FittedCritic):
    """The fitted trees."""

    suits_threads: ClassVar[bool] = True

    trees: list[Tree]
    share: float  # of the class in the table
    copies: NearCopies

    def judge(self, candidates: Candidates) -> Verdict:
        """Count the votes of the trees that were fitted without a candidate's source."""
        rows = np.ascontiguousarray(candidates.encoded)
        votes, n_trees = np.zeros(len(rows)), np.zeros(len(rows))
        for tree in self.trees:
            counts = tree.is_out_of_bag[candidates.sources]
            votes += counts * tree.shares(rows)
            n_trees += counts
        log_odds = np.log((votes + 0.5) / (n_trees - votes + 0.5))
        return Verdict(log_probability(log_odds, self.share), self.copies.among(candidates))
