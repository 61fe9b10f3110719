"""What a plugin implements and what the harness gives it."""

from bench.contracts.action import Action, rms_deviation, rms_speed, unit_speed
from bench.contracts.actions import Field, FourVector, ImageAffine, Linear, RandomFields
from bench.contracts.builder import Builder
from bench.contracts.dataset import Dataset
from bench.contracts.method import Method
from bench.contracts.metric import HeldOut, Metric
from bench.contracts.model import Model
from bench.contracts.oracle import Equivariant, InView, Oracle, Tangent
from bench.contracts.problem import Problem
from bench.contracts.representation import Induced, Representation, View
from bench.contracts.samples import Progress, Samples, Split, silent
from bench.contracts.symmetry import Combination, MatrixSymmetry, NoSymmetry, Symmetry
from bench.contracts.task import Pairs, PairSource, Task
from bench.errors import BenchError, Unsuitable

__all__ = [
    "Action", "BenchError", "Builder", "Combination", "Dataset", "Equivariant", "Field", "FourVector", "HeldOut",
    "ImageAffine", "InView", "Induced", "Linear", "MatrixSymmetry", "Method", "Metric", "Model", "NoSymmetry",
    "Oracle", "PairSource", "Pairs", "Problem", "Progress", "RandomFields", "Representation", "Samples", "Split",
    "Symmetry", "Tangent", "Task", "Unsuitable", "View", "rms_deviation", "rms_speed", "silent", "unit_speed",
]  # fmt: skip
