"""Settings: read once, checked, and every mistake is one line that names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import open_house
from bot.settings import SettingsError, read_settings

KEY = {"XIAOHU_SECRET_KEY": "secret"}
ACCOUNT = {"XIAOHU_WECHAT__APP_ID": "wx1", "XIAOHU_WECHAT__TOKEN": "t", "XIAOHU_WECHAT__AES_KEY": "a" * 43}


def test_file_then_dotenv_then_environment(tmp_path: Path) -> None:
    (tmp_path / "xiaohu.toml").write_text(
        'timezone = "Asia/Tokyo"\npublic_url = "https://file"\n[wechat]\napp_id = "wx1"\ntoken = "file"\n'
        'mode = "plain"\n[wechat.templates.care]\nid = "T1"\nfields = {thing1 = "subject"}\n'
        '[[wechat_accounts]]\nname = "east"\napp_id = "wx2"\ntoken = "t2"\nmode = "plain"\n',
        encoding="utf-8",
    )
    (tmp_path / ".env").write_text(
        "# ours\nXIAOHU_WECHAT__TOKEN='dotenv'\nXIAOHU_PUBLIC_URL=https://dotenv\n"
    )
    settings = read_settings(KEY | {"XIAOHU_PUBLIC_URL": "https://environment"}, tmp_path)
    assert settings.timezone == "Asia/Tokyo"
    assert settings.wechat.token == "dotenv"
    assert settings.public_url == "https://environment"
    assert settings.wechat.templates["care"].fields == {"thing1": "subject"}
    assert [account.name for account in settings.official_accounts] == ["default", "east"]


def test_templates_may_come_as_json(tmp_path: Path) -> None:
    templates = '{"report": {"id": "T9", "title": "报告通知", "fields": {"thing1": "subject"}}}'
    settings = read_settings(KEY | {"XIAOHU_WECHAT__TEMPLATES": templates}, tmp_path)
    assert settings.wechat.templates["report"].id == "T9"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "XIAOHU_SECRET_KEY"),
        (KEY | {"XIAOHU_ENV": "staging"}, "XIAOHU_ENV"),
        (KEY | {"XIAOHU_TIMEZONE": "Asia/Nowhere"}, "XIAOHU_TIMEZONE"),
        (KEY | {"XIAOHU_DATABASE_URL": "mysql://x"}, "XIAOHU_DATABASE_URL"),
        (KEY | {"XIAOHU_SMS__URL": "ftp://x"}, "XIAOHU_SMS__URL"),
        (KEY | {"XIAOHU_WECHAT__TEMPLATES": "{"}, "XIAOHU_WECHAT__TEMPLATES"),
        (KEY | ACCOUNT | {"XIAOHU_WECHAT__AES_KEY": "short"}, "XIAOHU_WECHAT__AES_KEY"),
        (KEY | ACCOUNT | {"XIAOHU_WECHAT__AES_KEY": ""}, "XIAOHU_WECHAT__AES_KEY"),
        (KEY | ACCOUNT | {"XIAOHU_WECHAT__TOKEN": ""}, "XIAOHU_WECHAT__TOKEN"),
        (KEY | ACCOUNT | {"XIAOHU_WECHAT__MODE": "open"}, "XIAOHU_WECHAT__MODE"),
        (KEY | {"XIAOHU_WECHAT__APPID": "wx1"}, "XIAOHU_WECHAT__APPID"),
        (KEY | {"XIAOHU_WECOM__CORP_ID": "ww1"}, "XIAOHU_WECOM__TOKEN"),
        (KEY | {"XIAOHU_WECOM__AGENT_ID": "one"}, "XIAOHU_WECOM__AGENT_ID"),
        (KEY | {"XIAOHU_CONFIG": "nowhere.toml"}, "XIAOHU_CONFIG"),
        (KEY | {"XIAOHU_LANGUAGE__EXAMPLES": "nowhere.toml"}, "XIAOHU_LANGUAGE__EXAMPLES"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(environment, tmp_path)
    assert str(raised.value).startswith(f"{named}:")
    assert "\n" not in str(raised.value)


def test_the_demo_needs_no_secret(tmp_path: Path) -> None:
    assert read_settings({"XIAOHU_ENV": "demo"}, tmp_path).secret_key


async def test_a_broken_lexicon_stops_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "lexicon"
    folder.mkdir()
    (folder / "lexicon.toml").write_text('version = "1"\n')
    wanted = KEY | {
        "XIAOHU_ENV": "test",
        "XIAOHU_DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "XIAOHU_LANGUAGE__LEXICON": str(folder),
    }
    with pytest.raises(SettingsError, match="XIAOHU_LANGUAGE__LEXICON: "):
        await open_house(read_settings(wanted, tmp_path))
