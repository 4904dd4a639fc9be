"""From answers to results: records, metrics, comparisons."""
