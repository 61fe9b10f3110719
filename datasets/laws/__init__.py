"""Data sets drawn from a formula: the law is exact, and so is its truth."""
