"""Chinese text to meaning: deterministic, no network, milliseconds."""
