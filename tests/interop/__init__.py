"""Public POETS applications, run where a folder of checkouts is at hand."""
