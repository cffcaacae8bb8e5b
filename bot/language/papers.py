"""What proves who somebody is, each recognised by its shape: telephone, one-time code, name, end of an ID number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PHONE: Final = re.compile(r"(?<![0-9+])(?:\+?86[- ]?)?(1[3-9][0-9])[- ]?([0-9]{4})[- ]?([0-9]{4})(?![0-9])")
_PHONE_ABROAD: Final = re.compile(r"\+(?!86)[1-9][0-9]{0,2}[- ]?[0-9](?:[- ]?[0-9]){5,11}(?![0-9])")
# Eighteen characters; the last may be X (GB 11643). Only its last four are of interest.
_WHOLE_ID: Final = re.compile(r"(?<![0-9])[0-9]{14}([0-9]{3}[0-9x])(?![0-9a-z])", re.IGNORECASE)
_CODE: Final = re.compile(r"(?<![0-9])(?:[0-9]{6}|[0-9]{3}[ -][0-9]{3})(?![0-9]|x(?![a-z]))", re.IGNORECASE)
_ENDING: Final = re.compile(r"(?<![0-9a-z])([0-9]{3}[0-9x])(?![0-9a-z])", re.IGNORECASE)
_ANY_ENDING: Final = re.compile(r"(?=[^0-9]{0,3}[0-9])[0-9a-z()]{4}", re.IGNORECASE)

_CHINESE_NAME: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_LONG_NAME: Final = re.compile(r"[\u3400-\u9fff]{1,8}(?:[·•・.][\u3400-\u9fff]{1,8}){1,3}")
_LATIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z'’-]+(?: [A-Za-z][A-Za-z'’-]*){1,4}")

# What people write around the facts. Longer ones first.
_LABELS: Final = re.compile(
    r"手机号码|电话号码|联系电话|手机号|手机|电话|验证码|校验码|身份证号码|身份证号|身份证|证件号|后四位|后4位|最后四位|末四位|末尾|尾号"
    r"|(?:我|她|他|患者|病人|就诊人|孩子|本人)的?(?:姓名|名字|大名)(?:是|叫)?|姓名(?:是|叫)?|名字(?:是|叫)?|(?:我|她|他)叫"
    r"|(?:帮我|给我|我要|我想|请|麻烦)*绑定(?:一下)?(?:就诊卡|就诊人|本人)?|添加家人|就诊卡|就诊人"
    r"|\b(?:my name is|the name is|name|my phone is|phone|mobile|number|code|id|link|bind|add family|i am|is)\b[:：]?",
    re.IGNORECASE,
)
_RELATIVES: Final = re.compile(
    r"^我?(?:妈妈|爸爸|母亲|父亲|老妈|老爸|老公|老婆|丈夫|妻子|爱人|儿子|女儿|孩子|小孩|宝宝|爷爷|奶奶|外公|外婆|妈|爸)(?:叫|是)?"
)
_VERB: Final = re.compile(r"^(?:我是|是|叫)(?=[\u3400-\u9fff]{2,4}$)")
_NAME_LABEL: Final = re.compile("姓名|名字|我叫|[她他]叫|name is", re.IGNORECASE)
_GAPS: Final = re.compile(r"[^\u3400-\u9fff\U00020000-\U0003ffffA-Za-z'’·•・. -]+")

_ONE_LATIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z'’-]{1,19}")
_TITLE: Final = re.compile("(?<=[\u3400-\u9fff]{2})(?:先生|女士|小姐)$")

_NO_NAME: Final = re.compile(
    "没有|没收|收到|没?收不?到|不知道?|不晓得|忘记?了?|什么|什么意思|怎么[办弄]|为什么|等等|等一下|稍等|[你您]好|[谢多]谢|再见|在吗|好的|可以"
    "|不[行要用是]|确认|确定|是的|取消|退出|重新?发|再发|看不懂|人工|菜单|帮助|返回|上一步|换成?|改[成为]|号码|本人|自己|孩子|小孩|儿子|女儿"
    "|妈妈|爸爸|母亲|父亲|家人|老公|老婆|朋友|医生|护士|大夫|医院|投诉|表扬|挂号|预约|报告|积分|绑定|解绑|退订|ok|okay|yes|no|sure|what|why|how|help|hello|hi|thanks?|resend|again|cancel|menu|nurse|bind|link",
    re.IGNORECASE,
)
# The commonest surnames; together they are those of about 98 of 100 people.
_SURNAMES: Final = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石"
    "姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文施洪褚卫柳华章云葛奚鲍俞袁柳酆费廉岑倪滕殷罗毕安乐"
    "时皮卞齐伍元卜平和穆尹湛祁禹狄米贝明臧计伏成谈茅庞纪舒屈项祝梁阮蓝闵席季麻强路娄危童颜梅盛刁骆樊凌霍虞柯管莫经房裘缪解应宗宣"
    "贲裴焦巴牧隗谷车宓蓬全班仰仲宫宁仇栾甘戎符景詹束幸司韶郜蓟薄印宿怀蒲邰鄂索咸籍卓蔺屠蒙池阴胥能苍闻莘党翟谭贡劳姬申扶堵冉宰郦"
    "雍璩桑桂牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿充慕连茹习宦艾鱼容向古慎戈庾终暨居衡步都耿满弘匡国寇广禄阙东欧利师巩聂晁勾敖融冷辛"
    "阚那简饶空沙养丰巢关相查荆红游竺权盖益桓公岳帅肖涂覃游粟岑邝苗单佟鞠麦甄尤付代闫侬佘"
)


@dataclass(frozen=True, slots=True)
class Papers:
    """What one message tells of a person's identity. Empty texts: it does not."""

    phone: str = ""  # as it was written, without separators: 13800000001, +85291234567
    code: str = ""  # six digits
    ending: str = ""  # the last four characters of the ID number, upper case
    name: str = ""
    digits: bool = False  # it holds digits that fit nothing
    alone: bool = False  # nothing else was said

    def __bool__(self) -> bool:
        return bool(self.phone or self.code or self.ending or self.name)


