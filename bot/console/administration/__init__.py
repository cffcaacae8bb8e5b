"""Rosters, imports, health, audit."""
