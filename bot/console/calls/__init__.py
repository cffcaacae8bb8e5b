"""Whom to telephone, what to ask, and what came of it."""
