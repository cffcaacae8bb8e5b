"""A patient, and who may speak for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.language import Language


@dataclass(frozen=True, slots=True)
class Patient:
    """A person the hospital knows."""

    code: str
    name: str
    sex: str = ""  # M, F or empty
    birth_date: date | None = None
    language: str = ""
    vip_level: int | None = None
    deceased_on: date | None = None

    def age(self, today: date) -> int | None:
        """Full years on that day; None when the birth date is unknown."""
        if self.birth_date is None:
            return None
        had_birthday = (today.month, today.day) >= (self.birth_date.month, self.birth_date.day)
        return today.year - self.birth_date.year - (not had_birthday)

    @property
    def masked_name(self) -> str:
        """王*明, 张*, E*** C***: recognisable to the family, not to a stranger."""
        if self.name.isascii():
            return " ".join(f"{part[0]}***" for part in self.name.split()) or "***"
        if len(self.name) <= 1:
            return self.name + "*"
        if len(self.name) == 2:
            return self.name[0] + "*"
        return self.name[0] + "*" * (len(self.name) - 2) + self.name[-1]


@dataclass(frozen=True, slots=True)
class Binding:
    """A WeChat user who speaks for a patient."""

    id: int
    contact_id: int
    patient: Patient
    relation: str  # self, child, parent, spouse, other: what the patient is to the user
    level: int  # 1: phone proven; 2: name and identity number too
    proven_at: datetime | None  # the last fresh one-time code: level 3 while it is young
    expires_at: datetime | None
    scope: str = "all"  # booking: book and ask about bookings, nothing that needs level 2


@dataclass(frozen=True, slots=True)
class Contact:
    """A user of a platform, as one account of ours sees them."""

    id: int
    account: str
    openid: str
    unionid: str
    followed: bool
    language: Language
    noticed_at: datetime | None
