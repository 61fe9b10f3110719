"""Pictures, one a file; matplotlib is an extra."""
