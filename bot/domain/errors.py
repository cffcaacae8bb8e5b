"""What can go wrong between us and a platform, and whether trying again helps."""

from __future__ import annotations


class PushRefused(Exception):
    """A webhook call that is not, or not provably, from the platform. Nothing of it is kept.

    `reason` is a word for the metric, never a hint for the caller.
    """

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
