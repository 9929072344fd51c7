"""`VAEOversampler`: imbalanced-learn's contract."""

from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import closing
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_sampling_strategy, check_target_type
from sklearn.base import _fit_context
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.rows import EncodedRows, SelectedRows
from vaesampler._estimators.base import VAEEstimator
from vaesampler._estimators.checks import (
    check_class,
    check_fit,
    check_lengths,
    check_wanted_counts,
)
from vaesampler._runtime.progress import Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.containers import Container
from vaesampler._table.labels import labels_of, take_labels
from vaesampler._table.named_features import CategoricalFeatures, OrdinalFeatures
from vaesampler._table.templates import Template

if TYPE_CHECKING:
    import torch

    from vaesampler._estimators.base import Resources
    from vaesampler._generation.generator import ClassGenerator
    from vaesampler._generation.latent import LatentSampler
    from vaesampler._rejection.critic import Critic
    from vaesampler.metrics._report import SyntheticReport

DOCUMENTATION = "https://vaesampler.readthedocs.io/en/latest"
# Number of synthetic rows in a report: as many as the class has, within these bounds.
MIN_REPORTED_ROWS = 500
MAX_REPORTED_ROWS = 2_000


class VAEOversampler(VAEEstimator, BaseOverSampler):
    """Oversample by drawing new rows from one variational autoencoder (VAE) a class.

    Each class to be oversampled gets a small VAE that learns how its rows are
    distributed; new rows are decoded from it and appended below the untouched originals.
    It stands in a pipeline wherever :class:`imblearn.over_sampling.SMOTE` stands.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many rows each class shall have, as in every sampler of imbalanced-learn:

        - float: the ratio of minority to majority rows after resampling (binary only);
        - str: which classes are brought to the size of the largest: "minority",
          "not minority", "not majority", "all", or "auto" (the same as "not majority");
        - dict: class label to the wanted number of rows, originals included;
        - callable: takes `y`, returns such a dict.

    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories: a mask, indices, or names of columns. "auto" takes
        text, categories and truth values for categories, in a frame of any library (in
        pandas the dtypes category, string, bool, and object where the cells are text), in
        an array or in a list; and all other columns for numbers.

    ordinal_features : dict of str or int to list or None, default=None
        Columns of ordered levels: the name or index of each, and its levels in ascending
        order, or None for the order of its dtype (a polars Enum, the size of numbers). Ordered
        categories of pandas and pyarrow need no entry. Drawn levels lie between those that
        the class has, and are never levels that the table lacks.

    latent_dim : int, default=4
        Dimensions of the latent space. More can memorize, fewer draw rows that are
        unlike the real ones.

    hidden_layer_sizes : int or sequence of int, default=(32,)
        Widths of the encoder's hidden layers; the decoder mirrors them.

    activation : {"identity", "logistic", "relu", "tanh"}, default="relu"
        Activation between layers.

    latent_sampling : {"prior", "posterior", "interpolate", "denoise"} or LatentSampler, \
            default="posterior"
        Where in latent space rows are decoded from:

        - "prior": anywhere the standard normal prior goes (`PriorSampling`);
        - "posterior": around the codes of random real rows (`PosteriorSampling`);
        - "interpolate": on the line between two neighbouring rows' codes
          (`InterpolationSampling`);
        - "denoise": at the code of a real row with noise added (`DenoisingSampling`);
        - an object of your own: see `LatentSampler`.

    critic : {"auto", "neighbors", "network"} or Critic, default="auto"
        What judges drawn rows by the real ones, if `rejection_strength` is above 0:

        - "auto": "network" for a class of 100 rows or more in a table of 10,000 or more,
          "neighbors" for all others;
        - "neighbors": the share of the class among the 15 nearest real rows
          (`NeighborCritic`);
        - "network": a small classifier of the class against all others (`NetworkCritic`);
        - an object of your own: see `Critic`.

    beta : float, default=1.0
        Weight of the Kullback-Leibler term in the loss. Above 1 the codes of rows blur
        into each other; below 1 they stay apart.

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights, divided by the class's number of rows.

    batch_size : int, default=128
        Rows, drawn at random among the class's, that a VAE sees at each step.

    learning_rate_init : float, default=0.02
        Learning rate of Adam at the first step; it falls to zero along a cosine.

    max_iter : int, default=250
        Optimizer steps on each class's own rows. Not epochs: a class of 10 rows gets as many
        as one of 10,000.

    pretrain_iter : int, default=150
        Optimizer steps on the rows of all classes, which come first: every class's VAE goes
        on from there. It matters most to classes of fewer than 100 rows. 0 leaves it out.

    early_stopping : bool, default=False
        Whether to hold out some of each class's rows and to stop training its VAE when their
        loss has stopped falling; the VAE then goes back to where that was lowest. Held-out
        rows are not learned from nor drawn around, and `report_` judges the synthetic rows
        by them. Give it a larger `max_iter` to stop from.

    validation_fraction : float, default=0.1
        Share of each class's rows that `early_stopping` holds out, rounded up. Of a class
        of 2 rows none is.

    n_iter_no_change : int, default=10
        How many looks at the held-out rows in a row, one every 10 steps, may bring no
        improvement of `tol` before training stops.

    tol : float, default=1e-4
        What counts as an improvement, in nats per row.

    smoothing : float, default=1.0
        How far the rows that a VAE learns from are moved at random, in the directions in
        which the class varies, in units of a bandwidth that shrinks as the class grows:
        1.2 times (columns + 1) / (rows + columns + 1), to the power 1.6. It keeps a small
        class from being learned by heart. 0 leaves the rows where they are.

    rejection_strength : float, default=4.0
        How strictly drawn rows are judged by the real ones. More rows are drawn than needed,
        and each is kept with its class's probability, as if the class and the rest had
        nearly as many rows, to this power; for a class of n rows in a table of d columns the
        power is n / (n + 2.5 d) of it, since few rows tell little. The probability is told by
        its 15 nearest real neighbours; for a class of 100 rows or more in a table of 10,000 or
        more, by a small network. All but a few near copies of real rows are rejected too,
        unless the table has nothing but categories. However improbable the rows, a share of
        them is kept: at least 0.7 of a class of few rows, 0.815 of one of 500, 0.93 of one
        of many thousands, to the power of this number, and never less than a quarter. 0 keeps
        every row; the higher, the farther rows stay from the other classes.

    device : {"auto", "cpu", "cuda", "mps"} or torch.device, default="auto"
        Where to train and draw. "auto" is the processor, which is faster unless layers are of
        several hundred units. A sampler can be unpickled only where its device is.

    verbose : bool or int, default=False
        Whether training can be watched: 1 shows a bar with the losses and the time left, in
        a terminal or a notebook; 2 sends a line every 50 steps, of level INFO, to the
        :mod:`logging` log "vaesampler".

    random_state : int, RandomState instance or None, default=None
        An int gives the same rows at every call. None gives other rows at every call;
        NumPy's and PyTorch's global generators are neither read nor moved.

    Attributes
    ----------
    vaes_ : dict of label to torch.nn.Module
        The trained VAE of each oversampled class, a stack of one model: its `encode` and
        `decode` take tensors of shape (1, n_rows, width).

    loss_curves_ : dict of label to LossCurve
        Negative evidence lower bound at each step on the class's own rows, split into
        reconstruction and Kullback-Leibler divergence, in nats per row.

    validation_curves_ : dict of label to LossCurve
        The same for the rows that were held out, every 10 steps; empty without
        `early_stopping`.

    n_iter_ : dict of label to int
        Optimizer steps that were taken on the class's own rows.

    latent_kl_ : dict of label to ndarray of shape (latent_dim,)
        How much each latent dimension says about the class's rows, in nats per row. Those
        near zero are not used, and a smaller `latent_dim` would do.

    report_ : dict of label to SyntheticReport
        Whether the synthetic rows of each class are near copies, unlike the real ones, or
        neither, judged by the rows held out. It is made when it is first asked for: a
        second or two a class. Only with `early_stopping`.

    schema_ : FeatureSchema
        What each column was taken for, and why. Print it.

    sampling_strategy_ : dict of label to int
        How many rows were to be added to each class.

    synthetic_mask_ : ndarray of bool, of shape (n_rows_returned,)
        Which of the rows that `fit_resample` returned are synthetic.

    n_features_in_ : int
        Number of columns seen.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen, where X has names that are all strings.

    See Also
    --------
    imblearn.over_sampling.SMOTE : Draws on lines between neighbours. Faster on small
        tables, but close to the rows that are there.

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
    _reports: "dict[Hashable, SyntheticReport]"  # those that were asked for
    _fitted_with: "Resources"
    _template: Template

    # Where scikit-learn's picture of an estimator links to.
    _doc_link_module = "vaesampler"
    _doc_link_template = f"{DOCUMENTATION}/api/generated/vaesampler.{{estimator_name}}.html"

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        **VAEEstimator._vae_parameter_constraints,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        categorical_features: CategoricalFeatures = "auto",
        ordinal_features: OrdinalFeatures | None = None,
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
        device: "str | torch.device" = "auto",
        verbose: bool | int = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.categorical_features = categorical_features
        self.ordinal_features = ordinal_features
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
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Train the VAEs, and draw no rows yet; `sample` draws them.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Numbers, text, categories, truth values and (in a frame) times; cells may be
            missing.
        y : array-like of shape (n_rows,)
            Class labels.

        Returns
        -------
        self : VAEOversampler

        Raises
        ------
        ValueError
            If X, y or a parameter is not as required; the message says what to do.
        TypeError
            If X is a data frame that narwhals does not know, or that is not in memory.
        TrainingDivergedError
            If a class's loss is not a finite number.
        """
        with self._fitting() as progress:
            self._fit(*self._check_X_y(X, y), progress)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Train the VAEs and return the rows of X, then the synthetic ones.

        Parameters
        ----------
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Numbers, text, categories, truth values and (in a frame) times; cells may be
            missing.
        y : array-like of shape (n_rows,)
            Class labels.

        Returns
        -------
        X_resampled : same container as X, of shape (n_rows_returned, n_features)
            The rows of X, unchanged and in order, then the synthetic rows by class.
        y_resampled : same container as y, of shape (n_rows_returned,)
            Their labels.

        Raises
        ------
        ValueError
            If X, y or a parameter is not as required; the message says what to do.
        TypeError
            If X is a data frame that narwhals does not know, or that is not in memory.
        TrainingDivergedError
            If a class's loss is not a finite number.
        """
        with self._fitting() as progress:
            return self._fit_resample(X, y, progress)

    def sample(
        self,
        label: Hashable,
        n_samples: int,
        *,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Draw more rows of a class without training again.

        Parameters
        ----------
        label : object
            A class that was oversampled when fitting.
        n_samples : int
            How many rows to draw.
        random_state : int, RandomState instance or None, default=None
            An int gives the same rows at every call, None other rows at every call.

        Returns
        -------
        X_new : same container as X when fitting, of shape (n_samples, n_features)
            Synthetic rows only.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, or `n_samples` is not a whole number of at
            least 0.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from vaesampler import VAEOversampler
        >>> X, y = load_digits(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={1: 200}, random_state=0).fit(X, y)
        >>> sampler.sample(1, 5).shape
        (5, 64)
        """
        generator = self._generator(label)
        if not isinstance(n_samples, Integral) or n_samples < 0:
            raise ValueError(
                f"n_samples must be a whole number of at least 0; found {n_samples!r}."
            )
        if random_state is None:
            self._n_sample_calls += 1
            seeds, call = self._fitted_with.seeds, self._n_sample_calls
        else:
            seeds, call = Seeds.from_random_state(random_state), 0
        n_rows = int(n_samples)
        with closing(self._draw(generator, n_rows, seeds, "sample", call)) as blocks:
            return self._template.make(blocks, n_rows)

    def encode(self, label: Hashable, X: Any) -> np.ndarray:
        """Return where rows stand in the latent space of a class.

        Parameters
        ----------
        label : object
            A class that was oversampled when fitting.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of the columns that were fitted, of this class or of others.

        Returns
        -------
        codes : ndarray of shape (n_rows, latent_dim)
            The mean of each row's posterior.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, X has other columns, or one of them holds a
            level that was not seen, or missing cells where there were none.

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

    def to_matrix(self, label: Hashable, X: Any) -> npt.NDArray[np.float32]:
        """Return rows as the VAE of a class sees them.

        Parameters
        ----------
        label : object
            A class that was oversampled when fitting.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of the columns that were fitted, of this class or of others.

        Returns
        -------
        matrix : ndarray of float32, of shape (n_rows, width)
            Numbers, standardized by the class; flags for missing cells and for values that
            many rows share; categories, one-hot encoded. As a tensor of shape
            (1, n_rows, width) it is the input of `vaes_[label].encode`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, X has other columns, or one of them holds a
            level that was not seen, or missing cells where there were none.

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

    @property
    def report_(self) -> "dict[Hashable, SyntheticReport]":
        """How good the synthetic rows of each class are, judged by the rows held out.

        Made when it is first asked for: a second or two a class. Only with `early_stopping`.
        """
        check_is_fitted(self)
        judged = {
            label: entry
            for label, entry in self._generators.items()
            if entry.held_out_rows is not None
        }
        if not judged:
            raise AttributeError(
                "`report_` needs rows that were held out, and none were. Fit with "
                "`early_stopping=True` and classes of at least 3 rows, or call "
                "`vaesampler.synthetic_report` with rows that the sampler has not seen."
            )
        for label in judged.keys() - self._reports.keys():
            self._reports[label] = self._report(judged[label])
        return {label: self._reports[label] for label in judged}

    def _fit_resample(self, X: Any, y: Any, progress: Progress) -> tuple[Any, Any]:
        container, labels = self._check_X_y(X, y)
        self._fit(container, labels, progress)
        n_new = {label: self.sampling_strategy_[label] for label in self._generators}
        with closing(self._draw_all(n_new)) as blocks:
            X_resampled = self._template.append(X, blocks, sum(n_new.values()))
        # Each synthetic label is taken from a row of its class.
        label_rows = np.concatenate(
            [
                np.arange(len(labels)),
                *(
                    np.full(n_rows, np.argmax(labels == label))
                    for label, n_rows in n_new.items()
                ),
            ]
        )
        self.synthetic_mask_ = np.arange(len(label_rows)) >= len(labels)
        return X_resampled, take_labels(y, label_rows)

    def _check_X_y(self, X: Any, y: Any) -> tuple[Container, npt.NDArray]:  # noqa: N802
        read = labels_of(y)
        check_classification_targets(read)
        checked, _ = check_target_type(read, indicate_one_vs_all=True)
        labels = validate_data(self, X="no_validation", y=checked)
        container = self._read_table(X, reset=True)
        check_lengths(container, labels)
        check_wanted_counts(self.sampling_strategy, labels)
        self.sampling_strategy_ = check_sampling_strategy(
            self.sampling_strategy, labels, self._sampling_type
        )
        return container, labels

    def _fit(self, container: Container, y: npt.NDArray, progress: Progress) -> None:
        from vaesampler._generation.fitting import fit_generators
        from vaesampler._generation.shared import LabelledRows

        resources = self._resources()
        wanted = [
            label.item() if isinstance(label, np.generic) else label
            for label, n_samples in self.sampling_strategy_.items()
            if n_samples > 0
        ]
        schema, cells = read_cells(container, self.categorical_features, self.ordinal_features)
        encoder = TableEncoder.of(schema)
        table = LabelledRows(encoder, encoder.rows(cells), y)
        for label in wanted:
            rows = SelectedRows(table.rows, np.flatnonzero(y == label))
            check_class(label, rows, self.latent_dim, self.early_stopping)
        supports = {
            label: Support.of(schema, cells, np.flatnonzero(y == label)) for label in wanted
        }
        generators = fit_generators(
            table,
            supports,
            self._settings(),
            resources.critic,
            resources.seeds,
            resources.device,
            progress,
        )
        for generator in generators.values():
            check_fit(generator)
        self._template = container.template(schema)
        self._keep(generators, resources)

    def _keep(
        self, generators: "dict[Hashable, ClassGenerator]", resources: "Resources"
    ) -> None:
        """Set the fitted attributes."""
        self._generators = generators
        self._fitted_with = resources
        self._n_sample_calls = 0
        self._reports = {}
        self.__dict__.pop("synthetic_mask_", None)  # of an earlier table
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
        if label not in self._generators:
            raise ValueError(
                f"A VAE is needed for class {label!r}; the fitted ones are "
                f"{list(self._generators)}. Name one of them, or fit again with a "
                "`sampling_strategy` that adds rows to this class."
            )
        return self._generators[label]

    def _encoded(self, generator: "ClassGenerator", X: Any) -> EncodedRows:
        return generator.encoder.rows_of(self._read_table(X, reset=False))

    def _draw(
        self, generator: "ClassGenerator", n_rows: int, seeds: Seeds, *purpose: object
    ) -> Generator[npt.NDArray[np.float64]]:  # (n, n_features)
        resources = self._fitted_with
        return generator.draw(
            n_rows, resources.latent_sampler, seeds, resources.device, *purpose
        )

    def _draw_all(
        self, n_new: Mapping[Hashable, int]
    ) -> Generator[npt.NDArray[np.float64]]:  # (n, n_features)
        for label, n_rows in n_new.items():
            generator = self._generators[label]
            yield from self._draw(generator, n_rows, self._fitted_with.seeds, "fit_resample")

    def _report(self, generator: "ClassGenerator") -> "SyntheticReport":
        from vaesampler.metrics._report import synthetic_report

        label, seeds = generator.label, self._fitted_with.seeds
        n_rows = min(max(len(generator.own_rows), MIN_REPORTED_ROWS), MAX_REPORTED_ROWS)
        with closing(self._draw(generator, n_rows, seeds, "report")) as blocks:
            synthetic = self._template.make(blocks, n_rows)
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
            categorical_features=self.categorical_features,
            random_state=seeds.integer("report", label),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_generators")
