"""The two protocols of "Neural Scaling Laws for Deep Regression" (arXiv 2509.10000) that edgeval trains."""

from __future__ import annotations

PAPER = ("fcn-cri3", "resnet-cri3", "vit-cri3")
SMALL = ("fcn-cri3-images", "fcn-cri3-widths", "resnet-cri3-images")
