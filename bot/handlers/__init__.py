"""What patients can bring up, one file a topic. A new topic is a file and a line here."""

from __future__ import annotations

from typing import Any

from bot.conversation.form import Form
from bot.handlers.appointment_book import AppointmentBook
from bot.handlers.appointment_cancel import AppointmentCancel, CancelNothing
from bot.handlers.appointment_list import AppointmentList
from bot.handlers.appointment_move import AppointmentMove
from bot.handlers.binding import Binding, FreshCode
from bot.handlers.complaint import Addition, Complaint, Content, Disputed, Praise, Progress
from bot.handlers.consent import MyConsents, OptOut, ResumeCare, ResumeNews, StopCare, Subscribe
from bot.handlers.family import Family, FamilyRequest
from bot.handlers.information import Information
from bot.handlers.membership import Membership
from bot.handlers.menu import Hello, Lost, Media, Menu, Thanks, Welcome
from bot.handlers.not_me import NotMe
from bot.handlers.person import Person
from bot.handlers.plan_answer import PlanAnswer
from bot.handlers.points import PointsBalance, PointsGive, PointsOffer, PointsRedeem
from bot.handlers.reports import Reports
from bot.handlers.safety_check import SafetyCheck
from bot.handlers.triage import Triage
from bot.handlers.unbinding import Unbinding
from bot.handlers.waiting_offer import WaitingOffer

HANDLERS: tuple[Form[Any], ...] = (
    Welcome(),
    Menu(),
    Hello(),
    Thanks(),
    Person(),
    Media(),
    SafetyCheck(),
    PlanAnswer(),
    AppointmentBook(),
    AppointmentList(),
    AppointmentCancel(),
    CancelNothing(),
    AppointmentMove(),
    WaitingOffer(),
    Triage(),
    Information(),
    Binding(),
    FreshCode(),
    Unbinding(),
    Family(),
    FamilyRequest(),
    NotMe(),
    OptOut(),
    StopCare(),
    ResumeNews(),
    ResumeCare(),
    Subscribe(),
    MyConsents(),
    Complaint(),
    Praise(),
    Progress(),
    Addition(),
    Content(),
    Disputed(),
    Reports(),
    PointsBalance(),
    PointsRedeem(),
    PointsGive(),
    PointsOffer(),
    Membership(),
    Lost(),
)
