"""Points: how many, what for, and giving them to somebody."""

from __future__ import annotations

import re

import msgspec

from bot.conversation import offers
from bot.conversation.form import Form, NoDraft, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Turn
from bot.domain.language import Language
from bot.domain.phone import normal_phone
from bot.domain.words import Say, say
from bot.hospital import loyalty, points
from storage.queries import conversations
from storage.queries import loyalty as ledger
from storage.rows import Row
from storage.types import Seal

LINES = 5  # of the ledger, shown with the balance
_GIVE = re.compile(r"(送|转|赠).{0,6}积分|积分.{0,6}(送|转|赠)给?|give .*points", re.IGNORECASE)
_AMOUNT = re.compile(r"(?<!\d)(\d{1,9})(?!\d)")
_PHONE = re.compile(r"\+?\d[\d\- ]{6,16}\d")


class PointsBalance(Form[NoDraft]):
    """积分查询: the balance and the last lines of the ledger."""

    name = "points_balance"
    intents = frozenset({"points.balance"})
    words = frozenset({"积分", "查积分", "积分查询", "我的积分", "points"})
    personal = True
    level = 1

    def begin(self, talk: Talk, draft: NoDraft) -> Turn:
        assert talk.patient is not None
        code = talk.patient.code
        balance, reserved = points.balance(talk.db, code), ledger.reserved(talk.db, code)
        lines = [
            {"at": row.at.isoformat(), "change": f"{row.change:+d}", "reason": row.reason}
            for row in ledger.newest_entries(talk.db, code, LINES)
        ]
        return Done(say("points/balance", balance=balance, reserved=reserved, lines=lines))


class Gift(msgspec.Struct, frozen=True):
    """The gift that was chosen."""

    code: str = ""


class PointsRedeem(Form[Gift]):
    """积分兑换: what there is, which one, are you sure."""

    name = "points_redeem"
    draft = Gift
    intents = frozenset({"points.redeem"})
    words = frozenset({"兑换", "积分兑换", "礼品", "兑换礼品", "积分商城", "redeem"})
    personal = True
    level = 2

    def read(self, talk: Talk, draft: Gift) -> Gift:
        named = [gift.code for gift in ledger.gifts_in_stock(talk.db) if gift.name in talk.said.text]
        return Gift(named[0]) if len(named) == 1 else draft

    def begin(self, talk: Talk, draft: Gift) -> Turn:
        assert talk.patient is not None
        gifts = ledger.gifts_in_stock(talk.db)
        if not gifts:
            return Done(say("points/no_gifts"))
        if draft.code:
            return self._confirm(talk, draft.code)
        available = loyalty.available(talk.db, talk.patient.code)
        choices = [Choice(gift.code, talk.text(_gift_words(gift)), (gift.name,)) for gift in gifts[:9]]
        return Ask("which", draft, say("points/which_gift", balance=available), choices)

    @step("which")
    def which(self, talk: Talk, draft: Gift) -> Turn:
        return self._confirm(talk, talk.said.choice) if talk.said.choice else Again()

    def _confirm(self, talk: Talk, code: str) -> Turn:
        assert talk.patient is not None
        gift = next((one for one in ledger.gifts_in_stock(talk.db) if one.code == code), None)
        if gift is None:
            return Done(say("points/out_of_stock"))
        available = loyalty.available(talk.db, talk.patient.code)
        if available < gift.points:
            return Done(say("points/not_enough", balance=available, needed=gift.points))
        question = say("points/confirm_gift", name=gift.name, points=gift.points, cash=_yuan(gift.cash_cents))
        return Ask("confirm", Gift(code), question)

    @step("confirm")
    def confirm(self, talk: Talk, draft: Gift) -> Turn:
        assert talk.patient is not None
        if talk.said.no:
            return Done(say("points/not_redeemed"))
        if not talk.said.yes:
            return Again()
        try:
            number, gift = loyalty.redeem(talk.db, talk.now, talk.patient.code, draft.code)
        except loyalty.OutOfStock:
            return Done(say("points/out_of_stock"))
        except points.NotEnoughPoints:
            balance = loyalty.available(talk.db, talk.patient.code)
            return Done(say("points/not_enough", balance=balance, needed=0))
        balance = loyalty.available(talk.db, talk.patient.code)
        return Done(say("points/redeemed", number=number, name=gift.name, balance=balance))


class Giving(msgspec.Struct, frozen=True):
    """How many, to whom."""

    amount: int = 0
    phone: str = ""


