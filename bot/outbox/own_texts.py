"""What a hospital may write in the place of a text of ours: other words, with the same facts and the same promises.

A text that breaks a rule here never counts: it is refused when it is written, and left out when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import jinja2
from jinja2 import nodes

LONGEST: Final = 2_400  # bytes of the source: one message on every platform, after the facts are in
HOSPITAL: Final = frozenset(
    {"name", "short_name", "phone", "nurse_phone", "complaint_phone", "address", "emergency_name"}
)
_ALWAYS: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Filter,
)
# Contract §5: these words confirm, so a text has them when ours has them, and else never.
CONFIRMING: Final = re.compile(
    r"预约成功|已取消|改约成功|绑定成功|已登记|預約成功|改約成功|綁定成功|已登記|\b(?:booked|cancelled|rescheduled|linked|registered)\b",
    re.IGNORECASE,
)
# safety.md §1.3 and §5.1 MKT-03: never said to a patient.
NEVER: Final = re.compile(
    r"您得的是|考虑是|正常现象|不要紧|不用去医院|等明天看看|护士马上就到|保证|一定能好|根治|治愈率|最好的医|"
    r"(?<!不要自行)(?<!不要自己)(?<!不自行)加量|减量|换药|\d+ ?(?:mg|毫克)"
)
OFFERS: Final = re.compile(r"优惠|打折|折扣|特价|促销|代金券|红包|抽奖|半价|[一二三四五六七八九]折")
CALLED: Final = re.compile(r"(?<!\d)1\d{2,4}(?!\d)")  # 120, 110, 12356: numbers to call
COMMANDS: Final = re.compile(r"“[^”{}]{1,8}”")  # what to reply


def faults(name: str, source: str, shipped: str) -> list[str]:
    """Why this may not stand in the place of our text `greeting/birthday.zh-Hans`, in the staff's words."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  read, never rendered here
    if len(source.encode()) > LONGEST:
        return [f"太长：{len(source.encode())}字节，最多{LONGEST}字节"]
    if not source.strip():
        return ["内容为空"]
    try:
        ours, theirs = environment.parse(shipped), environment.parse(source)
    except jinja2.TemplateSyntaxError as error:
        return [f"第{error.lineno}行的花括号写法不对"]
    return [*_code(ours, theirs), *_words(name, _plain(ours), _plain(theirs))]


def only_ours(source: str, shipped: str) -> bool:
    """Whether its braces hold nothing but what ours hold, so that it may be rendered at all."""
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  read, never rendered here
    try:
        return len(source.encode()) <= LONGEST and not any(
            _code(environment.parse(shipped), environment.parse(source), whole=False)
        )
    except jinja2.TemplateSyntaxError:
        return False


def facts(source: str) -> list[str]:
    """The facts that a text prints or asks about, in the order in which they come: `name`, `doctor.title`."""
    found = [_fact(node) for node in _outermost(jinja2.Environment().parse(source))]  # noqa: S701
    return list(dict.fromkeys(found))


def _code(ours: nodes.Template, theirs: nodes.Template, *, whole: bool = True) -> Iterator[str]:
    """Nothing in the braces but what ours has; as a whole, all that ours prints."""
    allowed = (*_ALWAYS, *{type(node) for node in ours.find_all(nodes.Node)})
    for node in theirs.find_all(nodes.Node):
        if type(node) not in allowed:
            yield f"第{node.lineno}行：花括号里只能用原来的写法"
            return
    filters = {node.name for node in ours.find_all(nodes.Filter)} | {"moment", "day", "clock"}
    for each in theirs.find_all(nodes.Filter):
        if each.name not in filters:
            yield f"没有“|{each.name}”这种写法"
    known = {_fact(node) for node in _outermost(ours)}
    for fact in dict.fromkeys(_fact(node) for node in _outermost(theirs)):
        first, _, rest = fact.partition(".")
        if fact not in known and not (first == "hospital" and rest in HOSPITAL):
            yield f"这条消息里没有“{fact}”这个变量"
    if not whole:
        return
    said = {_fact(node) for node in _printed(theirs)}
    for fact in dict.fromkeys(_fact(node) for node in _printed(ours)):
        if fact not in said and not fact.startswith("hospital."):
            yield f"缺少变量 {{{{ {fact} }}}}"


def _words(name: str, ours: str, theirs: str) -> Iterator[str]:
    """The same promises, numbers and orders as ours; nothing that nobody may say."""
    if (word := NEVER.search(theirs)) and not NEVER.search(ours):
        yield f"不能对患者说“{word[0]}”"
    confirms = {word.lower() for word in CONFIRMING.findall(ours)}
    for said in dict.fromkeys(word.lower() for word in CONFIRMING.findall(theirs)):
        if said not in confirms:
            yield f"“{said}”只能出现在真正的确认消息里"
    for said in sorted(confirms - {word.lower() for word in CONFIRMING.findall(theirs)}):
        yield f"确认消息必须写“{said}”"
    for number in dict.fromkeys(CALLED.findall(ours)):
        if number not in theirs:
            yield f"必须保留电话 {number}"
    for words in dict.fromkeys(COMMANDS.findall(ours)):
        if words.strip("“”") not in theirs:
            yield f"必须告诉患者可以回复{words}"
    if name.startswith("greeting/") and (word := OFFERS.search(theirs)):
        yield f"问候里不能有“{word[0]}”，那是营销"


def _plain(tree: nodes.Template) -> str:
    return "".join(node.data for node in tree.find_all(nodes.TemplateData))


def _printed(tree: nodes.Node) -> Iterator[nodes.Node]:
    for output in tree.find_all(nodes.Output):
        for child in output.nodes:
            yield from _outermost(child, values=True)


def _outermost(tree: nodes.Node, *, values: bool = False) -> Iterator[nodes.Node]:
    """Names with their attributes, `doctor.title` once and not `doctor` again. *values*: not what only decides."""
    if isinstance(tree, nodes.Name) or (isinstance(tree, nodes.Getattr) and _rooted(tree)):
        yield tree
        return
    for child in tree.iter_child_nodes(exclude=("test",) if values else None):
        yield from _outermost(child, values=values)


def _rooted(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr):
        node = node.node
    return isinstance(node, nodes.Name)


def _fact(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_fact(node.node)}.{node.attr}"
    return str(node.name) if isinstance(node, nodes.Name) else ""
