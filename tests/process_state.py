"""What a call may not change in its process."""

import os
import random
import threading
import warnings
from pathlib import Path

import numpy as np
import torch


def process_state():
    """Return what a call may not change, by name."""
    descriptors = Path("/proc/self/fd")
    return {
        "Python's generator": random.getstate(),
        "NumPy's generator": str(np.random.get_state()),  # noqa: NPY002
        "PyTorch's generator": torch.get_rng_state().tolist(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "PyTorch's threads": torch.get_num_threads(),
        "default dtype": torch.get_default_dtype(),
        "precision of products": torch.get_float32_matmul_precision(),
        "gradients": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warnings": list(warnings.filters),
        "floating-point errors": np.geterr(),
        "environment": dict(os.environ),
        "working directory": sorted(os.listdir()),
        "open files": len(os.listdir(descriptors)) if descriptors.is_dir() else None,
    }
