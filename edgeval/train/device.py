"""A GPU set up so that results repeat and say what they are: no TF32, deterministic algorithms."""

from __future__ import annotations

import torch


def settle(device: str) -> None:
    """Arithmetic of this process on a GPU: float32 without TF32, the same algorithms every time."""
    if device == "cpu":
        return
    if ":" in device:  # plain "cuda", on a cluster, is the one GPU that the worker may see
        torch.cuda.set_device(device)
    torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def versions(device: str) -> dict[str, str]:
    """What else made a result on this device, and whether its float32 was TF32."""
    if device == "cpu":
        return {}
    tf32 = torch.backends.cudnn.conv.fp32_precision == "tf32"  # type: ignore[attr-defined]
    return {
        "gpu": torch.cuda.get_device_name(device),
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "tf32": "on" if tf32 else "off",
    }


def memory() -> list[int]:
    """Bytes of each GPU that this process may use."""
    return [torch.cuda.get_device_properties(k).total_memory for k in range(torch.cuda.device_count())]
