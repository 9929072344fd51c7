"""Saving and loading of samplers, and the version in their pickles."""

import os
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sklearn.utils.validation import check_is_fitted

from vaesampler._estimators.base import Resources
from vaesampler._runtime.seeds import Seeds, UnseededCalls
from vaesampler._runtime.version import __version__
from vaesampler.exceptions import InconsistentVersionWarning

if TYPE_CHECKING:
    from vaesampler._estimators.oversampler import VAEOversampler

Sampler = TypeVar("Sampler", bound="VAEOversampler")


def save(sampler: "VAEOversampler", path: str | os.PathLike[str], include_rows: bool) -> None:
    """Write a fitted sampler to a file. See `VAEOversampler.save`."""
    from vaesampler._generation.constraints import SeenCombinations
    from vaesampler._saving.frames import saved_template
    from vaesampler._saving.generators import saved_generator
    from vaesampler._saving.sampler_file import not_storable, write_sampler
    from vaesampler._saving.samplers import SavedSampler

    check_is_fitted(sampler)
    if getattr(sampler, "_skl_callbacks", None):
        raise not_storable("its callbacks", "they are objects of any class")
    combinations = []
    for one in sampler._constraint_filters:
        if not isinstance(one, SeenCombinations):
            raise not_storable("the parameter 'constraints'", f"{one.name} is a function")
        combinations.append(one)
    if not include_rows:
        _check_needs_no_rows(sampler)
    try:
        template = saved_template(sampler._template)
    except TypeError as error:
        raise not_storable("the table X", error) from error
    resources = sampler._fitted_with
    names = getattr(sampler, "feature_names_in_", None)
    try:
        generators = [
            saved_generator(generator, include_rows=include_rows)
            for generator in sampler._generators.values()
        ]
    except TypeError as error:
        raise not_storable("the parameter 'critic'", error) from error
    parameters = sampler.get_params(deep=False)
    del parameters["memory"]  # a folder of this machine
    saved = SavedSampler(
        parameters=parameters,
        template=template,
        generators=generators,
        entropy=resources.seeds.entropy,
        latent_sampler=resources.latent_sampler,
        critic=resources.critic,
        sampling_strategy=dict(sampler.sampling_strategy_),
        n_features_in=sampler.n_features_in_,
        feature_names_in=names,
        synthetic_mask=getattr(sampler, "synthetic_mask_", None),
        combinations=combinations,
        source_indices=getattr(sampler, "source_indices_", None),
    )
    write_sampler(path, sampler.schema_, saved)


def load(kind: type[Sampler], path: str | os.PathLike[str]) -> Sampler:
    """Read a fitted sampler from a file. See `VAEOversampler.load`."""
    from vaesampler._saving.file import errors_of_file
    from vaesampler._saving.sampler_file import read_sampler

    with errors_of_file(path):
        restored = read_sampler(path)
        saved = restored.sampler
        sampler = kind(**saved.parameters)
        sampler._validate_params()
        sampler.sampling_strategy_ = saved.sampling_strategy
        sampler.n_features_in_ = saved.n_features_in
        if saved.feature_names_in is not None:
            sampler.feature_names_in_ = saved.feature_names_in
        resources = Resources(
            restored.device, Seeds(saved.entropy), saved.latent_sampler, saved.critic
        )
        sampler._template = restored.template
        generators = {generator.label: generator for generator in restored.generators}
        sampler._keep(generators, resources)
        sampler._constraint_filters = tuple(saved.combinations)
        sampler._unseeded_calls = UnseededCalls.elsewhere()
        if saved.synthetic_mask is not None:
            sampler.synthetic_mask_ = saved.synthetic_mask
        if saved.source_indices is not None:
            sampler.source_indices_ = saved.source_indices
    return sampler


def _check_needs_no_rows(sampler: "VAEOversampler") -> None:
    """Check that no rows are drawn around real rows, nor judged by them.

    Raises
    ------
    ValueError
        If they are. The message names the parameters.
    """
    from vaesampler._generation.latent import PriorSampling
    from vaesampler._rejection.network import FittedNetworkCritic

    reasons = []
    if type(sampler._fitted_with.latent_sampler) is not PriorSampling:
        reasons.append("`latent_sampling`, which must be 'prior'")
    if sampler.schema_.inherited:
        reasons.append("`inherited_features`, which are taken from real rows")
    critics = [generator.critic for generator in sampler._generators.values()]
    if not all(critic is None or type(critic) is FittedNetworkCritic for critic in critics):
        reasons.append("`critic`, which must be 'network' unless `rejection_strength=0`")
    if reasons:
        parameters = " and ".join(reasons)
        raise ValueError(
            f"The sampler needs real rows to draw new ones, because of {parameters}. Fit it "
            "with other parameters, or save it with `include_rows=True`."
        )


class VersionedPickleMixin:
    """Records the version of the library in pickles, and warns if another one reads them."""

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {**state, "_vaesampler_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        rest = dict(state)
        found = rest.pop("_vaesampler_version", "unknown")
        if found != __version__:
            _check_state(rest, found)
            warnings.warn(
                f"The sampler was pickled by vaesampler {found}, and is unpickled by "
                f"{__version__}. It may fail, or draw other rows. Fit it again, or keep it "
                "with `save`, whose files later versions can load.",
                InconsistentVersionWarning,
                stacklevel=2,
            )
        super().__setstate__(rest)  # type: ignore[misc]


def _check_state(state: dict[str, Any], found: str) -> None:
    """Raise a ValueError if a pickle of another version lacks what this one needs."""
    for generator in state.get("_generators", {}).values():
        missing = {field.name for field in fields(generator)} - vars(generator).keys()
        if missing:
            raise ValueError(
                f"The sampler was pickled by vaesampler {found}, and {__version__} cannot read "
                f"it: {sorted(missing)} are missing. Fit it again, and keep it with `save`, "
                "whose files later versions can load."
            )
