"""What a platform's answers mean, and what never leaves in a log."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from bot.channels.api import OutcomeUnknown, Refused, Unreached
from bot.channels.errors import WECHAT, WECOM, Reaction, reaction
from bot.channels.limits import STANDBY
from storage.database import Database
from tests.channels.test_tokens import World, second_database, world

__all__ = ["second_database", "world"]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (-1, Reaction.RETRY),
        (40001, Reaction.RENEW_TOKEN),
        (42001, Reaction.RENEW_TOKEN),
        (45009, Reaction.QUOTA),
        (45011, Reaction.NEXT_MINUTE),
        (45015, Reaction.NEXT_ROUTE),
        (45047, Reaction.NEXT_ROUTE),
        (43101, Reaction.NEXT_ROUTE),
        (43004, Reaction.USER),
        (48002, Reaction.USER),
        (40241, Reaction.SENT),
        (45065, Reaction.SENT),
        (40037, Reaction.PERMANENT),
        (47003, Reaction.PERMANENT),
        (99999, Reaction.PERMANENT),
    ],
)
def test_the_official_accounts_codes(code: int, wanted: Reaction) -> None:
    assert reaction(WECHAT, code) is wanted


def test_the_same_number_means_something_else_at_wecom() -> None:
    assert (reaction(WECHAT, 40001), reaction(WECOM, 40001)) == (Reaction.RENEW_TOKEN, Reaction.PERMANENT)
    assert (reaction(WECHAT, 45009), reaction(WECOM, 45009)) == (Reaction.QUOTA, Reaction.NEXT_MINUTE)


async def test_an_error_comes_with_status_200(world: World, database: Database) -> None:
    world.platform.follow("oPatient")
    with pytest.raises(Refused) as refusal:
        await world.account(database).write("oPatient", "您好")

    assert (refusal.value.code, refusal.value.reaction) == (45015, Reaction.NEXT_ROUTE)
    assert refusal.value.rid


async def test_whether_anything_was_done_is_known_or_not(world: World, database: Database) -> None:
    account = world.account(database)
    await account.api.tokens.get()
    faults = world.platform.faults

    faults.status("custom/send", 502)
    with pytest.raises(Unreached):
        await account.write("oPatient", "您好")
    for befalls in (faults.garbage, faults.drop_answer, faults.reset):
        befalls("custom/send")
        with pytest.raises(OutcomeUnknown):
            await account.write("oPatient", "您好")
    faults.status("custom/send", 504)
    with pytest.raises(OutcomeUnknown):
        await account.write("oPatient", "您好")


async def test_nobody_listens(world: World, database: Database) -> None:
    world.base = "http://127.0.0.1:9"
    with pytest.raises(Unreached):
        await world.account(database).write("oPatient", "您好")


async def test_chinese_is_sent_as_it_is_written(world: World, database: Database) -> None:
    world.platform.follow("oPatient")
    with pytest.raises(Refused):
        await world.account(database).write("oPatient", "您好🙂]]>")
    assert world.platform.calls.to("custom/send")[-1].body["text"]["content"] == "您好🙂]]>"


async def test_logs_keep_the_request_id_and_neither_token_nor_openid_nor_words(
    world: World, database: Database
) -> None:
    world.platform.follow("oSecretPatient")
    account = world.account(database)
    with capture_logs() as logs, pytest.raises(Refused):
        await account.write("oSecretPatient", "您的血糖偏高")

    everything = json.dumps(logs, ensure_ascii=False)
    assert logs[0]["rid"]
    for secret in ("oSecretPatient", "血糖", await account.api.tokens.get()):
        assert secret not in everything


async def test_where_nobody_listens_the_standby_is_asked(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STANDBY, "http://127.0.0.1:9/api", f"{world.base}/api")
    world.base = "http://127.0.0.1:9"
    user = world.platform.follow("oPatient")
    await user.says("您好")
    account = world.account(database)
    with capture_logs() as logs:
        await account.write("oPatient", "您好")
        await account.write("oPatient", "再见")
    assert len(world.platform.calls.to("custom/send")) == 2
    # Once for the token's address and once for the API's; then the first address has a rest.
    assert [log["event"] for log in logs].count("platform_standby") == 2


async def test_only_a_call_that_never_connected_goes_to_the_standby(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STANDBY, f"{world.base}/api", "http://127.0.0.1:9")
    account = world.account(database)
    await account.api.tokens.get()
    world.platform.faults.drop_answer("custom/send")
    with pytest.raises(OutcomeUnknown):
        await account.write("oPatient", "您好")
    assert len(world.platform.calls.to("custom/send")) == 1
