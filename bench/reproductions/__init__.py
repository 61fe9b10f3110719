"""Claims of papers, read from a suite, judged by records and written as a page."""
