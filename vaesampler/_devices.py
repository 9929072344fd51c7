"""Where tensors live: the user's `device` to a `torch.device` that is there."""

import torch


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device to train on; "auto" is the processor.

    Raises
    ------
    ValueError
        If the device is not there.
    """
    if device == "auto":
        return torch.device("cpu")
    resolved = torch.device(device)
    try:
        torch.empty(0, device=resolved)
    # PyTorch raises whatever the missing backend raises: an AssertionError for CUDA left
    # out of the build, a RuntimeError for a missing driver or index.
    except Exception as error:
        raise ValueError(
            f"device={str(device)!r} was asked for, but PyTorch {torch.__version__} finds "
            "no such device on this machine. Use device='auto' or 'cpu', or install a "
            "PyTorch built for the device."
        ) from error
    return resolved
