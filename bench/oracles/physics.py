"""The physics oracles by name."""

from __future__ import annotations

from bench.oracles.images import CellMass, EnergyProfile, ImageGirth, TransverseEnergy
from bench.oracles.invariances import PhysicsOracle
from bench.oracles.jets import Girth, Mass, Multiplicity, PairProducts, PtDispersion, TransverseMomentum
from bench.oracles.substructure import CorrelatorRatios, EnergyFlow, Subjettiness

__all__ = ["image_oracles", "jet_oracles"]


def jet_oracles() -> dict[str, PhysicsOracle]:
    """Of jets (B, N, 4)."""
    return {
        "mass": Mass(),
        "pair_products": PairProducts(),
        "pt": TransverseMomentum(),
        "multiplicity": Multiplicity(),
        "ptd": PtDispersion(),
        "girth": Girth(),
        "c2_d2": CorrelatorRatios(),
        "tau21": Subjettiness(),
        "energy_flow": EnergyFlow(),
        "energy_flow_ee": EnergyFlow(measure="e+e-"),
    }


def image_oracles(cell: float) -> dict[str, PhysicsOracle]:
    """Of images (B, C, H, W) in GeV, whose pixels have side `cell` in eta and phi."""
    return {
        "et": TransverseEnergy(),
        "girth": ImageGirth(),
        "profile": EnergyProfile(),
        "mass": CellMass(cell),
    }
