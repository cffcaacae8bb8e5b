"""The console in English: every phrase has one, and what people wrote stays as they wrote it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from bot.console import english
from bot.console.english import CHINESE, catalogue, in_english, phrases, say
from bot.console.pages import STATIC, TEMPLATES
from tests.console.conftest import COLLEAGUES, PASSWORD, House

CONSOLE = Path(english.__file__).parent
# Not words of the console: what is said to patients on the phone or sent to colleagues' phones, what is looked for
# in somebody's sentences, how texts are noted down, and the numbers of the lunar calendar.
SPOKEN = {"script.py", "mentions.py", "lint.py", "promises.py", "text_notation.py"}
LOOKED_FOR = re.compile(
    r"(?:多?谢.{0,2}|感谢|嗯嗯?|收到(?:谢谢)?|知道了(?:谢谢)?|明白了?|再见|您?辛苦了|好的?(?:谢谢您?)?|谢谢(?:护士|医生)"
    r"|[一二三四五六七八九十正冬腊初廿闰班鿿日«»]+|中文|你好|某某|【测试】|昨天|明天|12月1日.*|.*（周\{\})"
)


def _of_templates() -> Iterator[tuple[str, str]]:
    lexer = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    for path in sorted(TEMPLATES.glob("*.html")):
        for _, kind, value in lexer.lex(path.read_text(encoding="utf-8")):
            if kind in ("data", "string"):
                yield from ((path.name, phrase) for phrase in phrases(value))


def _of_scripts() -> Iterator[tuple[str, str]]:
    for path in sorted(STATIC.glob("*.js")):
        if ".min." not in path.name:
            yield from ((path.name, phrase) for phrase in phrases(path.read_text(encoding="utf-8")))


def _of_code() -> Iterator[tuple[str, str]]:
    for path in sorted(CONSOLE.rglob("*.py")):
        if path.name in SPOKEN | {"english.py", "imports.py"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                passed |= {id(part) for part in node.values}
                words = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                yield path.name, "".join(map(str, words))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
                yield path.name, node.value


def test_every_phrase_is_in_the_catalogue() -> None:
    found = {
        phrase: place
        for place, phrase in (*_of_templates(), *_of_scripts(), *_of_code())
        if CHINESE.search(phrase) and not LOOKED_FOR.fullmatch(phrase)
    }
    missing = [f"{place}: {phrase}" for phrase, place in found.items() if phrase not in catalogue()]
    assert not missing, "say these in templates/console/english.toml:\n" + "\n".join(missing)


def test_values_keep_their_places() -> None:
    for phrase, words in catalogue().items():
        assert phrase.count("{}") == words.count("{}"), phrase


def test_what_is_not_ours_stays_as_it_is() -> None:
    assert say("昨天 10:05") == "yesterday 10:05"
    assert say("2小时5分") == "2 h 5 min"
    assert say("过了有效时间；夜间不打扰") == "Past its useful time; night"
    assert say("张三丰") == "张三丰"
    assert (
        in_english('<b>{{</b>个待拨<i title="来电号码">') == '<b>{{</b> to ring <i title="Caller\'s number">'
    )


async def test_a_colleague_chooses_english_and_keeps_it(house: House) -> None:
    await house.says("电话")  # a word of the console, too
    nurse = await house.colleague()
    assert (await nurse.post("/console/me/language", language="en", back="/console/inbox"))[
        1
    ] == "/console/inbox"
    page = await nurse.sees("/console/inbox?folder=all")
    assert '<html lang="en">' in page
    assert "Conversations" in page
    assert "english/console.js" in page
    number = re.search(r"/console/conversations/(\d+)", page)
    assert number is not None
    thread = await nurse.sees(number[0])
    assert re.search(r'<span class="text">\s*电话\s*</span>', thread)  # the patient's word
    assert (await nurse.post("/console/me/language", language="xx"))[0] == 422
    again = await house.colleague()
    assert '<html lang="en">' in await again.sees("/console/me")
    script = await again.sees("/console/static/english/console.js")
    assert "Connection lost" in script
    assert not CHINESE.search(re.sub(r'"、"', "", script))


async def test_the_door_speaks_chinese_until_somebody_chooses_english(house: House) -> None:
    visitor = await house.visitor()
    assert "密码" in (await visitor.get("/console/login", **{"Accept-Language": "en-GB,en"}))[1]
    assert "Password" in (await visitor.get("/console/login?language=en"))[1]
    form = {"name": COLLEAGUES["nurse"], "password": PASSWORD, "language": "en"}
    assert (await visitor.post("/console/login", **form))[0] == 303
    assert '<html lang="en">' in await visitor.sees("/console/me")


PAGES = {
    "nurse": "inbox alarms search patients tickets calls me me/totp",
    "manager": "figures figures?of=response figures?of=retention figures/alarms figures/month admin/roster",
    "marketing": "broadcasts stop",
    "admin": "admin admin/users admin/outbox admin/accounts admin/imports",
    "auditor": "audit?verify=1",
}
DATA = re.compile(
    r'<td>[^<]*</td>|<option value="[A-Z]+[0-9]*">[^<]*</option>|<a class="me".*?</a>', re.DOTALL
)
NAMES = re.compile(r"[\u3400-\u9fff]+甲|护士乙|中文|护|未绑定用户|[\u3400-\u9fff]+科")


@pytest.mark.parametrize("role", PAGES)
async def test_pages_in_english_hold_no_chinese_of_ours(house: House, role: str) -> None:
    visitor = await house.colleague(role)
    await visitor.post("/console/me/language", language="en")
    for path in PAGES[role].split():
        seen = DATA.sub("", await visitor.sees(f"/console/{path}"))
        left = CHINESE.findall(NAMES.sub("", seen))
        assert not left, f"{path}: {''.join(left)} in {seen[max(0, seen.find(left[0]) - 200) :][:400]}"
