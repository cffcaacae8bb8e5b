"""I am not happy: told once, numbered, promised a day; followed, added to, answered, reopened."""

from __future__ import annotations

import msgspec

from bot.conversation.form import Form, NoDraft, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Turn
from bot.domain.words import Say, say
from bot.hospital import complaints
from storage.queries import tickets

SKIP = frozenset({"跳过", "不清楚", "不知道", "没有", "无", "skip", "none", "no idea", "唔知"})
OPENERS = frozenset(
    {"投诉", "我要投诉", "投诉你们", "我想投诉", "complain", "complaint", "意见", "提意见", "投诉建议"}
)
MORE = frozenset({"补充", "补充投诉", "补充一下", "再补充", "add"})
ENOUGH = 6  # characters from which an opening sentence already tells what happened


class Account(msgspec.Struct, frozen=True):
    """What the patient told, in their own words."""

    what: str = ""
    details: str = ""  # where, when, who
    wish: str = ""
    pictures: tuple[str, ...] = ()  # media IDs
    severity: str = ""
    emotion: str = ""
    kind: str = "complaint"


class Complaint(Form[Account]):
    """投诉: what happened, where and when and who, what would help; then it is registered."""

    name = "complaint"
    draft = Account
    intents = frozenset({"complaint"})
    words = OPENERS
    media = True

    def keeps(self, name: str, word: str) -> bool:
        """补充 before it is sent in is more of the story."""
        return word in MORE

    def begin(self, talk: Talk, draft: Account) -> Turn:
        told = talk.said.plain not in OPENERS and len(talk.said.plain) >= ENOUGH
        if told and talk.said.meaning.is_complaint:
            return self._told(talk, draft, talk.said.text)
        return Ask("what", draft, say("complaint/what"))

    @step("what", story=True)
    def what(self, talk: Talk, draft: Account) -> Turn:
        if picture := _picture(talk):
            return Ask("what", _with(draft, picture), say("complaint/picture_then_what"))
        if not _tells(talk) or (talk.elsewhere and not talk.said.meaning.is_complaint):
            return Again()
        return self._told(talk, draft, talk.said.text)

    def _told(self, talk: Talk, draft: Account, text: str) -> Turn:
        meaning = talk.said.meaning
        draft = msgspec.structs.replace(
            draft, what=text, severity=meaning.severity or "C3", emotion=meaning.emotion or ""
        )
        return Ask("details", draft, say("complaint/details"))

    @step("details", story=True)
    def details(self, talk: Talk, draft: Account) -> Turn:
        if picture := _picture(talk):
            return Ask("details", _with(draft, picture), say("complaint/details"))
        if not _tells(talk):
            return Again()
        draft = msgspec.structs.replace(draft, details=_answer(talk), severity=_graver(draft, talk))
        return Ask("wish", draft, say("complaint/wish"))

    @step("wish", story=True)
    def wish(self, talk: Talk, draft: Account) -> Turn:
        if picture := _picture(talk):
            return Ask("wish", _with(draft, picture), say("complaint/wish"))
        if not _tells(talk):
            return Again()
        draft = msgspec.structs.replace(draft, wish=_answer(talk), severity=_graver(draft, talk))
        return self._confirm(talk, draft)

    def _confirm(self, talk: Talk, draft: Account) -> Turn:
        choices = (
            Choice(
                "yes", talk.text(say("complaint/submit")), ("是", "确认", "提交", "好的", "yes", "submit")
            ),
            Choice("no", talk.text(say("complaint/rewrite")), ("否", "不", "重写", "重新说", "no")),
        )
        facts = {
            "what": draft.what,
            "details": draft.details,
            "wish": draft.wish,
            "pictures": len(draft.pictures),
        }
        return Ask("confirm", draft, say("complaint/confirm", **facts), choices)

    @step("confirm", story=True)
    def confirm(self, talk: Talk, draft: Account) -> Turn:
        if picture := _picture(talk):
            return self._confirm(talk, _with(draft, picture))
        if talk.said.choice == "no" or talk.said.no:
            return Ask("what", Account(pictures=draft.pictures), say("complaint/what"))
        if talk.said.choice == "yes" or talk.said.yes:
            return Done(_registered(talk, draft))
        if talk.said.plain in MORE:
            return Ask("more", draft, say("complaint/add"))
        if talk.elsewhere and not talk.said.meaning.is_complaint:
            return Again()
        if len(talk.said.plain) >= ENOUGH:  # more of the story is no answer, and must not be lost
            return self._more(talk, draft)
        return Again()

    @step("more", story=True)
    def more(self, talk: Talk, draft: Account) -> Turn:
        if picture := _picture(talk):
            return self._confirm(talk, _with(draft, picture))
        return self._more(talk, draft) if _tells(talk) else Again()

    def _more(self, talk: Talk, draft: Account) -> Turn:
        more = msgspec.structs.replace(
            draft, what=f"{draft.what}\n{talk.said.text}", severity=_graver(draft, talk)
        )
        return self._confirm(talk, more)


