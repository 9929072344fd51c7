"""Which sampler helps a classifier, judged by cross-validation.

`compare_samplers` gives a data frame with a row for each sampler, fold and metric; `summarize`
and `paired_differences` condense it. They need pandas, which `pip install "vaesampler[plots]"`
brings.
"""

from vaesampler.comparison._compare import compare_samplers
from vaesampler.comparison._summaries import paired_differences, summarize

__all__ = ["compare_samplers", "paired_differences", "summarize"]
