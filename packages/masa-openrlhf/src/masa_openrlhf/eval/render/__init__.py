"""Results as tables in a terminal, in a page, and in the docs."""
