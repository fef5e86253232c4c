"""ViT(d): a small vision transformer, patches of 8 pixels, depth 4, 4 heads, mean over the tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PATCH, DEPTH, HEADS = 8, 4, 4


class ViT(nn.Module):
    """Patches as tokens of `width` numbers with a learned place each, four pre-norm blocks, mean, one linear layer.

    Input (N, *shape), height and width multiples of 8; output (N, outputs). Parameters with t tokens, c input channels
    and k outputs: 48 d^2 + (64 c + t + k + 55) d + k.
    """

    def __init__(self, width: int, outputs: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, wide = shape
        if height % PATCH or wide % PATCH or width % HEADS:
            raise ValueError(f"vit takes images in multiples of {PATCH} pixels and widths in multiples of {HEADS}")
        self.tokens = nn.Conv2d(channels, width, PATCH, PATCH)
        self.place = nn.Parameter(0.02 * torch.randn(1, (height // PATCH) * (wide // PATCH), width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.tokens(x).flatten(2).transpose(1, 2) + self.place
        answers: Tensor = self.head(self.norm(self.blocks(tokens)).mean(1))
        return answers


class Block(nn.Module):
    """Attention and a two-layer net of 4 d neurons with GELU, each behind a layer norm and beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.mixing, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixed(self._attention(self.norms[0](x)))
        found: Tensor = x + self.wide(self.norms[1](x))
        return found

    def _attention(self, x: Tensor) -> Tensor:
        """(N, tokens, d): what each token gathers from all, written out so that every converter knows it."""
        tokens, width = x.shape[1], x.shape[2]
        parts = self.mixing(x).reshape(-1, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        asked, known, told = parts[0] * (width // HEADS) ** -0.5, parts[1], parts[2]
        shares = torch.softmax(asked @ known.transpose(-2, -1), dim=-1)
        gathered: Tensor = (shares @ told).transpose(1, 2).reshape(-1, tokens, width)
        return gathered
