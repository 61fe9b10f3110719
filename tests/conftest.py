"""What all tests share."""

from __future__ import annotations

import torch

torch.set_num_threads(1)  # more threads make small networks slower
