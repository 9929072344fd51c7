"""`VAEOversampler`: oversampling with one trained VAE per class."""

import os
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.rows import LazyRows, SelectedRows, TableCells
from vaesampler._estimators.base import VAEEstimator
from vaesampler._estimators.checks import (
    check_cardinality,
    check_classes,
    check_constraints,
    check_fits,
    check_inherited,
    check_lengths,
    no_vae,
    require_integer,
)
from vaesampler._estimators.draw_notes import DrawNotes
from vaesampler._estimators.partitioned import (
    fit_partitioned,
    resample_partitioned,
    sample_partitioned,
)
from vaesampler._estimators.sampling_strategy import check_class_sizes, rows_to_add
from vaesampler._estimators.saving import VersionedPickleMixin, load, save
from vaesampler._partitioned.collections import is_collection
from vaesampler._runtime.caching import ResultCache
from vaesampler._runtime.memory import memory_explained
from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.seeds import Seeds, UnseededCalls
from vaesampler._table.columns import InheritedColumn
from vaesampler._table.containers import Container
from vaesampler._table.labels import Labels, find_class, labels_of, take_labels
from vaesampler._table.named_features import (
    CategoricalFeatures,
    InheritedFeatures,
    OrdinalFeatures,
)
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.templates import Template

if TYPE_CHECKING:
    import torch

    from vaesampler._estimators.base import Resources
    from vaesampler._generation.conditions import Given
    from vaesampler._generation.constraints import Constraints
    from vaesampler._generation.filters import RowFilter, Selection
    from vaesampler._generation.generator import ClassGenerator, DrawRequest
    from vaesampler._generation.latent import LatentSampler
    from vaesampler._rejection.critic import Critic
    from vaesampler.metrics._report import SyntheticReport

DOCUMENTATION = "https://vaesampler.readthedocs.io/en/latest"
# A report judges as many synthetic rows as the class has real rows, within these bounds.
MIN_REPORTED_ROWS = 500
MAX_REPORTED_ROWS = 2_000


