"""The platforms' limits as numbers, each with its source. Read 2026-11-22."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

# developers.weixin.qq.com, 发送客服消息
CUSTOMER_SERVICE_TEXT: Final = 2048  # bytes
CUSTOMER_SERVICE_AFTER_MESSAGE: Final = (5, timedelta(hours=48))  # in force since 2023-06
CUSTOMER_SERVICE_AFTER_TAP: Final = (3, timedelta(minutes=1))  # menu tap, scan, follow

# developers.weixin.qq.com, 发送模板消息: a repeated client_msg_id is suppressed for ten minutes
CLIENT_ID_REMEMBERED: Final = timedelta(minutes=10)
# Quotas are counted by the day of Beijing, wherever the hospital is.
QUOTA_ZONE: Final = ZoneInfo("Asia/Shanghai")

# developers.weixin.qq.com, 群发接口: of a service account; the platform filters what is more without an error
MASS_A_MONTH: Final = 4  # to one user, in a month of the calendar
MASS_AT_LEAST, MASS_AT_MOST = 2, 10_000  # openids of one call
MASS_CALLS_A_DAY: Final = 100
MASS_CLIENT_ID_REMEMBERED: Final = timedelta(hours=24)

# developers.weixin.qq.com, 用户标签管理
TAG_BATCH: Final = 50  # openids of one call
TAGS_A_USER, TAGS_AT_MOST = 20, 100
TAG_NAME: Final = 30  # bytes

# developers.weixin.qq.com, 获取稳定版接口调用凭据
TOKEN_RENEWED_BEFORE: Final = timedelta(minutes=5)
FORCED_REFRESH_APART: Final = timedelta(seconds=30)

# developer.work.weixin.qq.com, 发送应用消息: beyond it messages are dropped without an error
WECOM_MEMBER_PER_MINUTE: Final = 30
WECOM_MEMBER_PER_HOUR: Final = 1000
WECOM_TEXT: Final = 2048  # bytes; the surplus is cut
WECOM_DUPLICATE_CHECK: Final = 60  # seconds in which an identical message is dropped

# developer.work.weixin.qq.com, 微信客服 发送消息
KF_TEXT: Final = 2048  # bytes
KF_AFTER_MESSAGE: Final = (5, timedelta(hours=48))

# developers.weixin.qq.com, 接口域名说明: the address for disaster recovery
STANDBY: Final = {"https://api.weixin.qq.com": "https://api2.weixin.qq.com"}
STANDBY_FOR: Final = 60.0  # seconds before the first address is tried again

# Ours: how long we wait for a platform, in seconds
CONNECT_TIMEOUT: Final = 3.0
TOTAL_TIMEOUT: Final = 10.0
CALLS_AT_ONCE: Final = 64  # to one platform
