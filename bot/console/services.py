"""What console pages need of the house."""

from __future__ import annotations

from aiohttp import web

from bot.conversation.receive import Reception

RECEPTION = web.AppKey("console_reception", Reception)
