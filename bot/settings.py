"""Everything that differs between a laptop, the ward and a test run: read once, frozen, never printed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

PREFIX = "XIAOHU_"
DEMO_SECRET = "demo-only-never-use-this-in-a-hospital"  # noqa: S105  the demo's invented data needs no real one

AesKey = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9]{43})?$")]


class SettingsError(Exception):
    """A setting is missing or malformed; the message is one line that names it."""


class TemplateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One platform template: its ID and which of our facts fills which of its keys."""

    id: str
    title: str = ""
    fields: dict[str, str] = {}


class WeChatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One official account."""

    name: str = "default"
    app_id: str = ""
    app_secret: str = ""
    token: str = ""
    aes_key: AesKey = ""
    mode: Literal["plain", "compatible", "safe"] = "safe"
    api_base: str = "https://api.weixin.qq.com"
    templates: dict[str, TemplateSettings] = {}


class WeComSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The WeCom app and 微信客服."""

    name: str = "default"
    corp_id: str = ""
    agent_id: int = 0
    secret: str = ""
    token: str = ""
    aes_key: AesKey = ""
    api_base: str = "https://qyapi.weixin.qq.com"
    kf_secret: str = ""


class SmsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where SMS and voice calls go: `file:///path` or `http(s)://…`; empty: there is no SMS."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(|file:///.+|https?://.+)$")] = ""


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hospital systems' API."""

    token: str = ""


class LanguageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hospital's own words, and the lexicon its clinician signed."""

    examples: str = ""  # a TOML file (docs/language.md)
    lexicon: str = ""  # a folder like bot/language/lexicon; empty: the one that ships


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `xiaohu.toml`, `.env` and the environment say, checked."""

    database_url: Annotated[str, msgspec.Meta(pattern=r"^(sqlite:///.+|postgresql://.+)$")] = (
        "sqlite:///var/xiaohu.db"
    )
    secret_key: str = ""
    env: Literal["production", "test", "demo"] = "production"
    timezone: str = "Asia/Shanghai"
    public_url: str = ""
    config: str = ""
    wechat: WeChatSettings = WeChatSettings()
    wecom: WeComSettings = WeComSettings()
    sms: SmsSettings = SmsSettings()
    api: ApiSettings = ApiSettings()
    language: LanguageSettings = LanguageSettings()
    wechat_accounts: tuple[WeChatSettings, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The hospital's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def official_accounts(self) -> tuple[WeChatSettings, ...]:
        """Every official account that is set up, the default one first."""
        return tuple(account for account in (self.wechat, *self.wechat_accounts) if account.app_id)


def read_settings(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read `xiaohu.toml`, then `.env`, then the environment; later ones win.

    Raises:
        SettingsError: one line that names the setting.
    """
    environment = os.environ if environment is None else environment
    folder = folder or Path.cwd()
    tree: dict[str, Any] = {}
    dotenv = _read_dotenv(folder / ".env")
    config = environment.get("XIAOHU_CONFIG") or dotenv.get("XIAOHU_CONFIG")
    path = Path(config) if config else folder / "xiaohu.toml"
    if path.exists():
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: {error}") from error
    elif config:
        raise SettingsError(f"XIAOHU_CONFIG: there is no file {config}")
    for name, value in {**dotenv, **environment}.items():
        if name.startswith(PREFIX):
            _place(tree, name, value)
    return _check(tree)


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("'\"")
    return values


def _place(tree: dict[str, Any], name: str, value: str) -> None:
    """`XIAOHU_WECHAT__APP_ID` goes to tree["wechat"]["app_id"]."""
    *parents, leaf = name.removeprefix(PREFIX).lower().split("__")
    if (parents or [leaf])[0] not in Settings.__struct_fields__:
        return  # somebody else's variable; one of a known group is checked
    branch = tree
    for parent in parents:
        branch = branch.setdefault(parent, {})
        if not isinstance(branch, dict):
            raise SettingsError(f"{name}: {parent} is not a group of settings")
    if leaf == "templates":
        try:
            branch[leaf] = msgspec.json.decode(value) if value.strip() else {}
        except msgspec.DecodeError as error:
            raise SettingsError(f"{name}: not JSON: {error}") from error
    else:
        branch[leaf] = value


def _check(tree: dict[str, Any]) -> Settings:
    tree.setdefault("env", "production")
    if tree["env"] == "demo":
        tree.setdefault("secret_key", DEMO_SECRET)
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_name(str(error))) from error
    try:
        _ = settings.zone
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"XIAOHU_TIMEZONE: {settings.timezone!r} is not a time zone") from error
    if not settings.secret_key:
        raise SettingsError("XIAOHU_SECRET_KEY: missing; choose a long random text and keep it")
    for account in settings.official_accounts:
        if account.mode != "plain" and not account.aes_key:
            raise SettingsError("XIAOHU_WECHAT__AES_KEY: missing; modes compatible and safe need it")
        if not account.token:
            raise SettingsError("XIAOHU_WECHAT__TOKEN: missing")
    for name, path in (("EXAMPLES", settings.language.examples), ("LEXICON", settings.language.lexicon)):
        if path and not Path(path).exists():
            raise SettingsError(f"XIAOHU_LANGUAGE__{name}: there is no {path}")
    if settings.wecom.corp_id and not (settings.wecom.token and settings.wecom.aes_key):
        missing = "TOKEN" if not settings.wecom.token else "AES_KEY"
        raise SettingsError(f"XIAOHU_WECOM__{missing}: missing")
    return settings


def _name(problem: str) -> str:
    """msgspec says `… - at `$.wechat.aes_key``; the operator knows `XIAOHU_WECHAT__AES_KEY`."""
    reason, separator, path = problem.partition(" - at ")
    if not separator:
        unknown = reason.partition("unknown field ")[2].strip("`")
        return f"{PREFIX}{unknown.upper()}: unknown setting" if unknown else reason
    place = path.strip("`$").lstrip(".").replace(".", "__").upper()
    unknown = reason.partition("unknown field ")[2].strip("`")
    if unknown:
        return f"{PREFIX}{place}__{unknown.upper()}: unknown setting"
    return f"{PREFIX}{place}: {reason}"
