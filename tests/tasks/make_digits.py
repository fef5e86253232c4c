"""Write edgeval/tasks/digits.npz from the copy of the UCI digits that scikit-learn distributes (run once)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SHIPPED = Path(__file__).resolve().parents[2] / "edgeval" / "tasks" / "digits.npz"


def main() -> None:
    """Save images (1797, 8, 8) uint8 0..16 and labels (1797,) uint8."""
    digits = load_digits()
    np.savez_compressed(SHIPPED, images=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    main()
