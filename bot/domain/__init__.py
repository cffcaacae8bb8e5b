"""Our words, as frozen values. Knows nothing else of ours."""
