"""解绑: stop speaking for somebody, or have somebody stop speaking for oneself."""

from __future__ import annotations

import re

import msgspec

from bot.conversation import about
from bot.conversation.form import Form, step
from bot.conversation.people import language_of
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Turn
from bot.domain.patient import Patient
from bot.domain.words import say
from bot.hospital import identity
from storage.queries import consents
from storage.queries import identity as rows
from storage.rows import Row

_OPENS = re.compile(
    r"^(?:你好|您好|请|帮我|给我|我要|我想|想|要|怎么|如何|怎样|麻烦|[,，。 ])*(?:解绑|解除绑定|取消绑定|解除关联|取消关联)"
    r"|^(?:unbind|unlink)\b",
    re.IGNORECASE,
)


class Ending(msgspec.Struct, frozen=True):
    """Which binding is to end."""

    binding: int = 0


class Unbinding(Form[Ending]):
    """Which one when there are several; then a yes."""

    name = "unbinding"
    draft = Ending
    words = frozenset({"解绑", "解除绑定", "取消绑定", "解除关联", "unbind", "unlink"})

    def opens(self, talk: Talk) -> bool:
        return bool(_OPENS.search(talk.said.meaning.text))

    def begin(self, talk: Talk, draft: Ending) -> Turn:
        proxies = self._proxies(talk)
        choices = [
            Choice(str(one.id), label) for one, label in zip(talk.bindings, self._own(talk), strict=True)
        ]
        choices += [Choice(str(row.id), self._proxy_label(talk, row)) for row in proxies]
        if not choices:
            return Done(say("binding/nobody"))
        pointed = about.named(talk.said, talk.bindings)
        if len(pointed) == 1:
            return self._confirm(talk, pointed[0].id)
        if len(choices) == 1:
            return self._confirm(talk, int(choices[0].key))
        return Ask("which", draft, say("binding/ask_which_to_end"), choices)

    @step("which")
    def which(self, talk: Talk, draft: Ending) -> Turn:
        return self._confirm(talk, int(talk.said.choice)) if talk.said.choice else Again()

    def _confirm(self, talk: Talk, binding_id: int) -> Turn:
        binding = next((one for one in talk.bindings if one.id == binding_id), None)
        words = (
            say("binding/confirm_end", name=binding.patient.masked_name)
            if binding is not None
            else say("binding/confirm_end_proxy")
        )
        return Ask("confirm", Ending(binding_id), words)

    @step("confirm")
    def confirm(self, talk: Talk, draft: Ending) -> Turn:
        if talk.said.no:
            return Done(say("binding/kept"))
        if not talk.said.yes:
            return Again()
        own = next((one for one in talk.bindings if one.id == draft.binding), None)
        if own is not None:
            identity.end(talk.db, own.id, "asked", talk.now)
            consents.stop_letters_about(talk.db, own.contact_id, own.patient.code, "unbound")
            return Done(say("binding/ended", name=own.patient.masked_name))
        for row in self._proxies(talk):
            if row.id == draft.binding:
                self._end_proxy(talk, row)
        return Done(say("binding/ended_proxy"))

    def _end_proxy(self, talk: Talk, row: Row) -> None:
        identity.end(talk.db, row.id, "patient_revoked", talk.now)
        consents.stop_letters_about(talk.db, row.contact_id, row.patient_code, "unbound")
        patient = next(one.patient for one in talk.bindings if one.patient.code == row.patient_code)
        talk.owe(
            f"proxy-ended:{row.id}",
            say("family/ended_by_patient", name=patient.masked_name),
            contact_id=row.contact_id,
            language=language_of(row.language),
        )

    # Who may be chosen

    def _own(self, talk: Talk) -> list[str]:
        return [choice.label for choice in about.choices(talk, talk.bindings)]

    @staticmethod
    def _proxies(talk: Talk) -> list[Row]:
        """Those who speak for the writer. A child does not send the guardian away."""
        found = []
        for one in talk.bindings:
            age = one.patient.age(talk.today)
            if one.relation == "self" and (age is None or age >= identity.MINOR_UNTIL):
                others = rows.spoken_for_by(talk.db, one.patient.code)
                found += [row for row in others if row.relation != "self"]
        return found

    @staticmethod
    def _proxy_label(talk: Talk, row: Row) -> str:
        name = Patient("", row.known_as).masked_name if row.known_as else ""
        return talk.text(say("binding/choice_proxy", name=name))
