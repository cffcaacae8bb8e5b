"""The whole life of one inbound message: written down, understood, answered, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from bot.conversation import danger, followup, frames, people, queue
from bot.conversation.dialogue import AnyForm, Dialogue, Forms, Outcome
from bot.conversation.knowledge import Knowledge, read_knowledge
from bot.conversation.life import CANCEL, END, NOTICE_EVERY, QUEUE_NOTICE_EVERY, SILENCE
from bot.conversation.reading import Reading
from bot.conversation.said import Said, plain
from bot.conversation.talk import Talk
from bot.conversation.turn import HandOver, all_words
from bot.conversation.writer import Writer, look_up
from bot.domain.inbound import Inbound, Reply
from bot.domain.language import Language
from bot.domain.letter import Letter, Purpose
from bot.domain.words import Say, say
from bot.language.meaning import Urgency
from bot.language.normalise import language_after
from bot.language.red_flags import Lexicon
from bot.outbox import deliveries, letters, masses
from bot.outbox.split import split
from bot.outbox.wording import Wording
from storage.queries import alerts, conversations
from storage.rows import Row

PASSIVE_LIMIT = 2048  # bytes of a passive text reply (platform.md §1.8)
EMERGENCY = "red_flag/emergency"
READABLE = frozenset({"text"})
# What a nurse is told to look at, with a word to the patient. Anything newer is shown to her in silence.
MEDIA = frozenset(
    {"image", "voice", "video", "shortvideo", "location", "link", "file", "miniprogram", "miniprogrampage"}
)


class Reception:
    """Receives what patients send."""

    def __init__(
        self,
        forms: Sequence[AnyForm],
        *,
        wording: Wording,
        zone: ZoneInfo,
        public_url: str = "",
        sms: bool = True,
        lexicon: Lexicon | None = None,
        examples: Path | None = None,
    ) -> None:
        self.forms = Forms(forms)
        self.wording = wording
        self.zone = zone
        self.public_url = public_url
        self.sms = sms
        self._lexicon = lexicon  # the hospital's own, as its clinician signed it
        self._examples = examples  # of the hospital's own words
        self._learn(Knowledge())

    def _learn(self, knowledge: Knowledge) -> None:
        """Take in what the hospital said about itself."""
        self.knowledge = knowledge
        self.wording.hospital = knowledge.facts
        self.reading = Reading(knowledge, self.wording, lexicon=self._lexicon, examples=self._examples)

    def reworded(self) -> None:
        """Our texts changed: patients forward the new ones to each other now, and these raise no alarm."""
        self._learn(self.knowledge)

    def signs_changed(self, lexicon: Lexicon) -> None:
        """The hospital's clinician signed another lexicon: the next message is read with it."""
        self._lexicon = lexicon
        self._learn(self.knowledge)

    def receive(self, db: sa.Connection, inbound: Inbound, now: datetime, *, owe: bool = False) -> Reply:
        """Answer one message or event. A retry gets the answer it got the first time.

        Where there is no passive reply the answer is owed: it becomes a letter, in the same transaction.
        """
        return self.receive_all(db, [inbound], now, owe=owe)[0]

    def receive_all(
        self, db: sa.Connection, inbounds: Sequence[Inbound], now: datetime, *, owe: bool = False
    ) -> list[Reply]:
        """Answer messages and events of different users in one transaction.

        Raises:
            Crossed: they concern each other, and must be received one by one.
        """
        rows = _threads(db, inbounds, now)
        if (rows[0].revision or "") != self.knowledge.revision:
            self._learn(read_knowledge(db))
        numbers = conversations.keep_inbound(
            db, [_inbound_row(inbound, row.id, now) for inbound, row in zip(inbounds, rows, strict=True)]
        )
        if not numbers:
            return [_earlier_reply(db, inbound) for inbound in inbounds]
        local = now.astimezone(self.zone)
        writers = look_up(db, rows, now, local, before=min(numbers.values()))
        talks: list[Talk] = []
        replies: list[Reply] = []
        kept: list[dict[str, Any]] = []
        with conversations.in_hand(db, [row.id for row in rows] if len(rows) > 1 else ()):
            for inbound, row in zip(inbounds, rows, strict=True):
                number = numbers.get((inbound.account, inbound.key))
                if number is None:
                    replies.append(_earlier_reply(db, inbound))
                    continue
                talk = self._talk(db, writers[row.id], inbound, number, now)
                reply = self._answer(talk, row)
                if reply and owe:
                    _owe_reply(talk, reply)
                elif reply:
                    reply = _passive(talk, reply)
                    kept.append(_reply_row(talk, reply))
                talks.append(talk)
                replies.append(reply)
        conversations.move_all(db, {talk.contact.id: talk.moved for talk in talks})
        conversations.change_contacts(db, {talk.contact.id: talk.learned for talk in talks})
        conversations.keep_outbound(db, kept)
        return replies

    def receive_late(self, db: sa.Connection, inbound: Inbound, now: datetime, read: str) -> None:
        """Receive a message whose passive reply was forfeited: the answer follows as a letter, once.

        `read` is what the patient was told meanwhile; it is not said twice.
        """
        reply = self.receive(db, inbound, now)
        text = "\n".join(
            filter(None, [reply.text, *(f"{article.title}\n{article.url}" for article in reply.articles)])
        )
        row = conversations.thread(db, inbound.account, inbound.openid)
        if row is None or not text or text == read:
            return
        letter = Letter(
            key=f"late:{inbound.account}:{inbound.key}",
            purpose=Purpose.TRANSACTION,
            text=text,
            not_before=now,
            contact_id=row.id,
        )
        letters.put(db, letter, now)

    def _talk(
        self, db: sa.Connection, writer: Writer, inbound: Inbound, message_id: int, now: datetime
    ) -> Talk:
        meaning = self.reading.read(db, inbound.words, now.astimezone(self.zone), writer)
        written_in = writer.contact.language
        if inbound.type == "text":
            written_in = language_after(inbound.text, written_in)
        return Talk(
            db=db,
            now=now,
            zone=self.zone,
            inbound=inbound,
            message_id=message_id,
            contact=writer.contact,
            bindings=writer.bindings,
            said=Said(text=inbound.text, meaning=meaning, type=inbound.type, tapped=inbound.choice),
            language=people.language_for(writer.bindings, written_in),
            knowledge=self.knowledge,
            wording=self.wording,
            public_url=self.public_url,
            sms=self.sms,
            state=dict(writer.row._mapping),
        )

    def alarm_words(self, text: str) -> str:
        """What a patient in danger must read even when the database is away; empty: nothing urgent."""
        flags = self.reading.plainly(text, datetime.now(self.zone)).red_flags
        if flags.urgency not in (Urgency.EMERGENCY, Urgency.URGENT):
            return ""
        return self.wording.text(danger.words(flags), Language.SIMPLIFIED)

    # Who speaks now

    def _answer(self, talk: Talk, row: Row) -> Reply:
        if talk.inbound.is_event:
            return self._event(talk, row)
        talk.moved["spoke_at"] = talk.now
        if talk.contact.language != talk.language or not row.followed:
            talk.learned.update(language=talk.language.value, followed=True)
        if talk.said.type not in READABLE | MEDIA:
            danger.media(talk)
            return Reply()
        warning = danger.answer(talk, talk.said.meaning.red_flags)
        urgency = talk.said.meaning.red_flags.urgency
        if warning and (
            urgency == Urgency.EMERGENCY or (urgency == Urgency.URGENT and not self._asks(talk, row))
        ):
            if row.owner == "bot":
                kept = followup.overtaken(talk.db, frames.load(row.forms), talk.said.text, talk.now)
                talk.moved["forms"] = frames.keep(kept)
            return self._reply(talk, Outcome(words=[warning]), alone=urgency == Urgency.EMERGENCY)
        if row.owner != "bot":
            outcome = self._between(talk, row)
            if warning:
                outcome.words.insert(0, warning)
        else:
            outcome = self._converse(talk, row, warning)
        if outcome.hand_over is not None:
            self._hand_over(talk, outcome.hand_over, outcome)
        talk.moved["forms"] = frames.keep(outcome.frames)
        return self._reply(talk, outcome)

    def _converse(self, talk: Talk, row: Row, warning: Say | None) -> Outcome:
        open_frames = [one for one in frames.load(row.forms) if one.until is None or one.until > talk.now]
        silent = row.spoke_at is not None and talk.now - row.spoke_at > SILENCE
        living = [one for one in open_frames if one.until is not None or not silent]
        late = len(living) < len(open_frames)
        dialogue = Dialogue(self.forms, talk, living)
        if talk.said.type not in READABLE and not (talk.said.type == "image" and dialogue.takes_pictures):
            outcome = dialogue.begin("media")
        elif self._asks(talk, row):
            outcome = dialogue.begin("safety_check", **danger.doubt(talk, talk.said.meaning.red_flags))
        else:
            outcome = dialogue.take()
        if warning:
            outcome.words.insert(0, warning)
        if late:
            outcome.words.insert(0, say("common/timed_out"))
        return outcome

    @staticmethod
    def _asks(talk: Talk, row: Row) -> bool:
        """Whether to ask if it is happening now. A nurse who has the conversation asks herself.

        What a nurse looks at today anyway is not asked about: the message may want something else, too.
        """
        flags = talk.said.meaning.red_flags
        return flags.ask and flags.urgency != Urgency.SAME_DAY and row.owner == "bot"

    def _between(self, talk: Talk, row: Row) -> Outcome:
        """A nurse was asked for, or has taken over: the bot is silent, but for a few words."""
        word = talk.said.plain
        if word in END or (word in CANCEL and row.owner == "waiting"):
            talk.moved.update(owner="bot", nurse="", waiting_since=None, queue_notice_at=None, handover=None)
            return Outcome(words=[say("person/ended")])
        if (form := self.forms.by_word.get(word)) and form.silent:
            Dialogue(self.forms, talk, []).begin(form.name)  # the law does not wait for the nurse
        if talk.said.type not in READABLE:
            danger.media(talk)
        if row.owner == "waiting" and (
            row.queue_notice_at is None or talk.now - row.queue_notice_at >= QUEUE_NOTICE_EVERY
        ):
            talk.moved["queue_notice_at"] = talk.now
            return Outcome(
                words=[queue.still_waiting(talk.db, talk.now, talk.contact.id)], frames=frames.load(row.forms)
            )
        return Outcome(frames=frames.load(row.forms))

    def _hand_over(self, talk: Talk, hand_over: HandOver, outcome: Outcome) -> None:
        outcome.words += all_words(hand_over.words) or (queue.joined(talk.db, talk.now, talk.contact.id),)
        talk.moved.update(
            owner="waiting",
            waiting_since=talk.now,
            queue_notice_at=talk.now,
            handover={
                "reason": hand_over.reason,
                "slots": hand_over.slots,
                "said": talk.said.text,
                "frames": frames.keep(outcome.left),
            },
        )
        alerts.add_task(
            talk.db,
            {
                "at": talk.now,
                "key": f"handoff:{talk.message_id}",
                "contact_id": talk.contact.id,
                "patient_code": talk.patient.code if talk.patient else None,
                "kind": "handoff",
                "reason": hand_over.reason,
                "status": "open",
            },
        )

    # Events

    def _event(self, talk: Talk, row: Row) -> Reply:
        event = talk.inbound.event
        if event == "unsubscribe":
            talk.learned["followed"] = False
            return Reply()
        if event == "TEMPLATESENDJOBFINISH":
            number, status = str(talk.inbound.payload.get("MsgID")), str(talk.inbound.payload.get("Status"))
            deliveries.finished(talk.db, number, status, talk.now, contact=talk.contact)
            return Reply()
        if event == "msg_send_fail":
            msgid, why = (
                str(talk.inbound.payload.get("fail_msgid")),
                str(talk.inbound.payload.get("fail_type")),
            )
            deliveries.refused(talk.db, msgid, why, talk.now, contact=talk.contact)
            return Reply()
        if event == "MASSSENDJOBFINISH":
            _mass_finished(talk)
            return Reply()
        if event in ("subscribe", "enter_session"):
            talk.learned["followed"] = True
            return self._reply(talk, self._begin(talk, row, "welcome"))
        if event.lower() == "click" and row.owner == "bot":
            form = self.forms.by_word.get(plain(talk.inbound.choice))
            return self._reply(talk, self._begin(talk, row, form.name if form else "menu"))
        return Reply()

    def _begin(self, talk: Talk, row: Row, name: str) -> Outcome:
        outcome = Dialogue(self.forms, talk, frames.load(row.forms)).begin(name)
        talk.moved["forms"] = frames.keep(outcome.frames)
        return outcome

    # The words that go back

    def _reply(self, talk: Talk, outcome: Outcome, *, alone: bool = False) -> Reply:
        if not outcome.words:
            return Reply()
        parts = [talk.text(words) for words in outcome.words]
        # An emergency that an answer told of is as much alone as one that was written out.
        alone = alone or any(words.template == EMERGENCY for words in outcome.words)
        if outcome.choices:
            parts.append("\n".join(f"{number} {one.label}" for number, one in enumerate(outcome.choices, 1)))
        if not alone:
            parts.append(talk.text(say("common/automatic")))
            noticed = talk.contact.noticed_at
            if noticed is None or talk.now - noticed >= NOTICE_EVERY:
                parts.insert(0, talk.text(say("common/notice")))
                talk.learned["noticed_at"] = talk.now
        return Reply(text="\n".join(part for part in parts if part))


