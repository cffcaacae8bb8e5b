"""Complaints, praise and suggestions."""
