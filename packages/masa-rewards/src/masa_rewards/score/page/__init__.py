"""A report as a page with figures, in one file that needs no network and runs no script."""
