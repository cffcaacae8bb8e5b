"""The customer-service window as the platform counts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.window import OPENS, Action, Doing, Window, doing_of, window

START = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def after(seconds: float, doing: Doing) -> Action:
    return Action(START + timedelta(seconds=seconds), doing)


def test_a_message_allows_five_within_48_hours() -> None:
    found = window([after(0, Doing.MESSAGE)])

    assert found == Window(5, START + timedelta(hours=48))
    assert found.holds(5, START + timedelta(hours=48))
    assert not found.holds(6, START)
    assert not found.holds(1, START + timedelta(hours=48, seconds=1))


def test_a_tap_allows_three_within_a_minute() -> None:
    assert window([after(0, Doing.TAP)]) == Window(3, START + timedelta(minutes=1))


def test_a_new_action_raises_but_never_adds() -> None:
    used = [after(0, Doing.MESSAGE), *[after(1, Doing.SENT)] * 4]

    assert window(used).left == 1
    assert window([*used, after(2, Doing.TAP)]) == Window(3, START + timedelta(hours=48))
    assert window([*used, after(2, Doing.MESSAGE)]) == Window(5, START + timedelta(hours=48, seconds=2))
    assert window([after(0, Doing.MESSAGE), after(2, Doing.TAP)]).left == 5


def test_a_tap_after_the_window_is_over_begins_a_short_one() -> None:
    over = 48 * 3600 + 1
    assert window([after(0, Doing.MESSAGE), after(over, Doing.TAP)]) == Window(
        3, START + timedelta(seconds=over + 60)
    )


def test_unfollowing_shuts_it() -> None:
    assert window([after(0, Doing.MESSAGE), after(1, Doing.LEFT)]) == Window(0, None)


doings = st.lists(st.tuples(st.integers(0, 4 * 24 * 3600), st.sampled_from(Doing)), max_size=40)


@given(doings)
def test_never_more_than_the_newest_rule_allows(raw: list[tuple[int, Doing]]) -> None:
    actions = [after(seconds, doing) for seconds, doing in sorted(raw, key=lambda one: one[0])]
    found = window(actions)

    assert 0 <= found.left <= 5
    left = max((number for number, one in enumerate(actions) if one.doing is Doing.LEFT), default=-1)
    openers = [one for one in actions[left + 1 :] if one.doing in OPENS]
    ends = [one.at + OPENS[one.doing][1] for one in openers]
    alive = [end for end in ends if end >= actions[-1].at]
    assert found.until == max(alive, default=None)


@given(doings)
def test_what_was_sent_is_gone(raw: list[tuple[int, Doing]]) -> None:
    actions = [after(seconds, doing) for seconds, doing in sorted(raw, key=lambda one: one[0])]
    before = window(actions)
    now = max((one.at for one in actions), default=START)
    if before.holds(1, now):
        assert window([*actions, Action(now, Doing.SENT)]).left == before.left - 1


def test_which_doings_of_a_conversation_count() -> None:
    assert doing_of("wechat/default", "in", "text", None) is Doing.MESSAGE
    assert doing_of("wechat/default", "in", "voice", {}) is Doing.MESSAGE
    assert doing_of("wechat/default", "in", "text", {"bizmsgmenuid": "101"}) is Doing.TAP
    assert doing_of("wechat/default", "in", "event:CLICK", None) is Doing.TAP
    assert doing_of("wechat/default", "in", "event:SCAN", None) is Doing.TAP
    assert doing_of("wechat/default", "in", "event:subscribe", None) is Doing.TAP
    assert doing_of("wechat/default", "in", "event:scancode_waitmsg", None) is Doing.TAP
    assert doing_of("wechat/default", "in", "event:VIEW", None) is None
    assert doing_of("wechat/default", "in", "event:LOCATION", None) is None
    assert doing_of("wechat/default", "in", "event:unsubscribe", None) is Doing.LEFT
    assert doing_of("wechat/default", "in", "event:TEMPLATESENDJOBFINISH", None) is None
    assert doing_of("wechat/default", "out", "text", None) is Doing.SENT
    assert doing_of("kf/wk1", "in", "text", {"menu_id": "1"}) is Doing.CUSTOMER_WROTE
    assert doing_of("kf/wk1", "in", "event:enter_session", None) is None
