"""`write_sampler` and `read_sampler`: a fitted sampler in a file."""

import os
from dataclasses import dataclass
from typing import Any

import torch

from vaesampler._encoding.encoder import TableEncoder
from vaesampler._generation.generator import ClassGenerator
from vaesampler._runtime.devices import resolve_device
from vaesampler._saving.checks import check_schema, check_template, require
from vaesampler._saving.file import read_file, write_file
from vaesampler._saving.frames import restored_template
from vaesampler._saving.generators import restored_generator
from vaesampler._saving.samplers import SavedSampler
from vaesampler._saving.values import Reader, Writer
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.templates import Template


@dataclass(frozen=True, eq=False)
class RestoredSampler:
    """A sampler from a file."""

    sampler: SavedSampler
    template: Template
    generators: list[ClassGenerator]
    device: torch.device


def write_sampler(
    path: str | os.PathLike[str], schema: FeatureSchema, sampler: SavedSampler
) -> None:
    """Write a sampler to a file.

    Raises
    ------
    TypeError
        If a file cannot hold the sampler. Then nothing is written.
    """
    for name, value in sampler.parameters.items():
        _require_storable(f"the parameter {name!r}", value)
    for label in sampler.sampling_strategy:
        _require_storable("a label of y", label)
    for column in schema.columns:
        _require_storable(f"column {column.name!r}", column)
    _require_storable("the table X", sampler.template)
    _require_storable("the `latent_sampling` that it was fitted with", sampler.latent_sampler)
    _require_storable("the `critic` that it was fitted with", sampler.critic)
    writer = Writer()
    content = {"schema": writer.code(schema)}
    writer.share("schema", schema)
    content["sampler"] = writer.code(sampler)
    write_file(path, content, writer.arrays)


def read_sampler(path: str | os.PathLike[str]) -> RestoredSampler:
    """Read a sampler from a file; call it within `errors_of_file`."""
    content, arrays = read_file(path)
    reader = Reader(arrays)
    schema = reader.value(content["schema"])
    require(isinstance(schema, FeatureSchema), "columns")
    check_schema(schema)
    reader.share("schema", schema)
    sampler = reader.value(content["sampler"])
    require(isinstance(sampler, SavedSampler), "parts")
    require(not reader.arrays, "arrays")
    template = restored_template(sampler.template)
    check_template(template, schema)
    encoder, device = TableEncoder.of(schema), _available(sampler.parameters["device"])
    generators = [restored_generator(one, encoder, device) for one in sampler.generators]
    _check_sampler(sampler, schema)
    return RestoredSampler(sampler, template, generators, device)


def not_storable(what: str, reason: object) -> TypeError:
    """Return the error for a sampler that a file cannot hold."""
    return TypeError(
        f"The sampler cannot be saved, because of {what}: {reason}. A file holds values of "
        "Python, NumPy, pandas, polars and pyarrow, and classes of vaesampler, only. Change "
        "it, or keep the sampler with pickle or joblib."
    )


def _require_storable(what: str, value: Any) -> None:
    try:
        Writer().code(value)
    except TypeError as error:
        raise not_storable(what, error) from error


def _check_sampler(sampler: SavedSampler, schema: FeatureSchema) -> None:
    n_columns, names = len(schema.columns), sampler.feature_names_in
    require(sampler.n_features_in == n_columns, "columns")
    require(names is None or names.shape == (n_columns,), "names")
    require(sampler.synthetic_mask is None or sampler.synthetic_mask.ndim == 1, "masks")
    for seen in sampler.combinations:
        indices = seen.column_indices
        require(((indices >= 0) & (indices < n_columns)).all(), "columns")
        require(seen.combinations.shape[1:] == indices.shape != (0,), "combinations")
        require(len(seen.combinations) > 0, "combinations")
    require(sampler.source_indices is None or sampler.source_indices.ndim == 1, "sources")
    require(sampler.entropy >= 0, "seeds")
    labels = [generator.label for generator in sampler.generators]
    require(len(set(labels)) == len(labels), "labels")
    require(all(label in sampler.sampling_strategy for label in labels), "labels")


def _available(device: Any) -> torch.device:
    """Return the device that a parameter names; the CPU if it is not available here."""
    try:
        return resolve_device(device)
    except ValueError:
        return torch.device("cpu")
