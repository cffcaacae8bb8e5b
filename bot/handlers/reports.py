"""What is ready, what is pending; the content only behind a link, after a fresh proof of who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from bot.conversation.form import Form, step
from bot.conversation.talk import Talk
from bot.conversation.turn import Again, Ask, Choice, Done, Start, Turn
from bot.domain.words import Say, say
from bot.hospital import guardians, identity, reports
from bot.hospital.reports import Report
from storage.queries import alerts

ALL = "all"
GUARDED_FROM, GUARDED_UNTIL = 14, 18  # years: they may ask alone, and the guardian hears of it


UNMISTAKABLE = frozenset({"pathology", "imaging"})  # 检查报告, 化验单 may be any report


class Wanted(msgspec.Struct, frozen=True):
    """Which kind was asked for, if one was; whether it was told how many there are."""

    kind: str = ""
    told: bool = False


class Reports(Form[Wanted]):
    """报告出来了吗."""

    name = "reports"
    draft = Wanted
    intents = frozenset({"report.query"})
    words = frozenset({"报告", "查报告", "报告查询", "我的报告", "report", "reports"})
    personal = True
    level = 2

    def read(self, talk: Talk, draft: Wanted) -> Wanted:
        return Wanted(kind=talk.said.meaning.report_kind or draft.kind)

    def begin(self, talk: Talk, draft: Wanted) -> Turn:
        assert talk.patient is not None
        found = reports.of_patient(talk.db, talk.patient.code)
        ready = [report for report in found if report.ready and not report.held]
        held = [report for report in found if report.held and report.ready]
        if held:
            self._tell_nurse(talk)
        state = () if draft.told else self._state(found, held)
        if not ready:
            return Done(state or self._state(found, held))
        if draft.kind in UNMISTAKABLE and all(report.kind != draft.kind for report in ready):
            return Done((*state, say("report/none_of_this_kind")))
        binding = talk.binding
        assert binding is not None
        if not identity.is_fresh(binding, talk.now):
            return Start(
                form="fresh_code",
                opening={"patient": talk.patient.code},
                draft=msgspec.structs.replace(draft, told=True),
                words=state,
            )
        return self._choose(talk, draft, ready, state if held else ())

    def _state(self, found: Sequence[Report], held: Sequence[Report]) -> tuple[Say, ...]:
        """Counts and nothing else: a title can tell too much."""
        pending = sum(1 for report in found if not report.ready)
        ready = sum(1 for report in found if report.ready and not report.held)
        words = []
        if ready or pending or not held:
            words.append(say("report/state", ready=ready, pending=pending))
        if held:
            words.append(say("report/held"))
        return tuple(words)

    def _tell_nurse(self, talk: Talk) -> None:
        assert talk.patient is not None
        alerts.add_task(
            talk.db,
            {
                "at": talk.now,
                "key": f"report:{talk.patient.code}:{talk.today}",
                "contact_id": talk.contact.id,
                "patient_code": talk.patient.code,
                "kind": "report",
                "reason": "患者询问需由医生告知的报告,请安排医生联系。",
                "status": "open",
                "due_at": talk.now + timedelta(hours=4),
            },
        )

    def _choose(self, talk: Talk, draft: Wanted, ready: Sequence[Report], state: Sequence[Say]) -> Turn:
        wanted = [report for report in ready if report.kind == draft.kind] or list(ready)
        if len(wanted) == 1:
            return Done((*state, self._link(talk, wanted[0])))
        choices = [Choice(report.code, self._label(talk, report)) for report in wanted[:9]]
        return Ask("which", draft, (*state, say("report/which")), choices)

    @step("which")
    def which(self, talk: Talk, draft: Wanted) -> Turn:
        assert talk.patient is not None
        report = next(
            (one for one in reports.of_patient(talk.db, talk.patient.code) if one.code == talk.said.choice),
            None,
        )
        if report is None or report.held:
            return Again()
        return Done(self._link(talk, report))

    def _label(self, talk: Talk, report: Report) -> str:
        return talk.text(say("report/label", kind=report.kind, issued_at=report.issued_at or talk.now))

    def _link(self, talk: Talk, report: Report) -> Say:
        token = reports.make_link(talk.db, report, talk.contact.id, talk.now)
        self._tell_guardian(talk)
        return say("report/link", url=f"{talk.public_url}/r/{token}")

    def _tell_guardian(self, talk: Talk) -> None:
        """From 14 to 17 a patient may ask alone, and the guardian is told."""
        assert talk.patient is not None
        age = talk.patient.age(talk.today)
        if age is None or not GUARDED_FROM <= age < GUARDED_UNTIL:
            return
        for guardian in guardians.of(talk.db, talk.patient.code, talk.now):
            if guardian.contact_id != talk.contact.id:
                talk.owe(
                    f"report-guardian:{talk.patient.code}:{guardian.contact_id}:{talk.today}",
                    say("report/guardian", name=talk.patient.masked_name),
                    contact_id=guardian.contact_id,
                    language=guardian.language,
                    patient_code=talk.patient.code,
                )
