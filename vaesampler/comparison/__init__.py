"""Compare samplers by cross-validating a classifier.

`compare_samplers` returns a data frame with a row for each sampler, fold and metric.
`summarize` and `paired_differences` condense it. All of them require pandas, which
`pip install "vaesampler[plots]"` installs.
"""

from vaesampler.comparison._compare import compare_samplers
from vaesampler.comparison._summaries import paired_differences, summarize

__all__ = ["compare_samplers", "paired_differences", "summarize"]