def _mass_finished(talk: Talk) -> None:
    """It speaks of a call of ours to many, not of whoever it comes from."""
    payload = talk.inbound.payload
    names = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    counts = {name: int(payload[name]) for name in names if str(payload.get(name, "")).isdigit()}
    number, status = str(payload.get("MsgID")), str(payload.get("Status"))
    masses.finished(talk.db, talk.inbound.account, number, status, counts, talk.now)


def _threads(db: sa.Connection, inbounds: Sequence[Inbound], now: datetime) -> list[Row]:
    """The conversation of each message; of who never wrote, a new one."""
    names = [(inbound.account, inbound.openid) for inbound in inbounds]
    known = conversations.threads(db, names)
    newcomers = [
        {
            "account": inbound.account,
            "openid": inbound.openid,
            "created_at": now,
            "unionid": inbound.unionid or None,
            "source": _scene(inbound),
        }
        for inbound, name in zip(inbounds, names, strict=True)
        if name not in known
    ]
    if newcomers:
        known |= conversations.open_threads(db, newcomers)
    return [known[name] for name in names]


def _earlier_reply(db: sa.Connection, inbound: Inbound) -> Reply:
    earlier = conversations.earlier_reply(db, inbound.account, inbound.key)
    return msgspec.convert(earlier, Reply) if earlier else Reply()


