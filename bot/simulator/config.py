"""What a simulated platform is set up with: accounts, people, and how strict it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """消息加解密方式, how pushes travel."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class AccountKind(StrEnum):
    """What sort of official account it is: several APIs exist for verified service accounts only."""

    SERVICE = "服务号"
    SUBSCRIPTION = "订阅号"
    SANDBOX = "测试号"


class TypedValues(StrEnum):
    """What happens to a template value that breaks its key's rule; both have been seen."""

    REFUSE = "refuse"
    CUT = "cut"


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template of the account. *content* is written as the platform does: `时间：{{time2.DATA}}` a line.

    *choices* holds the preset values of `enum` and `const` keys.
    """

    id: str
    title: str
    content: str
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AccountConfig:
    """One official account as its console shows it. *webhook_url* is the server configuration's URL."""

    webhook_url: str
    name: str = "default"
    title: str = "示范医院"
    app_id: str = "wx5f0c2d3e4a1b6c7d"
    app_secret: str = "simulated-app-secret"  # noqa: S105 – opens nothing
    token: str = "simulatedtoken"  # noqa: S105 – opens nothing
    aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    mode: Mode = Mode.SAFE
    original_id: str = "gh_97417a04a28d"
    kind: AccountKind = AccountKind.SERVICE
    verified: bool = True
    templates: tuple[Template, ...] = ()
    ip_whitelist: frozenset[str] | None = None
    oauth_host: str | None = None
    mass_protection: bool = False


@dataclass(frozen=True, kw_only=True)
class Member:
    """An employee in WeCom."""

    userid: str
    name: str
    mobile: str = ""


@dataclass(frozen=True, kw_only=True)
class KfAccount:
    """A 微信客服 account and the employees who serve it."""

    open_kfid: str
    name: str
    servicers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WecomConfig:
    """One corporation with one self-built app and 微信客服, both calling back to *webhook_url*."""

    webhook_url: str
    corp_id: str = "ww1a2b3c4d5e6f7a8b"
    agent_id: int = 1000002
    secret: str = "simulated-wecom-secret"  # noqa: S105 – opens nothing
    kf_secret: str = "simulated-kf-secret"  # noqa: S105 – opens nothing
    token: str = "simulatedwecomtoken"  # noqa: S105 – opens nothing
    aes_key: str = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba"
    title: str = "小护护理台"
    members: tuple[Member, ...] = ()
    kf_accounts: tuple[KfAccount, ...] = ()
    ip_whitelist: frozenset[str] | None = None
    native_welcome: bool = False
    misspelt_options: bool = False


@dataclass(frozen=True, kw_only=True)
class PatientConfig:
    """Somebody with WeChat who is there from the start. No event is pushed for being there.

    *hint* tells the visitor of the demo who this is ("产后第 3 天，手机 13800000001").
    """

    openid: str
    name: str
    account: str = "default"
    following: bool = True
    unionid: str | None = None
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class CustomerConfig:
    """Somebody in WeChat who may open a 微信客服 chat, by default the first account's."""

    external_userid: str
    name: str
    open_kfid: str = ""
    unionid: str | None = None


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """The whole platform. Times are seconds of real time; quotas and windows run on the clock instead.

    *scenes* are the parametric QR codes the demo's scanner offers: (scene, where it hangs).
    """

    accounts: tuple[AccountConfig, ...] = ()
    wecom: WecomConfig | None = None
    patients: tuple[PatientConfig, ...] = ()
    customers: tuple[CustomerConfig, ...] = ()
    scenes: tuple[tuple[str, str], ...] = ()
    public_url: str = "http://127.0.0.1:8080/simulator"
    reply_timeout: float = 5.0
    pushes: int = 3
    typed_values: TypedValues = TypedValues.REFUSE
    refuse_unicode_escapes: bool = False
    failure_line: str = "该服务号暂时无法提供服务，请稍后再试"
