"""The one door to torchvision, which must open even where its compiled operators do not match torch."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[Any] = []


def import_torchvision() -> ModuleType:
    """torchvision, with models, datasets and transforms that work; box operators and image decoding work only where
    torchvision was built for this torch. Raises ModuleNotFoundError if it is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        # A CUDA-linked torchvision beside a CPU torch stops at the first operator that its library did not register.
        if _declared or "torchvision::nms does not exist" not in str(error):
            raise
        _declare()
        return importlib.import_module("torchvision")


def _declare() -> None:
    """Declare the schemas of the missing operators, and forget the modules of the failed import."""
    import torch

    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in OPERATORS:
        library.define(schema)
    _declared.append(library)  # the schemas live as long as this object
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