class Praise(Form[Account]):
    """表扬: who did well, and what."""

    name = "praise"
    draft = Account
    intents = frozenset({"praise"})
    words = frozenset({"表扬", "我要表扬", "点赞", "感谢信", "praise"})

    def begin(self, talk: Talk, draft: Account) -> Turn:
        if talk.said.plain not in self.words and len(talk.said.plain) >= ENOUGH:
            return Done(_registered(talk, Account(what=talk.said.text, kind="praise", severity="C4")))
        return Ask("what", Account(kind="praise"), say("complaint/praise"))

    @step("what", story=True)
    def what(self, talk: Talk, draft: Account) -> Turn:
        if not talk.said.text.strip():
            return Again()
        return Done(_registered(talk, Account(what=talk.said.text, kind="praise", severity="C4")))


class Progress(Form[NoDraft]):
    """投诉进度."""

    name = "complaint_progress"
    words = frozenset(
        {"投诉进度", "查投诉", "投诉进展", "投诉结果", "complaint status", "complaint progress"}
    )

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        found = tickets.open_complaints(talk.db, talk.contact.id)
        if not found and (latest := tickets.latest_complaint(talk.db, talk.contact.id)):
            found = [latest]
        if not found:
            return Done(say("complaint/none"))
        return Done(
            [
                say("complaint/progress", number=row.number, status=row.status, due=row.due)
                for row in found[:3]
            ]
        )


class Addition(Form[NoDraft]):
    """补充: more to the open complaint."""

    name = "complaint_addition"
    words = MORE
    media = True

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        if not tickets.open_complaints(talk.db, talk.contact.id):
            return Start(form="complaint", words=say("complaint/nothing_open"))
        return Ask("text", draft, say("complaint/add"))

    @step("text", story=True)
    def text(self, talk: Talk, draft: NoDraft) -> Turn:
        added = _picture(talk) or talk.said.text.strip()
        found = tickets.open_complaints(talk.db, talk.contact.id)
        if not added or not found:
            return Again()
        kind = "picture" if _picture(talk) else "addition"
        tickets.add_entry(talk.db, found[0].id, talk.now, kind, "patient", added)
        return Done(say("complaint/added", number=found[0].number))


class Content(Form[NoDraft]):
    """满意: the patient accepts the hospital's answer."""

    name = "complaint_accept"
    words = frozenset({"满意", "satisfied"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        ticket = tickets.latest_complaint(talk.db, talk.contact.id)
        if ticket is None or ticket.status != "replied":
            return Done(say("complaint/glad"))
        complaints.accept(talk.db, talk.now, ticket)
        return Done(say("complaint/accepted", number=ticket.number))


class Disputed(Form[NoDraft]):
    """不满意: the answer does not help; somebody looks again."""

    name = "complaint_dispute"
    words = frozenset({"不满意", "not satisfied", "unsatisfied"})

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        ticket = tickets.latest_complaint(talk.db, talk.contact.id)
        if ticket is None or ticket.status not in ("replied", "accepted"):
            return Start(form="complaint")
        complaints.reopen(talk.db, talk.now, ticket)
        return Ask("why", draft, say("complaint/reopened", number=ticket.number))

    @step("why", story=True)
    def why(self, talk: Talk, draft: NoDraft) -> Turn:
        found = tickets.open_complaints(talk.db, talk.contact.id)
        if found and talk.said.plain not in SKIP:
            tickets.add_entry(talk.db, found[0].id, talk.now, "addition", "patient", talk.said.text)
        return Done(say("complaint/noted"))


def _tells(talk: Talk) -> bool:
    """Whether there are words in it: a number alone answers no question that any words answer."""
    return any(char.isalpha() for char in talk.said.text)


def _picture(talk: Talk) -> str:
    """The media ID of a picture; empty for words."""
    return str(talk.inbound.payload.get("MediaId", "")) if talk.said.type != "text" else ""


def _with(draft: Account, picture: str) -> Account:
    return msgspec.structs.replace(draft, pictures=(*draft.pictures, picture))


def _answer(talk: Talk) -> str:
    return "" if talk.said.plain in SKIP else talk.said.text


def _graver(draft: Account, talk: Talk) -> str:
    """A later sentence may raise the severity; only a person lowers it (safety.md §4.2)."""
    found = talk.said.meaning.severity
    return min(draft.severity or "C3", found) if found else draft.severity


def _registered(talk: Talk, draft: Account) -> Say:
    own = [one for one in talk.bindings if one.relation == "self"]
    number, due = complaints.register(
        talk.db,
        talk.now,
        talk.zone,
        kind=draft.kind,
        contact_id=talk.contact.id,
        patient_code=own[0].patient.code if own else None,
        severity=draft.severity,
        emotion=draft.emotion,
        account={"what": draft.what, "details": draft.details, "wish": draft.wish},
        pictures=draft.pictures,
    )
    if draft.kind == "praise":
        return say("complaint/praise_registered", number=number)
    return say("complaint/registered", number=number, due=due)
