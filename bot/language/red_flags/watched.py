"""A hospital's own lexicon: read again while the house runs, as soon as its files have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bot.language.meaning import Urgency
from bot.language.red_flags.lexicon import LexiconError
from bot.language.red_flags.reader import Lexicon

PROOF: Final = "我喘不上气了，嘴唇发紫"  # whatever a hospital's own lexicon says, it must know this
Stamp = tuple[tuple[str, int, int], ...]


class WatchedLexicon:
    """The lexicon in a folder. Raises `LexiconError` naming the entry when it must not be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = self._seen = _stamp(folder)
        self.lexicon = proven(folder)

    def changed(self) -> Lexicon | None:
        """The lexicon anew when its files have changed and have come to rest; else None.

        Raises:
            LexiconError: the change must not be used. It is raised once; the lexicon read before stays.
        """
        before, self._seen = self._seen, _stamp(self._folder)
        if self._seen in (self._read, ()) or self._seen != before:
            return None  # nothing new, the folder is being replaced, or somebody is still writing
        self._read = self._seen
        self.lexicon = proven(self._folder)
        return self.lexicon


def proven(folder: Path) -> Lexicon:
    """The lexicon in *folder*. Raises `LexiconError` when it is wrong, or blind to a plain emergency."""
    lexicon = Lexicon.load(folder)
    if lexicon.read(PROOF).urgency is not Urgency.EMERGENCY:
        raise LexiconError(f"it does not take {PROOF} for an emergency")
    return lexicon


def _stamp(folder: Path) -> Stamp:
    """What tells one state of the files from another."""
    try:
        return tuple(
            (file.name, stat.st_mtime_ns, stat.st_size)
            for file in sorted(folder.glob("*.toml"))
            if (stat := file.stat())
        )
    except OSError:  # a file went away under our hands
        return ()