def _scene(inbound: Inbound) -> str:
    """The QR code that brought a new follower."""
    return inbound.choice.removeprefix("qrscene_") if inbound.event == "subscribe" else ""


def _inbound_row(inbound: Inbound, contact_id: int, now: datetime) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "account": inbound.account,
        "key": inbound.key,
        "at": now,
        "written_at": inbound.written_at,
        "type": inbound.type,
        "channel": inbound.account.partition("/")[0],
        "author": "patient",
        "text": inbound.text or None,
        "payload": dict(inbound.payload) or None,
    }


def _passive(talk: Talk, reply: Reply) -> Reply:
    """What fits into a passive reply; the rest follows as letters."""
    first, *rest = split(reply.text, PASSIVE_LIMIT) if reply.text else ("",)
    for number, text in enumerate(rest, 1):
        letter = Letter(
            key=f"rest:{talk.message_id}:{number}",
            purpose=Purpose.TRANSACTION,
            text=text,
            not_before=talk.now,
            contact_id=talk.contact.id,
        )
        letters.put(talk.db, letter, talk.now)
    return replace(reply, text=first)


def _owe_reply(talk: Talk, reply: Reply) -> None:
    urgent = talk.said.meaning.red_flags.urgency in (Urgency.EMERGENCY, Urgency.URGENT)
    letter = Letter(
        key=f"answer:{talk.message_id}",
        purpose=Purpose.ALARM if urgent else Purpose.TRANSACTION,
        text=reply.text,
        not_before=talk.now,
        contact_id=talk.contact.id,
    )
    letters.put(talk.db, letter, talk.now)


def _reply_row(talk: Talk, reply: Reply) -> dict[str, Any]:
    return {
        "contact_id": talk.contact.id,
        "account": talk.inbound.account,
        "key": f"re:{talk.inbound.key}",
        "at": talk.now,
        "type": "text" if reply.text else "news" if reply.articles else "image",
        "channel": "passive",
        "author": "bot",
        "patient_code": talk.patient.code if talk.patient else None,
        "text": reply.text,
        "payload": msgspec.to_builtins(reply),
    }
