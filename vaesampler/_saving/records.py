"""The classes of objects that a file may hold, each stored by its fields."""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from vaesampler._encoding.bounds import Bounds, Support
from vaesampler._encoding.look_up import LookUpTable
from vaesampler._generation.calibration import FitQuality
from vaesampler._generation.constraints import SeenCombinations
from vaesampler._generation.latent import (
    DenoisingSampling,
    InterpolationSampling,
    PosteriorSampling,
    PriorSampling,
)
from vaesampler._generation.residuals import ResidualModel
from vaesampler._rejection.choice import AutoCritic
from vaesampler._rejection.forest import ForestCritic, TreeNodes
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.network import NetworkCritic
from vaesampler._saving.frames import SavedColumn, SavedFrame
from vaesampler._saving.generators import (
    SavedForest,
    SavedGenerator,
    SavedNeighbors,
    SavedNetwork,
)
from vaesampler._saving.samplers import SavedSampler
from vaesampler._table.columns import (
    BinaryColumn,
    CategoricalColumn,
    ConstantColumn,
    ContinuousColumn,
    DiscreteColumn,
    IndicatorColumn,
    InheritedColumn,
    IntegerColumn,
    OrdinalColumn,
)
from vaesampler._table.grid import Grid
from vaesampler._table.normal_scores import NormalScores
from vaesampler._table.notations import Decimals, Fractions, Numbers, Times
from vaesampler._table.objects import OBJECT_MAKERS
from vaesampler._table.row_types import RowType
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.templates import (
    ArrayTemplate,
    SequenceTemplate,
    SparseTemplate,
    TensorTemplate,
)
from vaesampler._training.curves import LossCurve
from vaesampler._training.loop import TrainingHistory
from vaesampler._training.shrinkage import ShrunkNormal

# All are dataclasses. A class of the user's cannot be added.
RECORDS: dict[str, type] = {
    one.__name__: one
    for one in (
        # Tables
        *(FeatureSchema, Grid, NormalScores, Numbers, Fractions, Decimals, Times),
        *(ContinuousColumn, IntegerColumn, DiscreteColumn, ConstantColumn, BinaryColumn),
        *(IndicatorColumn, OrdinalColumn, CategoricalColumn, InheritedColumn),
        *(*OBJECT_MAKERS, RowType),
        *(ArrayTemplate, SequenceTemplate, SparseTemplate, TensorTemplate),
        *(SavedFrame, SavedColumn),
        # Generators
        *(PriorSampling, PosteriorSampling, InterpolationSampling, DenoisingSampling),
        *(AutoCritic, ForestCritic, NeighborCritic, NetworkCritic, TreeNodes),
        *(Bounds, Support, LookUpTable, FitQuality, ResidualModel, ShrunkNormal),
        *(LossCurve, TrainingHistory, SeenCombinations),
        *(SavedForest, SavedNeighbors, SavedNetwork, SavedGenerator, SavedSampler),
    )
}


@cache
def fields_of(record: type) -> dict[str, Any]:
    """Return the type of each field of a record."""
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


def record_of(record: type, values: Mapping[str, Any]) -> Any:
    """Return a record with these fields; earlier versions may lack those with a default.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of another type.
    """
    hints = fields_of(record)
    if not values.keys() <= hints.keys():
        raise ValueError(f"the fields of {record.__name__} are others")
    for name, value in values.items():
        if not conforms(value, hints[name]):
            raise ValueError(f"{name} of {record.__name__} is of another type")
    return record(**values)


def conforms(value: Any, hint: Any) -> bool:
    """Return whether a value has a type, as annotations write it."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint in (None, types.NoneType):
        return value is None
    if origin in (Union, types.UnionType):
        return any(conforms(value, one) for one in inner)
    if origin is np.ndarray:
        (kind,) = get_args(inner[1])
        is_array = isinstance(value, np.ndarray)
        return is_array and (kind is Any or np.issubdtype(value.dtype, kind))
    if origin is tuple and Ellipsis not in inner:
        is_pair = isinstance(value, tuple) and len(value) == len(inner)
        return is_pair and all(map(conforms, value, inner))
    if origin in (tuple, list, Sequence):
        kind = list | tuple if origin is Sequence else origin
        return isinstance(value, kind) and all(conforms(one, inner[0]) for one in value)
    if origin in (dict, Mapping):
        is_dict = isinstance(value, dict)
        return is_dict and all(all(map(conforms, item, inner)) for item in value.items())
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if origin is Callable:
        return callable(value)
    return isinstance(value, origin or hint)