def read_papers(text: str, *, name_asked: bool = False, ending_asked: bool = False) -> Papers:
    """Read *text*, as normalised by `bot.language.normalise`, for everything that proves who somebody is.

    Where a name was not asked for, two to four characters are one only when a common surname comes first, and
    Latin words only beside something else.
    """
    rest, phone = _take(_PHONE, text)
    if not phone:
        rest, phone = _take(_PHONE_ABROAD, text)
    rest, ending = _take(_WHOLE_ID, rest)
    rest, code = _take(_CODE, rest)
    if not ending:
        rest, ending = _take(_ENDING, rest)
    if not ending and ending_asked and _ANY_ENDING.fullmatch(rest.strip()):
        rest, ending = "", rest.strip()
    beside = bool(phone or code or ending)
    name = next(_names(rest, any_surname=name_asked, latin=name_asked or beside), "")
    return Papers(
        phone=phone,
        code=code,
        ending=ending.upper(),
        name=name,
        digits=any(character.isdigit() for character in rest),
        alone=not any(character.isalpha() for character in _LABELS.sub(",", rest.replace(name, "", 1))),
    )


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.search(text)
    if found is None:
        return text, ""
    value = "".join(found.groups()) or found.group()
    return text[: found.start()] + "," + text[found.end() :], re.sub(r"[ -]", "", value)


def _names(text: str, *, any_surname: bool, latin: bool) -> Iterator[str]:
    labelled = bool(_NAME_LABEL.search(text))
    for part in _GAPS.split(_LABELS.sub(",", text)):
        for token in (part.strip(" .-"), *part.split()):
            word = _TITLE.sub("", _VERB.sub("", _RELATIVES.sub("", token)))
            if not word or _NO_NAME.fullmatch(word):
                continue
            if _is_name(word, any_surname=any_surname or labelled, latin=latin or labelled):
                yield word


def _is_name(word: str, *, any_surname: bool, latin: bool) -> bool:
    if _LONG_NAME.fullmatch(word) or (latin and _LATIN_NAME.fullmatch(word)):
        return True
    if _CHINESE_NAME.fullmatch(word):
        return any_surname or word[0] in _SURNAMES
    return any_surname and _ONE_LATIN_NAME.fullmatch(word) is not None
