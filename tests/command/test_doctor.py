"""`xiaohu doctor`: what it finds, against a simulated platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from bot.command.doctor import examine
from bot.domain.clock import Clock, StoppedClock, SystemClock
from bot.simulator import AccountConfig, ManualClock, Platform, SimulatorConfig, WecomConfig
from tests.conftest import NOW
from tests.hospital import files
from tests.serving import settings
from tests.shell import Shell

ACCOUNT = AccountConfig(webhook_url="http://127.0.0.1:9/wechat")
CORPORATION = WecomConfig(webhook_url="http://127.0.0.1:9/wecom")


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    """A platform's address."""
    simulator = Platform(SimulatorConfig(accounts=(ACCOUNT,), wecom=CORPORATION), ManualClock(NOW))
    async with simulator.serving() as address:
        yield address


def configured(platform: str) -> dict[str, str]:
    return {
        "XIAOHU_WECHAT__APP_ID": ACCOUNT.app_id,
        "XIAOHU_WECHAT__APP_SECRET": ACCOUNT.app_secret,
        "XIAOHU_WECHAT__API_BASE": f"{platform}/api",
        "XIAOHU_WECOM__CORP_ID": CORPORATION.corp_id,
        "XIAOHU_WECOM__SECRET": CORPORATION.secret,
        "XIAOHU_WECOM__KF_SECRET": CORPORATION.kf_secret,
        "XIAOHU_WECOM__TOKEN": "token",
        "XIAOHU_WECOM__AES_KEY": "A" * 43,
        "XIAOHU_WECOM__API_BASE": f"{platform}/qyapi",
    }


async def findings(
    url: str, environment: Mapping[str, str], clock: Clock | None = None
) -> dict[str, tuple[str, str]]:
    """Subject → mark and text."""
    found = {}
    async for finding in examine(settings(url, **environment), clock or SystemClock()):
        found[finding.subject] = (finding.mark, finding.text)
    return found


async def test_a_platform_that_accepts_the_credentials(database_url: str, platform: str) -> None:
    found = await findings(database_url, configured(platform))
    for subject in ("公众号 default", "企业微信", "微信客服", "数据库", "数据表", "微信服务器时间"):
        assert found[subject][0] == "正常", found[subject]


async def test_a_database_that_forgets(database_url: str) -> None:
    """The tests' PostgreSQL does not wait for the disk; a hospital's must."""
    on_sqlite = database_url.startswith("sqlite")
    for environment, mark in (("test", "注意"), ("production", "错误")):
        found = await findings(database_url, {"XIAOHU_ENV": environment})
        assert found["断电安全"][0] == ("正常" if on_sqlite else mark)


async def test_wrong_secrets(database_url: str, platform: str) -> None:
    environment = configured(platform) | {
        "XIAOHU_WECHAT__APP_SECRET": "wrong",
        "XIAOHU_WECOM__SECRET": "wrong",
    }
    found = await findings(database_url, environment)
    assert found["公众号 default"][0] == found["企业微信"][0] == "错误"
    assert "错误码 40" in found["公众号 default"][1]
    assert found["微信客服"][0] == "正常"


async def test_a_platform_that_cannot_be_reached(database_url: str) -> None:
    found = await findings(database_url, {"XIAOHU_WECHAT__API_BASE": "http://127.0.0.1:9"})
    assert found["公众号 default"][0] == "错误"
    assert "连不上" in found["公众号 default"][1]


async def test_a_clock_that_is_wrong(database_url: str, platform: str) -> None:
    late = StoppedClock(SystemClock().now() - timedelta(minutes=5))
    found = await findings(database_url, configured(platform), late)
    mark, text = found["微信服务器时间"]
    assert mark == "错误"
    assert "本机慢 3" in text or "本机慢 2" in text
    if database_url.startswith("postgresql"):
        assert found["数据库服务器时间"][0] == "错误"


async def test_another_secret_key_than_the_datas(xiaohu_with_patients: Shell) -> None:
    found = await findings(xiaohu_with_patients.url, {"XIAOHU_SECRET_KEY": "x" * 40})
    assert found["密钥"][0] == "错误"
    assert "恢复原来的密钥" in found["密钥"][1]


@pytest.fixture
def xiaohu_with_patients(xiaohu: Shell) -> Shell:
    xiaohu.imports(**files.FILES)
    return xiaohu


async def test_a_database_that_is_not_there() -> None:
    found = await findings("postgresql://nobody@127.0.0.1:9/nothing", {})
    assert found["数据库"][0] == "错误"
    assert "数据表" not in found


async def test_a_new_database_is_no_mistake(tmp_path: Path) -> None:
    found = await findings(f"sqlite:///{tmp_path}/new.db", {})
    assert found["数据表"][0] == "注意"


def test_the_command_says_it_in_lines_and_ends_with_one_when_something_is_wrong(xiaohu: Shell) -> None:
    result = xiaohu("doctor")  # production, a short secret
    assert result.exit_code == 1
    assert "[错误] 密钥：XIAOHU_SECRET_KEY" in result.stdout
    assert "[注意] 短信：未设置 XIAOHU_SMS__URL" in result.stdout
    xiaohu.settings |= {"XIAOHU_ENV": "test", "XIAOHU_SMS__URL": f"file://{xiaohu.folder}/sms.jsonl"}
    assert xiaohu("doctor").exit_code == 0
    xiaohu.settings["XIAOHU_SMS__URL"] = "smtp://x"
    result = xiaohu("doctor")
    assert result.exit_code == 1
    assert "XIAOHU_SMS__URL" in result.stdout
