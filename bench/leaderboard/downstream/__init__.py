"""Downstream models on the leaderboard: what a symmetry is good for."""
