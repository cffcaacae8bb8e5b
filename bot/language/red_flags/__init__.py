"""Red flags: what in a message means danger, how great, and why."""

from bot.language.red_flags.lexicon import LexiconError
from bot.language.red_flags.own_texts import fingerprint
from bot.language.red_flags.reader import Lexicon

__all__ = ["Lexicon", "LexiconError", "fingerprint"]