class PointsGive(Form[Giving]):
    """送积分 N 给 PHONE, or step by step."""

    name = "points_give"
    draft = Giving
    words = frozenset({"送积分", "赠送积分", "转赠积分", "give points"})
    personal = True
    names_others = True
    level = 2

    def opens(self, talk: Talk) -> bool:
        return _GIVE.search(talk.said.meaning.text) is not None

    def read(self, talk: Talk, draft: Giving) -> Giving:
        found = _read(talk.said.text, draft)
        return msgspec.structs.replace(found, amount=found.amount or talk.said.meaning.quantity or 0)

    def begin(self, talk: Talk, draft: Giving) -> Turn:
        return self._next(talk, draft)

    def _next(self, talk: Talk, draft: Giving) -> Turn:
        assert talk.patient is not None
        if not draft.amount:
            return Ask(
                "amount", draft, say("points/how_many", balance=loyalty.available(talk.db, talk.patient.code))
            )
        if not draft.phone:
            return Ask("phone", draft, say("points/to_whom"))
        available = loyalty.available(talk.db, talk.patient.code)
        if draft.amount > available:
            return Done(say("points/not_enough", balance=available, needed=draft.amount))
        to = loyalty.receiver(talk.db, Seal.index(draft.phone))
        if to is None or to.patient_code == talk.patient.code:
            return Done(say("points/no_receiver"))
        tail = draft.phone[-4:]
        return Ask("confirm", draft, say("points/confirm_giving", amount=draft.amount, tail=tail))

    @step("amount")
    def amount(self, talk: Talk, draft: Giving) -> Turn:
        found = _read(talk.said.text, draft)
        return self._next(talk, found) if found.amount else Again()

    @step("phone")
    def phone(self, talk: Talk, draft: Giving) -> Turn:
        found = _read(talk.said.text, draft)
        return self._next(talk, found) if found.phone else Again()

    @step("confirm")
    def confirm(self, talk: Talk, draft: Giving) -> Turn:
        assert talk.patient is not None
        if talk.said.no:
            return Done(say("points/not_given"))
        if not talk.said.yes:
            return Again()
        to = loyalty.receiver(talk.db, Seal.index(draft.phone))
        if to is None:
            return Done(say("points/no_receiver"))
        try:
            number = loyalty.reserve(
                talk.db,
                talk.now,
                giver_code=talk.patient.code,
                giver_contact_id=talk.contact.id,
                to=to,
                amount=draft.amount,
            )
        except points.NotEnoughPoints:
            balance = loyalty.available(talk.db, talk.patient.code)
            return Done(say("points/not_enough", balance=balance, needed=draft.amount))
        self._ask_receiver(talk, number, draft.amount, to)
        return Done(say("points/waiting", amount=draft.amount))

    def _ask_receiver(self, talk: Talk, number: int, amount: int, to: loyalty.Receiver) -> None:
        assert talk.patient is not None
        question = say("points/offer", amount=amount, name=talk.patient.masked_name)
        until = talk.now + loyalty.UNANSWERED
        offers.put_question(
            talk.db,
            to.contact_id,
            form="points_offer",
            step="answer",
            draft=Offer(number),
            question=question,
            patient=to.patient_code,
            until=until,
        )
        talk.owe(
            f"points-offer:{number}",
            question,
            contact_id=to.contact_id,
            language=Language(to.language or Language.SIMPLIFIED),
            patient_code=to.patient_code,
            useful_until=until,
        )


class Offer(msgspec.Struct, frozen=True):
    """Points on their way to the reader."""

    transfer: int = 0


class PointsOffer(Form[Offer]):
    """The receiver answers: 1 takes them, 2 sends them back."""

    name = "points_offer"
    draft = Offer

    def begin(self, talk: Talk, draft: Offer) -> Turn:
        return Done()

    @step("answer")
    def settle(self, talk: Talk, draft: Offer) -> Turn:
        if not talk.said.yes and not talk.said.no:
            return Again()
        try:
            end = loyalty.accept if talk.said.yes else loyalty.refuse
            transfer = end(talk.db, talk.now, draft.transfer)
        except loyalty.TransferSettled:
            return Done(say("points/too_late"))
        except points.NotEnoughPoints:
            return Done(say("points/too_late"))
        self._tell_giver(talk, transfer.giver_contact_id, transfer.amount, draft.transfer)
        if talk.said.no:
            return Done(say("points/refused"))
        return Done(
            say(
                "points/accepted",
                amount=transfer.amount,
                balance=points.balance(talk.db, transfer.receiver_code),
            )
        )

    def _tell_giver(self, talk: Talk, contact_id: int, amount: int, number: int) -> None:
        told = "points/giver_accepted" if talk.said.yes else "points/giver_refused"
        talk.owe(
            f"points-answer:{number}",
            say(told, amount=amount),
            contact_id=contact_id,
            language=Language(conversations.language_of(talk.db, contact_id) or Language.SIMPLIFIED),
        )


def _read(text: str, draft: Giving) -> Giving:
    """Amount and phone by their shape; the phone is taken out first, so its digits are no amount."""
    phone, amount = draft.phone, draft.amount
    for match in _PHONE.finditer(text):
        if number := normal_phone(match[0]):
            phone, text = number, text.replace(match[0], " ")
            break
    if not amount and (found := _AMOUNT.search(text)):
        amount = int(found[1])
    return msgspec.structs.replace(draft, phone=phone, amount=amount)


def _gift_words(gift: Row) -> Say:
    return say("points/gift", name=gift.name, points=gift.points, cash=_yuan(gift.cash_cents))


def _yuan(cents: int) -> str:
    """12.5 yuan as people write it; empty for nothing."""
    return f"{cents / 100:.2f}".rstrip("0").rstrip(".") if cents else ""
