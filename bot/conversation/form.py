"""A form: a topic patients can bring up, its questions, and what is settled so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from bot.conversation.turn import Turn

if TYPE_CHECKING:
    from bot.conversation.talk import Talk


class NoDraft(msgspec.Struct, frozen=True):
    """For topics that settle nothing."""


D = TypeVar("D", bound=msgspec.Struct)
Step = Callable[[Any, "Talk", Any], Turn]


def step(name: str, *, story: bool = False) -> Callable[[Step], Step]:
    """Mark the method that reads the answer to the question called `name`.

    `story`: any words answer it ("what happened?"), so only a plain question to the hospital is taken for
    something else.
    """

    def mark(method: Step) -> Step:
        method.step_name = name  # type: ignore[attr-defined]
        method.story = story  # type: ignore[attr-defined]
        return method

    return mark


class Form(Generic[D]):
    """One topic. The object holds no conversation: the step and the draft are rows.

    A new topic is one file here in `bot/handlers/`, its templates, and a line in `HANDLERS`.
    """

    name: ClassVar[str]
    draft: ClassVar[type[msgspec.Struct]] = NoDraft
    intents: ClassVar[frozenset[str]] = frozenset()  # which wants start it
    words: ClassVar[frozenset[str]] = frozenset()  # which exact texts or menu keys start it
    anywhere: ClassVar[bool] = False  # its exact words work inside any other form too
    silent: ClassVar[bool] = (
        False  # its exact words take effect while a nurse has the conversation, unanswered
    )
    digression: ClassVar[bool] = False  # a passing question: answered inside another form, which then goes on
    gives_way: ClassVar[bool] = (
        False  # what does not answer its question is read as if nothing had been asked
    )
    media: ClassVar[bool] = False  # takes pictures as answers; elsewhere they go to a nurse
    personal: ClassVar[bool] = False  # about a patient: who it is must be settled first
    names_others: ClassVar[bool] = False  # whom a message names is not whom it is about: 送积分给我妈
    level: ClassVar[int] = 0  # how surely we must know who is speaking (safety.md §5.3)
    steps: ClassVar[dict[str, Step]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.steps = dict(cls.steps)
        for value in vars(cls).values():
            if name := getattr(value, "step_name", None):
                cls.steps[name] = value

    def opens(self, talk: Talk) -> bool:
        """Whether the message begins this topic by its shape ("绑定 张三 13800000001"), whatever its intent."""
        return False

    def read(self, talk: Talk, draft: D) -> D:
        """Keep what the opening message says, before it is asked for whom it is or who is speaking."""
        return draft

    def begin(self, talk: Talk, draft: D) -> Turn:
        """Answer the message that brought the topic up. `draft` is empty, or what a caller knew already."""
        raise NotImplementedError

    def answer(self, talk: Talk, name: str, draft: D) -> Turn:
        """Answer the message that came while the question `name` was open."""
        return type(self).steps[name](self, talk, draft)

    def outlived(self, talk: Talk, draft: D) -> bool:
        """Whether its open question is not wanted any more, and must not be put again after a digression."""
        return False

    def tells_a_story(self, name: str) -> bool:
        """Whether any words answer the question `name`."""
        return bool(getattr(type(self).steps.get(name), "story", False))

    def passing(self, talk: Talk) -> bool:
        """Whether the message is plainly a passing question to this form, though any words were an answer."""
        return False

    def correct(self, talk: Talk, name: str, draft: D) -> Turn | None:
        """Read "不是周三，是周四" or "换个医生": an earlier answer taken back. None: it is not that."""
        return None

    def keeps(self, name: str, word: str) -> bool:
        """Whether 取消, or a word that is another topic's, is an answer to the question `name`."""
        return False

    def summary(self, draft: D) -> dict[str, str]:
        """What is settled, as a nurse reads it when the conversation is handed over."""
        return {
            name: str(value)
            for name, value in msgspec.structs.asdict(draft).items()
            if value not in (None, "", (), [])
        }
