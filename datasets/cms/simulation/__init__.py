"""Simulated calorimeter images: quark and gluon jets by Pythia 8 in a parametrised detector, and shower windows."""