class VAEOversampler(VersionedPickleMixin, VAEEstimator, BaseOverSampler):
    """Oversample classes with variational autoencoders (VAEs), one VAE per class.

    A small VAE is trained on each class that needs rows. Synthetic rows are decoded from codes
    in its latent space and appended below the original rows, which are not changed. Use it
    like :class:`imblearn.over_sampling.SMOTE`, for example in a pipeline.

    Read more in the :doc:`User Guide </user_guide>`.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Number of rows of each class after resampling, as in every sampler of
        imbalanced-learn:

        - float: ratio of minority rows to majority rows after resampling, for binary
          targets only. If the table has this ratio already, up to a fraction of a row, no
          rows are added;
        - str: classes to bring to the size of the largest class: "minority",
          "not minority", "not majority", "all", or "auto" (the same as "not majority");
        - dict: number of rows per class label, including the original rows;
        - callable: function that takes the class label of each row, as an array, and returns
          such a dict.

    categorical_features : "auto", or collection of bool, int or str, default="auto"
        Categorical columns, given as a mask, or a list, set, array or index of indices or
        names. Integers are indices, also where names are integers; pass such names as text.
        Columns of a pandas MultiIndex are named by tuples. If "auto", columns of text,
        categories or booleans are categorical, in data frames of any library (in pandas,
        the dtypes category, string and bool, and object if the cells are text), arrays and
        lists. All other columns are numeric, except that one-hot encoded columns are always
        learned as one categorical variable.

    ordinal_features : dict of str or int to list or None, default=None
        Ordinal columns: maps the name or index of a column, as in `categorical_features`, to
        its levels in ascending order, or to None to use the order of its dtype (of a polars
        Enum, or of numbers). Ordered categories of pandas and pyarrow are ordinal without an
        entry. Drawn levels occur in the table, and lie between the lowest and the highest
        level of the class.

    inherited_features : collection of int or str, default=None
        Columns that a synthetic row takes from the real row that it is drawn around, such as
        the identifier of a customer or a hospital: a list of names or indices. They may have
        any dtype, are not learned, and come back in their place with their dtype. They are a
        group in :class:`sklearn.model_selection.GroupKFold`. Requires a `latent_sampling` that
        draws around real rows, hence not "prior". Not for sparse matrices and dask collections.

    latent_dim : int, default=4
        Number of dimensions of the latent space. If it is too large, the VAE memorizes rows;
        if it is too small, synthetic rows are unlike the real ones.

    hidden_layer_sizes : int or sequence of int, default=(32,)
        Number of units in each hidden layer of the encoder. The decoder has the same layers
        in reverse order.

    activation : {"identity", "logistic", "relu", "tanh"}, default="relu"
        Activation function of the hidden layers.

    latent_sampling : {"prior", "posterior", "interpolate", "denoise"} or LatentSampler, \
            default="posterior"
        How to draw the codes that rows are decoded from:

        - "prior": from the standard normal prior (`PriorSampling`);
        - "posterior": from the posteriors of random real rows (`PosteriorSampling`);
        - "interpolate": on line segments between the codes of neighbouring rows
          (`InterpolationSampling`);
        - "denoise": as the codes of real rows with noise added (`DenoisingSampling`);
        - a `LatentSampler`: a strategy of your own.

    critic : {"auto", "forest", "neighbors", "network"} or Critic, default="auto"
        How to estimate the probability of the class at a drawn row. Not used if
        `rejection_strength=0`.

        - "auto": "network" for a class of at least 100 rows in a table of at least 10,000
          rows; otherwise "forest" if a column is categorical, or if at least half of the
          columns have at most 16 levels; otherwise "neighbors";
        - "forest": with a random forest of 50 trees (`ForestCritic`);
        - "neighbors": from the class's share of the 15 nearest real rows
          (`NeighborCritic`);
        - "network": with a small neural network that separates the class from all others
          (`NetworkCritic`);
        - a `Critic`: an estimator of your own.

    beta : float, default=1.0
        Weight of the Kullback-Leibler divergence in the loss. With larger values, the
        posteriors of different rows overlap more.

    alpha : float, default=0.0001
        Strength of the L2 regularization of the weights. It is divided by the number of rows
        of the class.

    batch_size : int, default=128
        Number of rows of the class in a batch, chosen at random at each step. Batches of
        classes of 2 or 3 rows have at most 32 rows, those of classes of 4 to 7 rows at most 64.
        In tables of more than 3,125 slots (numeric columns, and levels of categories) batches
        have at most 400,000 cells, or 40 rows.

    learning_rate_init : float, default=0.02
        Initial learning rate of Adam. It decreases to zero along a cosine. In tables of more
        than 200 slots (numeric columns, and levels of categories), it is multiplied by 200 /
        slots. A class whose training diverges is trained again with an eighth of it, at most
        twice.

    max_iter : int, default=250
        Number of optimizer steps on the rows of each class; the maximum number if
        `early_stopping=True`. These are not epochs: a class of 10 rows gets as many steps as
        one of 10,000 rows.

    pretrain_iter : int, default=150
        Number of optimizer steps on the rows of all classes, before the VAE of each class
        continues on its own rows. Pretraining matters most for classes of fewer than 100
        rows. If 0, nothing is pretrained.

    early_stopping : bool, default=False
        Whether to hold out some rows of each class and to stop training its VAE when their
        loss no longer decreases. The weights with the lowest loss are then restored. Held-out
        rows are neither trained on nor drawn around; `report_` compares the synthetic rows
        with them. Increase `max_iter` as well.

    validation_fraction : float, default=0.1
        Share of the rows of each class to hold out if `early_stopping=True`. The number of
        rows is rounded up. No rows are held out if fewer than 2 would be left.

    n_iter_no_change : int, default=10
        Number of consecutive evaluations of the held-out rows without an improvement by
        `tol` after which training stops. Held-out rows are evaluated every 10 steps.

    tol : float, default=1e-4
        Tolerance of early stopping: smallest decrease of the loss that counts as an
        improvement, in nats per row.

    smoothing : float, default=1.0
        Factor of the bandwidth h of the noise that is added to the rows of a class at each
        training step, so that the VAE of a small class does not memorize them. The noise has
        h times the standard deviations of the class, and its correlations. For a class of n
        rows in a table of d columns::

            h = 1.2 * smoothing * ((d + 1) / (n + d + 1)) ** 1.6

        If 0, no noise is added.

    rejection_strength : float, default=4.0
        How strictly to reject drawn rows that resemble other classes. A row is kept with
        probability::

            min(1, p / m) ** (rejection_strength * n / (n + 2.5 * d))

        for a class of n rows in a table of d columns, where p is the probability of the class
        at the row, as estimated by `critic`, and m the median of p over drawn rows. Hence at
        least half of the rows are kept, except for near copies of real rows, as the critic
        measures them: these are at most about 3% of the kept rows, unless the table has only
        categorical columns. The larger the strength, the farther the rows lie from other
        classes. If 0, all rows are kept.

    constraints : callable, Fixed, list of these or None, default=None
        What every synthetic row must meet. Drawn rows that do not are rejected:

        - callable: function that takes a table of the kind of X and returns a boolean for
          each row, as an array. It must not depend on other rows; several threads may call
          it at once;
        - `Fixed`: combinations of some columns occur as in X only.

        Fitting raises an error if fewer than 1 in 1,000 drawn rows meet all constraints, and
        warns if rows of X break one. See :doc:`Drawing on demand </drawing_on_demand>`.

    device : {"auto", "cpu", "cuda", "mps"} or torch.device, default="auto"
        Device to train and draw on. "auto" is the CPU, which is faster than a GPU unless
        hidden layers have several hundred units. A fitted sampler can only be unpickled
        where its device is available; one that was saved with `save` is loaded anywhere.

    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder, or :class:`joblib.Memory`, in which trained VAEs and fitted critics are kept. A
        later fit to the same table and labels, with the same parameters of training and the
        same `random_state`, reads them instead of training again, and returns the same rows.
        A search over `sampling_strategy`, `rejection_strength`, `critic` and `latent_sampling`
        then trains once per fold, if the same classes are oversampled. Nothing is kept if
        `random_state=None`, where no fit repeats another, and no `Critic` of your own is. The
        folder holds pickles of real rows: use one that only you can write. See
        :ref:`Searching without training again <searching-without-training-again>`.

    verbose : bool or int, default=False
        Verbosity of training. If 1, show a progress bar with the losses and the remaining
        time, in a terminal or a notebook. If 2, log the losses every 50 steps, at level INFO,
        to the logger "vaesampler" of :mod:`logging`.

    random_state : int, RandomState instance or None, default=None
        Controls all randomness. Pass an int to draw the same rows at every call. If None,
        every call draws other rows. The global random generators of NumPy and PyTorch are
        neither read nor changed.

    Attributes
    ----------
    vaes_ : dict of label to torch.nn.Module
        Trained VAE of each oversampled class. The keys of all attributes by label are the
        labels of `y` as Python objects: int, float, bool, str, :class:`datetime.datetime`,
        and so on. Those of a one-hot `y` are the indices of its columns. The VAE is a stack of
        one model: `encode` takes a
        tensor of shape (1, n_rows, width), `decode` one of shape (1, n_rows, latent_dim).

    loss_curves_ : dict of label to LossCurve
        Negative evidence lower bound of the rows of each class at every step, split into
        reconstruction error and Kullback-Leibler divergence, in nats per row.

    validation_curves_ : dict of label to LossCurve
        The same for the held-out rows, every 10 steps. Empty if `early_stopping=False`.

    n_iter_ : dict of label to int
        Number of optimizer steps taken on the rows of each class.

    latent_kl_ : dict of label to ndarray of float32, of shape (latent_dim,)
        Information that each latent dimension carries about the rows of a class
        (Kullback-Leibler divergence of the posterior from the prior), in nats per row.
        Dimensions near zero are unused, so a smaller `latent_dim` would do.

    report_ : dict of label to SyntheticReport
        Whether the synthetic rows of each class are near copies, unlike real rows, or
        neither, compared with its held-out rows. Computed on first access, in a second or
        two per class. Requires `early_stopping=True`.

    schema_ : FeatureSchema
        Inferred kind of each column, and why. Print it.

    sampling_strategy_ : dict of label to int
        Number of rows to add to each class.

    synthetic_mask_ : ndarray of bool, of shape (n_rows_returned,)
        Whether each row that `fit_resample` returned is synthetic.

    constraint_acceptance_ : dict of label to float
        Share of the drawn rows of each class that met all constraints in `fit_resample`.
        Defined only with `constraints`, and not for dask collections.
    source_indices_ : ndarray of int, of shape (n_synthetic_rows,)
        Position, among the rows of X, of the real row that each synthetic row of `fit_resample`
        was drawn around; -1 for none, as with `latent_sampling="prior"`. Not defined for dask
        collections.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`. Defined only if X has column names that are all
        strings.

    See Also
    --------
    imblearn.over_sampling.SMOTE : Draws rows on line segments between neighbouring rows.
        Faster on small tables, but the rows lie close to existing rows.
    synthetic_report : Compares synthetic rows of any sampler with real rows.
    compare_samplers : Scores a classifier with several samplers on the same folds.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Oleh Rybkin, Kostas Daniilidis, Sergey Levine (2021). Simple and Effective VAE
    Training with Calibrated Decoders.

    Examples
    --------
    >>> from collections import Counter
    >>> from sklearn.datasets import make_classification
    >>> from vaesampler import VAEOversampler
    >>> X, y = make_classification(n_samples=500, weights=[0.9], random_state=0)
    >>> X_resampled, y_resampled = VAEOversampler(random_state=0).fit_resample(X, y)
    >>> counts = Counter(y_resampled.tolist())
    >>> counts[0] == counts[1]
    True
    """

    _generators: "dict[Hashable, ClassGenerator]"
    _reports: "dict[Hashable, SyntheticReport]"  # those that were computed
    _fitted_with: "Resources"
    _template: Template
    _constraint_filters: "tuple[RowFilter, ...]" = ()

    # Link of the HTML representation of the sampler in notebooks.
    _doc_link_module = "vaesampler"
    _doc_link_template = f"{DOCUMENTATION}/api/generated/vaesampler.{{estimator_name}}.html"

    _parameter_constraints: dict[str, Any] = {
        **BaseOverSampler._parameter_constraints,
        **VAEEstimator._vae_parameter_constraints,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        categorical_features: CategoricalFeatures = "auto",
        ordinal_features: OrdinalFeatures | None = None,
        inherited_features: InheritedFeatures | None = None,
        latent_dim: int = 4,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        activation: str = "relu",
        latent_sampling: "str | LatentSampler" = "posterior",
        critic: "str | Critic" = "auto",
        beta: float = 1.0,
        alpha: float = 1e-4,
        batch_size: int = 128,
        learning_rate_init: float = 2e-2,
        max_iter: int = 250,
        pretrain_iter: int = 150,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        smoothing: float = 1.0,
        rejection_strength: float = 4.0,
        constraints: "Constraints" = None,
        device: "str | torch.device" = "auto",
        memory: Any = None,
        verbose: bool | int = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
        self.inherited_features = inherited_features
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.latent_sampling = latent_sampling
        self.critic = critic
        self.beta = beta
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.pretrain_iter = pretrain_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.smoothing = smoothing
        self.rejection_strength = rejection_strength
        self.constraints = constraints
        self.device = device
        self.memory = memory
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Train the VAEs without drawing rows. Use `sample` to draw them.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix, dask collection} of shape \
                (n_rows, n_features)
            Numbers, text, categories, booleans and, in a data frame, times. Cells may be
            missing. With a dask data frame or array, y must be a dask collection, too; see
            :doc:`Beyond one machine </beyond_one_machine>`.
        y : {array-like, series, dataframe, sparse matrix} of shape (n_rows,) or \
                (n_rows, n_classes)
            Class labels: numbers, text, booleans, dates, or other objects that can be hashed
            and sorted, of one type and without missing labels. A table of several columns is
            one-hot encoded.

        Returns
        -------
        self : VAEOversampler
            The fitted sampler.

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid. The message says what to change.
        TypeError
            If X is of a library that is not supported, or y is in memory and X is not. The
            message says how to convert it.
        TrainingDivergedError
            If the loss of a class is not finite, with a smaller learning rate either.
        MemoryError
            If memory does not suffice. The message says what was asked for.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> sampler.sampling_strategy_
        {0: 12, 2: 23}
        >>> sampler.sample(2, 5).shape
        (5, 13)
        """
        with self._fitting(X) as progress:
            if is_collection(X):
                fit_partitioned(self, X, y)
            else:
                container, labels = self._check_X_y(X, y)
                self._fit(container, labels, self._resources(), progress)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Train the VAEs, and return the rows of X followed by synthetic rows.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix, dask collection} of shape \
                (n_rows, n_features)
            Numbers, text, categories, booleans and, in a data frame, times. Cells may be
            missing. With a dask data frame or array, y must be a dask collection, too; see
            :doc:`Beyond one machine </beyond_one_machine>`.
        y : {array-like, series, dataframe, sparse matrix} of shape (n_rows,) or \
                (n_rows, n_classes)
            Class labels: numbers, text, booleans, dates, or other objects that can be hashed
            and sorted, of one type and without missing labels. A table of several columns is
            one-hot encoded.

        Returns
        -------
        X_resampled : same container as X, of shape (n_rows_returned, n_features)
            The rows of X, unchanged and in order, then the synthetic rows, class by class.
            The index of a pandas frame is numbered anew, as by all samplers of
            imbalanced-learn. Array-likes that are not arrays of NumPy, tensors, lists or
            tuples come back as arrays. Partitions of dask collections are unchanged; those
            below them are drawn when they are computed.
        y_resampled : same container as y, of shape (n_rows_returned,)
            Class labels of these rows, with the dtype, name and categories of y. An array or
            tensor of one column comes back with one dimension; a pandas series with a new
            index; an array-like of another library than NumPy, pandas, polars, pyarrow,
            PyTorch or SciPy as an array.

        Raises
        ------
        ValueError
            If X, y or a parameter is invalid. The message says what to change.
        TypeError
            If X is of a library that is not supported, or y is in memory and X is not. The
            message says how to convert it.
        TrainingDivergedError
            If the loss of a class is not finite, with a smaller learning rate either.
        MemoryError
            If memory does not suffice. The message says what was asked for.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True, as_frame=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 100}, random_state=0)
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        >>> y_resampled.value_counts().to_dict()
        {2: 100, 1: 71, 0: 59}
        >>> X_resampled.loc[sampler.synthetic_mask_].shape
        (52, 13)
        """
        with self._fitting(X) as progress:
            if is_collection(X):
                return resample_partitioned(self, X, y)
            return self._fit_resample(X, y, progress)

    def sample(
        self,
        label: Hashable,
        n_samples: int,
        *,
        given: "Given | None" = None,
        random_state: int | np.random.RandomState | None = None,
        npartitions: int | None = None,
        return_sources: bool = False,
    ) -> Any:
        """Draw more rows of a class without training again.

        Parameters
        ----------
        label : object
            Label of a class that was oversampled when fitting. A date or time may be any
            object of Python, NumPy or pandas that means the same time.
        n_samples : int
            Number of rows to draw.
        given : dict of column to value or None, default=None
            What the cells of some columns must be. Columns are named as in
            `categorical_features`. Each is mapped to a value, to a list, set or array of
            values, to an interval (a tuple of its two ends, which belong to it; an end that is
            None or infinite is open), or to None for missing cells. Rows are drawn around real
            rows that meet it all, if there are any, and those that do not meet it are
            rejected. See :doc:`Drawing on demand </drawing_on_demand>`.
        random_state : int, RandomState instance or None, default=None
            Pass an int to draw the same rows at every call. If None, every call draws other
            rows, in forked processes and unpickled samplers too. In the process that fitted
            the sampler, the calls are reproducible if it has an int `random_state`.
        npartitions : int or None, default=None
            If an int, return a dask collection of at most this many partitions, which are drawn
            when they are computed. They have at most 250,000 rows, or 10 million cells, if it
            is large enough. The rows are the same as without it.
        return_sources : bool, default=False
            Whether to return the sources of the rows too.

        Returns
        -------
        X_new : same container as X when fitting, of shape (n_samples, n_features)
            The synthetic rows; with `npartitions`, a dask data frame or array.
        sources : ndarray of int, of shape (n_samples,)
            Only if `return_sources=True`: position, in the table of `fit`, of the real row that
            each row was drawn around; -1 for none, as with `latent_sampling="prior"`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if `n_samples` is not a non-negative integer, or
            `npartitions` not a positive one; if a column cannot hold what is `given`, or if
            fewer than 1 in 1,000 drawn rows meet it; or if `return_sources=True` and
            `npartitions` is given, or the positions of real rows are not known: the sampler was
            fitted to a dask collection, or saved by an earlier version.
        TypeError
            If `npartitions` is given, and X was neither an array nor a data frame of pandas.
        MemoryError
            If memory does not suffice. The message says what was asked for.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_digits(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={1: 200}, random_state=0).fit(X, y)
        >>> sampler.sample(1, 5).shape
        (5, 64)
        >>> X_new = sampler.sample(1, 5, given={20: (12, 16), 21: 16})
        >>> X_new[:, 20].min() >= 12, (X_new[:, 21] == 16).all()
        (np.True_, np.True_)
        >>> rows, sources = sampler.sample(1, 5, return_sources=True)
        >>> y[sources]
        array([1, 1, 1, 1, 1])
        """
        generator = self._generator(label)
        n_rows = require_integer("n_samples", n_samples, 0)
        selection = self._selection(generator, given)
        seeds, call = self._seeds_of_call(random_state)
        if npartitions is not None:
            n_partitions = require_integer("npartitions", npartitions, 1)
            if return_sources:
                raise ValueError(
                    "return_sources=True cannot be combined with `npartitions`, whose rows are "
                    "drawn later. Draw fewer rows at a time, without `npartitions`."
                )
            purpose = ("sample", *call)
            return sample_partitioned(
                self, generator.label, n_rows, seeds, purpose, n_partitions, selection
            )
        request = self._draw_request(seeds, "sample", *call, selection=selection)
        with (
            memory_explained(
                lambda: f"{n_rows:,} rows of {len(self.schema_.columns):,} columns",
                "Draw fewer rows at a time.",
            ),
            closing(generator.draw(n_rows, request)) as blocks,
        ):
            if not return_sources:
                return self._template.make((drawn.cells for drawn in blocks), n_rows)
            notes = DrawNotes()
            rows = self._template.make(notes.cells(generator, blocks), n_rows)
            return rows, notes.sources

    def encode(
        self, label: Hashable, X: Any
    ) -> npt.NDArray[np.float32]:  # (n_rows, latent_dim)
        """Return the codes of rows in the latent space of a class.

        Parameters
        ----------
        label : object
            Label of a class that was oversampled when fitting.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of any class, with the columns that were fitted.

        Returns
        -------
        codes : ndarray of float32, of shape (n_rows, latent_dim)
            Posterior means of the rows.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if X has other columns, if a column contains
            levels that were not seen when fitting, or missing cells that it did not have, or
            if not exactly one column of a group of one-hot encoded ones is 1 in every row.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_digits(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={1: 200}, random_state=0).fit(X, y)
        >>> sampler.encode(1, X[y == 1]).shape
        (182, 4)
        """
        generator = self._generator(label)
        return generator.codes(self._encoded(generator, X))

    def log_density(
        self,
        label: Hashable,
        X: Any,
        *,
        n_draws: int = 100,
        random_state: int | np.random.RandomState | None = None,
    ) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return the log-density of rows, according to the VAE of a class.

        It is the importance-weighted lower bound of log p(row | class), which approaches it
        from below as `n_draws` grows. Columns of the kind "continuous" or "integer" have a
        density per unit of the value; levels, missing cells and values that many rows share
        have probabilities. See :doc:`Drawing on demand </drawing_on_demand>`.

        Parameters
        ----------
        label : object
            Label of a class that was oversampled when fitting.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of any class, with the columns that were fitted.
        n_draws : int, default=100
            Number of codes that are drawn for each row.
        random_state : int, RandomState instance or None, default=None
            Pass an int to get the same numbers at every call. If None, every call draws other
            codes, as in `sample`.

        Returns
        -------
        log_density : ndarray of float64, of shape (n_rows,)
            Log-densities of the rows, in nats. That of a row does not depend on other rows.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if `n_draws` is not a positive integer, if X has
            other columns, if a column contains levels that were not seen when fitting, or
            missing cells that it did not have, or if not exactly one column of a group of
            one-hot encoded ones is 1 in every row.

        References
        ----------
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov (2016). Importance Weighted
        Autoencoders.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> scores = sampler.log_density(2, X, random_state=0)
        >>> bool(scores[y == 2].min() > scores[y == 0].max())
        True
        """
        from vaesampler._generation.density import log_density

        generator = self._generator(label)
        n_codes = require_integer("n_draws", n_draws, 1)
        seeds, call = self._seeds_of_call(random_state)
        random = seeds.torch(
            "log_density", *call, generator.label, device=self._fitted_with.device
        )
        return log_density(generator, self._encoded(generator, X), n_codes, random)

    def to_matrix(self, label: Hashable, X: Any) -> npt.NDArray[np.float32]:  # (n_rows, width)
        """Return rows encoded as the input of the VAE of a class.

        Parameters
        ----------
        label : object
            Label of a class that was oversampled when fitting.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of any class, with the columns that were fitted.

        Returns
        -------
        matrix : ndarray of float32, of shape (n_rows, width)
            Numeric columns, standardized by the class; indicators of missing cells and of
            values that many rows share; categorical columns, one-hot encoded. As a tensor of
            shape (1, n_rows, width), it is the input of `vaes_[label].encode`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if X has other columns, if a column contains
            levels that were not seen when fitting, or missing cells that it did not have, or
            if not exactly one column of a group of one-hot encoded ones is 1 in every row.

        Examples
        --------
        >>> import torch
        >>> from sklearn.datasets import load_digits
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_digits(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={1: 200}, random_state=0).fit(X, y)
        >>> rows = torch.from_numpy(sampler.to_matrix(1, X[y == 1]))
        >>> sampler.vaes_[1].encode(rows[None]).mean.shape
        torch.Size([1, 182, 4])
        """
        generator = self._generator(label)
        rows = self._encoded(generator, X)
        return generator.scaling.standardize(rows.take(np.arange(len(rows))))

    def save(self, path: str | os.PathLike[str], *, include_rows: bool = True) -> None:
        """Save the fitted sampler to a file, which holds numbers and text but no code.

        The file has the safetensors format. Later versions of vaesampler can load it. Unlike a
        pickle, it is safe to load from any source. It holds real rows unless
        `include_rows=False`; see :doc:`Saving and loading </saving>`.

        Parameters
        ----------
        path : str or os.PathLike
            Where to write the file, for example "sampler.safetensors". A file that is there is
            replaced once the new one is complete.
        include_rows : bool, default=True
            Whether to store the real rows that new rows are drawn around and judged by. If
            False, the loaded sampler draws the same rows, but has no `report_`. This requires
            `latent_sampling="prior"`, and `rejection_strength=0` or a `NetworkCritic`. Names,
            levels and quantiles of the columns are stored in any case.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        TypeError
            If a parameter, a label or the container of X is an object that a file cannot hold,
            such as a `Critic` or a callback of your own. Nothing is written.
        ValueError
            If `include_rows=False` and a parameter needs the rows, or if the names and levels
            of the columns exceed 100 MB.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> path = Path(tempfile.mkdtemp()) / "wine.safetensors"
        >>> sampler.save(path)
        >>> loaded = VAEOversampler.load(path)
        >>> same = loaded.sample(2, 5, random_state=0) == sampler.sample(2, 5, random_state=0)
        >>> bool(same.all())
        True
        """
        save(self, path, include_rows)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load a sampler that was saved with `save`.

        It has the parameters and fitted attributes of the saved one, and draws the same rows,
        bit for bit on the same machine. It is loaded to the CPU if `device` is not available.
        If X was a data frame of a library that is not installed, `sample` raises an error that
        names it; `encode`, `to_matrix` and `vaes_` can be used.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        sampler : VAEOversampler
            The fitted sampler.

        Raises
        ------
        SavedSamplerError
            If the file holds no sampler, is damaged, or was saved by a later version of
            vaesampler in a newer format.
        ImportError
            If labels or cells are objects of pandas, and it is not installed.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> path = Path(tempfile.mkdtemp()) / "wine.safetensors"
        >>> VAEOversampler(random_state=0).fit(X, y).save(path)
        >>> VAEOversampler.load(path).sample(2, 5).shape
        (5, 13)
        """
        return load(cls, path)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns that `fit_resample` returns: those of X.

        There is no `set_output`, since rows come back in the container of X.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X. Needed only where X had none: they are "x0", "x1" and so
            on, if not given. Otherwise they must be the names that X had.

        Returns
        -------
        names : ndarray of object, of shape (n_features,)
            Names of the columns.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If `input_features` are not the names that X had, or not as many as its columns.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True, as_frame=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X[["alcohol", "hue"]], y)
        >>> sampler.get_feature_names_out().tolist()
        ['alcohol', 'hue']
        """
        names: npt.NDArray[np.object_] = super().get_feature_names_out(input_features)
        return names

    @property
    def report_(self) -> "dict[Hashable, SyntheticReport]":
        """Comparison of the synthetic rows of each class with its held-out rows.

        Computed on first access, in a second or two per class. Requires `early_stopping=True`.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(
        ...     early_stopping=True, validation_fraction=0.25, random_state=0
        ... )
        >>> report = sampler.fit(X, y).report_[2]
        >>> report.n_real, report.n_holdout
        (36, 12)
        """
        check_is_fitted(self)
        with_held_out = {
            label: entry
            for label, entry in self._generators.items()
            if entry.held_out_rows is not None
        }
        if not with_held_out:
            raise AttributeError(
                "`report_` needs held-out rows, and no rows were held out. Fit with "
                "`early_stopping=True` and classes of at least 3 rows, or call "
                "`vaesampler.synthetic_report` with rows that the sampler has not seen."
            )
        for label in with_held_out.keys() - self._reports.keys():
            self._reports[label] = self._report(with_held_out[label])
        return {label: self._reports[label] for label in with_held_out}

    def _fit_resample(self, X: Any, y: Any, progress: Progress) -> tuple[Any, Any]:
        container, labels = self._check_X_y(X, y)
        self._fit(container, labels, self._resources(), progress)
        n_new = {label: self.sampling_strategy_[label] for label in self._generators}
        notes = DrawNotes()
        with closing(self._draw_all(n_new, notes)) as blocks:
            X_resampled = self._template.append(X, blocks, sum(n_new.values()))
        if self._constraint_filters:
            self.constraint_acceptance_ = notes.acceptance
        # The label of a synthetic row is copied from the first row of its class.
        copied_rows = [
            np.full(n_rows, labels.rows_of(label)[0]) for label, n_rows in n_new.items()
        ]
        row_indices = np.concatenate([np.arange(len(labels)), *copied_rows])
        self.synthetic_mask_ = np.arange(len(row_indices)) >= len(labels)
        self.source_indices_ = notes.sources
        return X_resampled, take_labels(y, row_indices)

    def _check_X_y(self, X: Any, y: Any) -> tuple[Container, Labels]:  # noqa: N802
        labels = labels_of(y)
        container = self._read_table(X, reset=True)
        check_lengths(container, labels)
        self.sampling_strategy_ = rows_to_add(self.sampling_strategy, labels)
        check_class_sizes(self.sampling_strategy_, labels)
        return container, labels

    def _fit(
        self,
        container: Container,
        labels: Labels,
        resources: "Resources",
        progress: Progress = SILENCE,
        weights: Mapping[Hashable, float] | None = None,
    ) -> None:
        """Fit the generators to a table.

        `weights` are those of `LabelledRows`, if it is a sample of a larger table.
        """
        from vaesampler._generation.constraints import constraint_filters, n_rows_refused
        from vaesampler._generation.fitting import fit_generators
        from vaesampler._generation.shared import LabelledRows

        wanted = [label for label, n_rows in self.sampling_strategy_.items() if n_rows > 0]
        schema, cells = read_cells(
            container,
            self.categorical_features,
            self.ordinal_features,
            self.inherited_features,
        )
        check_inherited(schema, container, resources.latent_sampler)
        own_rows = {label: labels.rows_of(label) for label in wanted}
        if schema.inherited:
            of_classes = np.concatenate([np.empty(0, np.intp), *own_rows.values()])
            schema = schema.inheriting_from(np.sort(of_classes))
        check_cardinality(schema, cells, self.categorical_features)
        template = container.template(schema)
        filters = constraint_filters(self.constraints, template, cells)
        check_constraints(n_rows_refused(filters, cells), len(cells))
        encoder = TableEncoder.of(schema)
        table = LabelledRows(encoder, encoder.rows(cells), labels, weights)
        classes = {label: SelectedRows(table.rows, rows) for label, rows in own_rows.items()}
        check_classes(classes, self.latent_dim, self.early_stopping)
        supports = {label: Support.of(schema, cells, rows) for label, rows in own_rows.items()}
        generators = fit_generators(
            table,
            supports,
            self._settings(),
            resources.critic,
            resources.seeds,
            resources.device,
            progress,
            self._cache(schema, cells, labels, weights),
        )
        check_fits(generators.values())
        self._template, self._constraint_filters = template, filters
        self._keep(generators, resources)

    def _cache(
        self,
        schema: FeatureSchema,
        cells: TableCells,
        labels: Labels,
        weights: Mapping[Hashable, float] | None,
    ) -> ResultCache:
        """Return the cache of a table. Without a `random_state`, no fit repeats another."""
        if self.memory is None or self.random_state is None:
            return ResultCache()
        by_class = None if weights is None else list(weights.items())
        data = (schema, cells.hash(), labels.classes, labels.codes, by_class)
        return ResultCache.of(self.memory, *data)

    def _keep(
        self, generators: "dict[Hashable, ClassGenerator]", resources: "Resources"
    ) -> None:
        """Set the fitted attributes."""
        self._generators = generators
        self._fitted_with = resources
        self._unseeded_calls = UnseededCalls()
        self._reports = {}
        for name in ("synthetic_mask_", "source_indices_", "constraint_acceptance_"):
            self.__dict__.pop(name, None)  # of an earlier fit_resample
        self.schema_ = self._template.schema
        self.vaes_ = {label: entry.vae for label, entry in generators.items()}
        self.loss_curves_ = {label: entry.history.curve for label, entry in generators.items()}
        self.validation_curves_ = {
            label: entry.history.validation_curve
            for label, entry in generators.items()
            if entry.history.validation_curve is not None
        }
        self.n_iter_ = {label: len(curve) for label, curve in self.loss_curves_.items()}
        self.latent_kl_ = {
            label: entry.fit.kl_by_dimension for label, entry in generators.items()
        }

    def _generator(self, label: Hashable) -> "ClassGenerator":
        check_is_fitted(self)
        found = find_class(label, self._generators)
        if found is None:
            raise ValueError(no_vae(label, list(self._generators)))
        return self._generators[found]

    def _encoded(self, generator: "ClassGenerator", X: Any) -> LazyRows:
        return generator.encoder.rows_of(self._read_table(X, reset=False))

    def _seeds_of_call(
        self, random_state: int | np.random.RandomState | None
    ) -> tuple[Seeds, tuple[int, ...]]:
        """Return the seeds of a call of `sample` or the like, and a key of the call."""
        if random_state is None:
            return self._fitted_with.seeds, self._unseeded_calls.next_key()
        return Seeds.from_random_state(random_state), (0,)

    def _selection(self, generator: "ClassGenerator", given: "Given | None") -> "Selection":
        """Return the rows of a class that are asked for."""
        from vaesampler._generation.filters import ALL_ROWS

        if given is None or (isinstance(given, Mapping) and not given):
            return ALL_ROWS
        from vaesampler._generation.conditions import conditions_of

        conditions = conditions_of(given, self._template)
        resources = self._fitted_with
        return generator.select(conditions, resources.latent_sampler, resources.seeds)

    def _draw_request(
        self, seeds: Seeds, *purpose: object, selection: "Selection | None" = None
    ) -> "DrawRequest":
        from vaesampler._generation.filters import ALL_ROWS
        from vaesampler._generation.generator import DrawRequest

        resources, asked = self._fitted_with, selection or ALL_ROWS
        return DrawRequest(
            resources.latent_sampler,
            seeds,
            resources.device,
            purpose,
            (*asked.filters, *self._constraint_filters),
            asked.around,
        )

    def _draw_all(
        self, n_new: Mapping[Hashable, int], notes: DrawNotes
    ) -> Generator[npt.NDArray[np.float64]]:  # (n_rows_of_block, n_columns)
        """Yield the cells of `fit_resample`, class by class, and note what is drawn."""
        from vaesampler._runtime.devices import one_thread

        request = self._draw_request(self._fitted_with.seeds, "fit_resample")
        with one_thread():  # once, for all classes
            for label, n_rows in n_new.items():
                generator = self._generators[label]
                yield from notes.cells(generator, generator.draw(n_rows, request))

    def _report(self, generator: "ClassGenerator") -> "SyntheticReport":
        from vaesampler.metrics._report import synthetic_report

        label, seeds = generator.label, self._fitted_with.seeds
        n_rows = min(max(len(generator.own_rows), MIN_REPORTED_ROWS), MAX_REPORTED_ROWS)
        request = self._draw_request(seeds, "report")
        schema = self.schema_
        with closing(generator.draw(n_rows, request)) as blocks:
            cells = (_without_inherited(drawn.cells, schema) for drawn in blocks)
            synthetic = self._template.make(cells, n_rows)
        own, held_out = (
            self._template.make(
                [generator.cells(rows, seeds.numpy("report", label))], len(rows)
            )
            for rows in (generator.own_rows, generator.held_out_rows)
            if rows is not None
        )
        return synthetic_report(
            own,
            synthetic,
            held_out,
            categorical_features=_categorical_features(self.categorical_features, schema),
            random_state=seeds.integer("report", label),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_generators")


def _without_inherited(
    cells: npt.NDArray[np.float64], schema: FeatureSchema
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns), both
    """Return cells whose inherited columns are constant, as those of decoded rows are."""
    cells[:, list(schema.inherited)] = 0
    return cells


def _categorical_features(
    named: CategoricalFeatures, schema: FeatureSchema
) -> CategoricalFeatures:
    """Return the categorical columns; the inherited ones, too, unless they are inferred."""
    if isinstance(named, str) or not schema.inherited:
        return named
    return [
        isinstance(column, InheritedColumn) or getattr(column, "are_categories", False)
        for column in schema.columns
    ]
