"""Finding words in sealed texts: every two neighbouring characters leave a keyed fingerprint beside the conversation.

Two characters are the usual length of a Chinese word, so no dictionary is needed, and both databases do it alike.
The fingerprints say which conversations to open; the texts themselves decide.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.dialect import lock_name
from storage.queries import console_inbox as rows
from storage.queries import cursors
from storage.rows import Row
from storage.types import Seal

CURSOR = "console/search"
BATCH = 500
SETTLED = timedelta(seconds=10)


def plain(text: str) -> str:
    """How texts are compared: compatibility forms folded, lower case, only letters and digits."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(char for char in folded if char.isalnum())


def grams(text: str) -> set[int]:
    """The fingerprints of a text."""
    letters = plain(text)
    return {_fingerprint(letters[at : at + 2]) for at in range(len(letters) - 1)}


def _fingerprint(pair: str) -> int:
    """63 bits, so that it fits a signed column."""
    return int(Seal.index(f"gram:{pair}")[:16], 16) >> 1


def waits(db: sa.Connection, now: datetime) -> bool:
    """Whether there is anything to index."""
    return bool(rows.unindexed(db, int(cursors.read(db, CURSOR) or 0), now - SETTLED, 1))


def index(db: sa.Connection, now: datetime) -> int:
    """Index the messages that are not yet; how many there were (at most a batch).

    The youngest wait: numbers are given out before transactions end, and none may be passed over.
    """
    lock_name(db, CURSOR)
    after = int(cursors.read(db, CURSOR) or 0)
    found = rows.unindexed(db, after, now - SETTLED, BATCH)
    if not found:
        return 0
    pairs = {(gram, row.contact_id) for row in found if row.text for gram in grams(row.text)}
    rows.index(db, [{"gram": gram, "contact_id": contact} for gram, contact in sorted(pairs)])
    cursors.move(db, CURSOR, str(found[-1].id))
    return len(found)


def contacts_with(db: sa.Connection, words: str) -> list[int]:
    """Conversations in which these words stand, as far as they are indexed."""
    return sorted({row.contact_id for row in messages_with(db, words)})


def messages_with(db: sa.Connection, words: str) -> list[Row]:
    """The messages in which these words stand, the newest first."""
    wanted = plain(words)
    if len(wanted) < 2:
        return []
    ids = rows.contacts_with(db, sorted(grams(words)))
    return [row for row in rows.messages_with_text(db, ids) if wanted in plain(row.text or "")] if ids else []
