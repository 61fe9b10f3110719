"""Simulated top and QCD jets as constituents, by Pythia 8."""
