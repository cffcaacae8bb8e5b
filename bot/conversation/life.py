"""The rules of a dialogue's life: how long it waits, and which words work everywhere."""

from __future__ import annotations

from datetime import timedelta

SILENCE = timedelta(minutes=30)  # after it an open dialogue is dropped, and the next message starts afresh
NOTICE_EVERY = timedelta(days=30)  # the automation notice
QUEUE_NOTICE_EVERY = timedelta(minutes=10)
TRIES = 2  # an answer not understood is asked again twice; then a person is offered
DEPTH = 3  # open forms at once; beyond it the oldest is dropped

CANCEL = frozenset({"取消", "退出", "算了", "不办了", "cancel", "quit", "exit"})
END = frozenset({"结束", "结束人工", "结束会话", "end"})
