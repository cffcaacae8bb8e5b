"""Turns episodes into contacts, and contacts into letters when their time has come."""
