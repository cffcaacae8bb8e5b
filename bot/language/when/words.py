"""The words that speak of time, each with what it is to the grammar and its value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from typing import Any, NamedTuple

from bot.language.numerals import Count


class Kind(Enum):
    """What a word is to the grammar; the value it carries stands behind it."""

    NUMBER = auto()
    FEW = auto()  # 几, 数: a number unsaid
    HALF = auto()
    MEASURE = auto()  # 个
    ORDINAL = auto()  # 第
    UNIT = auto()  # Unit
    RELATIVE = auto()  # units away: 上 -1, 这 0, 下下 2
    DAY = auto()  # (days from today, part of the day or None)
    YEAR = auto()  # years from this one
    WEEKDAY = auto()  # 1 Monday … 7 Sunday
    WEEKEND = auto()
    PART = auto()  # Part
    FESTIVAL = auto()  # its name in bot.domain.calendar
    LUNAR = auto()
    LUNAR_MONTH = auto()  # 1 … 12
    LUNAR_DAY = auto()  # 1 … 30
    LUNAR_DATE = auto()  # (month, day): 年初三
    LEAP = auto()
    MONTH = auto()  # 1 … 12, a name and not a number
    SEASON = auto()  # 1 spring … 4 winter
    QUARTER = auto()  # 1 … 4
    HALF_YEAR = auto()  # 1, 2
    PORTION = auto()  # (of which Unit, Portion)
    CLOCK = auto()  # (hour, minute, second)
    DATE = auto()  # (year or None, month, day or None)
    DAYS = auto()  # (first, last) days from today: 今明两天
    YEARS = auto()  # the same of years: 今明两年
    NOW = auto()
    TO = auto()
    AND = auto()
    OR = auto()
    FROM = auto()
    BETWEEN = auto()
    AFTER = auto()
    BEFORE = auto()
    WITHIN = auto()
    SINCE = auto()
    ONWARDS = auto()
    DURING = auto()
    VACATION = auto()  # 假期: the days off around a festival
    THAT_DAY = auto()
    NEXT_DAY = auto()  # 次日, 第二天
    ABOUT = auto()
    PAST = auto()  # 过去
    RECENT = auto()  # 最近
    COMING = auto()  # 未来
    PASSING = auto()  # 过, 再过: so long from now
    FRONT = auto()  # 前, 头
    LAST = auto()
    WORKDAY = auto()
    FEAST = auto()  # 节, the next holiday whichever it is
    NEW_YEAR = auto()  # 年后, 年前: the side of the Spring Festival
    SHORT_OF = auto()  # 差
    SHARP = auto()
    EVERY = auto()
    SEPARATOR = auto()  # a comma
    FILLER = auto()  # 的, a space


class Unit(Enum):
    """A length of time. MONTH_COUNT is 个月, which is never the name of a month."""

    SECOND = auto()
    MINUTE = auto()
    QUARTER_HOUR = auto()
    HOUR = auto()
    O_CLOCK = auto()  # 点, 时
    DAY = auto()
    DATE = auto()  # 日, 号: the day of a month, 日 also a length
    WEEK = auto()
    TEN_DAYS = auto()
    MONTH = auto()
    QUARTER = auto()
    HALF_YEAR = auto()
    SEASON = auto()
    YEAR = auto()
    DECADE = auto()  # 年代
    CENTURY = auto()


class Portion(Enum):
    """Which stretch of a month, a year or a decade."""

    BEGINNING = auto()
    MIDDLE = auto()
    END = auto()
    FIRST_TEN_DAYS = auto()
    SECOND_TEN_DAYS = auto()
    LAST_TEN_DAYS = auto()
    FIRST_HALF = auto()
    SECOND_HALF = auto()


class Part(Enum):
    """A part of the day: its first hour, the hour it ends, and what it adds to a clock of twelve."""

    SMALL_HOURS = (0, 6, "night")
    DAWN = (5, 8, "morning")
    MORNING = (6, 12, "morning")
    FORENOON = (8, 12, "morning")
    NOON = (11, 14, "noon")
    AFTERNOON = (12, 18, "afternoon")
    EARLY_AFTERNOON = (13, 15, "afternoon")
    DUSK = (17, 20, "afternoon")
    EVENING = (18, 24, "evening")
    NIGHT = (20, 24, "evening")
    MIDNIGHT = (0, 5, "midnight")
    DAYTIME = (8, 18, "noon")
    AM = (0, 12, "morning")
    PM = (12, 24, "afternoon")


class Word(NamedTuple):
    """What one word of the vocabulary is."""

    kind: Kind
    value: object = None


_PARTS: Mapping[Part, str] = {
    Part.SMALL_HOURS: "凌晨 拂晓 下半夜 后半夜",
    Part.DAWN: "清晨 清早 大清早 一大早 一早 黎明 天亮 天刚亮 早晨 晨间 大早上",
    Part.MORNING: "早上 早间 早 朝早 朝早晨 一大清早",
    Part.FORENOON: "上午 上昼 头晌 午前 前晌",
    Part.NOON: "中午 正午 午间 晌午 晏昼 中午头 大中午 晌午头",
    Part.AFTERNOON: "下午 下昼 后晌 下晌 过晌 午后时分",
    Part.EARLY_AFTERNOON: "午后",
    Part.DUSK: "傍晚 黄昏 傍黑 擦黑 傍晚时分 傍晚时候 天黑",
    Part.EVENING: "晚上 晚间 夜晚 夜里 夜间 夜 晚 晚黑 大晚上 上半夜 前半夜 入夜 下晚 晚夕 晚头",
    Part.NIGHT: "深夜 大半夜 半夜三更 深更半夜 三更半夜",
    Part.MIDNIGHT: "半夜 午夜 子夜",
    Part.DAYTIME: "白天 日间 白日",
}
_DAYS: Mapping[int, str] = {
    0: "今天 今日 今儿 今儿个 本日",
    1: "明天 明日 明儿 明儿个 听日 翌日 tomorrow tmr tmrw",
    2: "后天 后日 后儿 后儿个",
    3: "大后天 大后日 大后儿 外后天",
    4: "大大后天",
    -1: "昨天 昨日 昨儿 昨儿个 寻日 琴日 噚日 yesterday",
    -2: "前天 前日 前儿 前儿个",
    -3: "大前天 大前日 大前儿",
    -4: "大大前天",
}
_DAY_AND_PART: Mapping[tuple[int, Part], str] = {
    (0, Part.MORNING): "今早 今晨 今朝 今早上",
    (0, Part.FORENOON): "今上午",
    (0, Part.AFTERNOON): "今下午 今下昼",
    (0, Part.NOON): "今午 今中午",
    (0, Part.EVENING): "今晚 今夜 今晚上 今晚黑 今宵",
    (1, Part.MORNING): "明早 明晨 明朝 听朝 听早 明早上",
    (1, Part.FORENOON): "明上午",
    (1, Part.AFTERNOON): "明下午 听下昼",
    (1, Part.NOON): "明午 明中午",
    (1, Part.EVENING): "明晚 明夜 听晚 明晚上",
    (-1, Part.MORNING): "昨早 昨晨",
    (-1, Part.AFTERNOON): "昨下午",
    (-1, Part.EVENING): "昨晚 昨夜 昨晚上 寻晚 琴晚 噚晚 昨儿晚上 昨儿夜里",
    (2, Part.EVENING): "后晚",
    (-2, Part.EVENING): "前晚",
}
_SEVERAL_DAYS: Mapping[tuple[int, int], str] = {
    (0, 1): "今明两天 今明两日 今明天 今天明天 今明2天",
    (1, 2): "明后两天 明后天 明后两日 明天后天 明后2天 明后日",
    (0, 2): "今明后三天 今明后天 今明后3天",
    (-1, 0): "昨今两天 昨天今天",
    (-2, -1): "前昨两天 昨前两天",
}
_YEARS: Mapping[int, str] = {
    0: "今年 本年 当年 本年度 今年度 年内 本年内",
    1: "明年 来年 下年 次年 下年度 明年度",
    2: "后年",
    3: "大后年",
    -1: "去年 上年 旧年 上年度 去年度",
    -2: "前年",
    -3: "大前年",
}
_FESTIVALS: Mapping[str, str] = {
    "元旦": "元旦 元旦节 阳历年 公历新年 新年第一天 newyearsday",
    "除夕": "除夕 除夕夜 大年三十 年三十 大年夜 年夜 腊月三十 年卅",
    "春节": "春节 大年初一 年初一 农历新年 正月初一 过年 新春 新年初一 中国年 springfestival",
    "元宵": "元宵 元宵节 灯节 上元节 正月十五",
    "龙抬头": "龙抬头 二月二龙抬头 二月二",
    "端午": "端午 端午节 端阳 端阳节 五月节 五月初五",
    "七夕": "七夕 七夕节 中国情人节 乞巧节 七夕情人节",
    "中元": "中元节 鬼节 七月半 盂兰节",
    "中秋": "中秋 中秋节 八月节 八月半 团圆节",
    "重阳": "重阳 重阳节 老人节 九月初九 九九重阳节 重九节",
    "寒衣节": "寒衣节",
    "下元": "下元节",
    "腊八": "腊八 腊八节",
    "小年": "小年 小年夜 北方小年",
    "情人节": "情人节 valentine",
    "女生节": "女生节",
    "妇女节": "妇女节 三八节 三八妇女节 三八 国际妇女节 三八国际妇女节 女神节 女人节",
    "植树节": "植树节",
    "白色情人节": "白色情人节",
    "消费者权益日": "消费者权益日 三一五 三一五消费者权益日 国际消费者权益日",
    "愚人节": "愚人节 西方愚人节",
    "清明": "清明节 清明 踏青节 扫墓节",
    "世界地球日": "世界地球日 地球日",
    "劳动节": "劳动节 五一 五一节 五一劳动节 国际劳动节 五一国际劳动节",
    "青年节": "青年节 五四 五四青年节 五四节",
    "护士节": "护士节 国际护士节 五一二护士节",
    "母亲节": "母亲节 mothersday",
    "儿童节": "儿童节 六一 六一儿童节 六一节 国际儿童节 六一国际儿童节",
    "父亲节": "父亲节 爸爸节 fathersday",
    "建党节": "建党节 七一 七一建党节 党的生日 香港回归日 香港回归纪念日",
    "建军节": "建军节 八一 八一建军节 八一节",
    "医师节": "医师节 中国医师节",
    "抗战胜利日": "抗战胜利日 抗战胜利纪念日",
    "教师节": "教师节",
    "国庆": "国庆 国庆节 十一国庆 十一国庆节 十一节 nationalday",
    "万圣夜": "万圣夜 万圣节前夜 万圣节前夕",
    "万圣节": "万圣节 halloween",
    "记者节": "记者节",
    "光棍节": "光棍节 双十一 双11 双十一光棍节",
    "感恩节": "感恩节 thanksgiving",
    "双十二": "双十二 双12",
    "国家公祭日": "国家公祭日",
    "平安夜": "平安夜 圣诞前夜 圣诞夜 圣诞节前夜 圣诞前夕",
    "圣诞节": "圣诞节 圣诞 耶诞节 christmas xmas",
    "跨年夜": "跨年夜 跨年 元旦前夜",
    "复活节": "复活节 easter",
    "立春": "立春",
    "雨水": "雨水节气",
    "惊蛰": "惊蛰",
    "春分": "春分",
    "谷雨": "谷雨",
    "立夏": "立夏",
    "小满": "小满",
    "芒种": "芒种",
    "夏至": "夏至",
    "小暑": "小暑",
    "大暑": "大暑",
    "立秋": "立秋",
    "处暑": "处暑",
    "白露": "白露",
    "秋分": "秋分",
    "寒露": "寒露",
    "霜降": "霜降",
    "立冬": "立冬",
    "小雪": "小雪节气",
    "大雪": "大雪节气",
    "冬至": "冬至 冬至节 冬节",
    "小寒": "小寒",
    "大寒": "大寒",
}
_UNITS: Mapping[Unit, str] = {
    Unit.SECOND: "秒 秒钟",
    Unit.MINUTE: "分 分钟",
    Unit.QUARTER_HOUR: "刻 刻钟",
    Unit.HOUR: "小时 钟头 钟 点钟头",
    Unit.O_CLOCK: "点 时 点钟 点儿钟",
    Unit.DAY: "天 日子 昼夜",
    Unit.DATE: "日 号",
    Unit.WEEK: "周 星期 礼拜",
    Unit.TEN_DAYS: "旬",
    Unit.MONTH: "月 月份",
    Unit.QUARTER: "季度 季",
    Unit.YEAR: "年 年度 周年",
    Unit.DECADE: "年代",
    Unit.CENTURY: "世纪",
}
_PORTIONS: Mapping[tuple[Unit, Portion], str] = {
    (Unit.MONTH, Portion.BEGINNING): "月初 月头 初 初期 前期 伊始",
    (Unit.MONTH, Portion.MIDDLE): "月中 月半 中期",
    (Unit.MONTH, Portion.END): "月底 月末 月尾 底 末 尾 终 末期 后期",
    (Unit.MONTH, Portion.FIRST_TEN_DAYS): "上旬 前旬",
    (Unit.MONTH, Portion.SECOND_TEN_DAYS): "中旬",
    (Unit.MONTH, Portion.LAST_TEN_DAYS): "下旬 后旬",
    (Unit.MONTH, Portion.FIRST_HALF): "上半月 前半月 上半个月 前半个月",
    (Unit.MONTH, Portion.SECOND_HALF): "下半月 后半月 下半个月 后半个月",
    (Unit.YEAR, Portion.BEGINNING): "年初 年头 开年 岁首",
    (Unit.YEAR, Portion.MIDDLE): "年中 年中旬",
    (Unit.YEAR, Portion.END): "年底 年末 年尾 岁末 年终",
    (Unit.WEEK, Portion.BEGINNING): "周初",
    (Unit.CENTURY, Portion.BEGINNING): "世纪初",
    (Unit.CENTURY, Portion.END): "世纪末",
}
_SEASONS: Mapping[int, str] = {
    1: "春天 春季 春 开春 入春 spring",
    2: "夏天 夏季 夏 入夏 summer",
    3: "秋天 秋季 秋 入秋 autumn",
    4: "冬天 冬季 冬 入冬 winter",
    5: "暑假 暑期",
    6: "寒假",
}
_SIMPLE: Mapping[Kind, str] = {
    Kind.FEW: "几 数 若干",
    Kind.HALF: "半 half",
    Kind.MEASURE: "个",
    Kind.ORDINAL: "第",
    Kind.LUNAR: "农历 阴历 旧历 夏历",
    Kind.LEAP: "闰",
    Kind.NOW: "现在 此刻 此时 当前 眼下 而家 宜家 依家 家下 这会儿 此时此刻 当下 刚才 刚刚 刚刚才 方才 头先 啱啱 马上 立刻 now",
    Kind.TO: "到 至 - -- ~ — —— – ー ～ 直到 一直到 to until till through",
    Kind.AND: "和 与 跟 及 and",
    Kind.OR: "或 或者 还是 、 或是 要么 or",
    Kind.FROM: "从 自 由 自从 from since",
    Kind.BETWEEN: "之间 between",
    Kind.AFTER: "后 以后 之后 过后 往后 later",
    Kind.BEFORE: "前 以前 之前 ago",
    Kind.WITHIN: "内 以内 之内 within",
    Kind.SINCE: "以来 至今 到现在",
    Kind.ONWARDS: "起 开始",
    Kind.DURING: "期间 里 里面 这段时间 时分 全天 整天 一整天",
    Kind.VACATION: "假期 长假 黄金周 小长假 放假期间 假期期间 假期里 七天长假 假日 放假",
    Kind.THAT_DAY: "当天 那天 当日 那日 这天 这一天 那一天",
    Kind.NEXT_DAY: "次日 第二天 转天 隔天",
    Kind.ABOUT: "左右 前后 许 多 来 上下 多钟 来钟 钟左右 的样子 附近",
    Kind.PAST: "过去",
    Kind.RECENT: "最近 近 近来",
    Kind.COMING: "未来 接下来 今后 将来 此后 随后 接着",
    Kind.PASSING: "过 再过 再等 再 等",
    Kind.FRONT: "头 首 first",
    Kind.LAST: "最后 最末",
    Kind.WORKDAY: "工作日 上班日",
    Kind.SHORT_OF: "差 欠",
    Kind.SHARP: "整 钟 正",
    Kind.EVERY: "每 每个 逢 每逢 隔 every",
    Kind.SEPARATOR: ", ， ( ) （ ）",
    Kind.FILLER: "的 嘅 之 大概 大约 差不多 约 of the on at in",
}
_FEASTS = "节 节日 节假日"  # the next legal holiday, when 前, 后 or 期间 follows
_RELATIVES: Mapping[int, str] = {
    -3: "上上上 上上上个",
    -2: "上上 上上个",
    -1: "上 上个 上一 上一个 last previous",
    0: "这 这个 本 这一 这一个 今 当 呢个 this",
    1: "下 下个 下一 下一个 next",
    2: "下下 下下个",
    3: "下下下 下下下个",
}
_WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_NAMES = "january february march april may june july august september october november december"
_ENGLISH_UNITS: Mapping[Unit, str] = {
    Unit.SECOND: "second seconds sec",
    Unit.MINUTE: "minute minutes min mins",
    Unit.HOUR: "hour hours hr hrs",
    Unit.DAY: "day days",
    Unit.WEEK: "week weeks wk",
    Unit.MONTH: "month months",
    Unit.QUARTER: "quarter",
    Unit.YEAR: "year years",
}
_ENGLISH_NUMBERS = (
    "a=1 an=1 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12"
)
_ENGLISH_PARTS: Mapping[Part, str] = {
    Part.FORENOON: "morning",
    Part.AFTERNOON: "afternoon",
    Part.NOON: "noon",
    Part.EVENING: "evening night",
    Part.MIDNIGHT: "midnight",
}

# Words that look like time and are not; met whole, they are passed over.
_NOT_TIME = "早上好 上午好 中午好 下午好 晚上好 早晨好 当时 早晚 早日 七上八下 一天到晚 天天 半天没 半月板"

# After or before which other words a word does not speak of time: 3号楼, 三点建议, 关节后.
NOT_BEFORE: Mapping[str, str] = {
    "号": "楼 线 诊 窗 床 机 门 厅 病 院 馆 台 公 车 桌 技 文 令 房 柜 屏 电梯 仓 站 口 码 称 召 脉 段 井 位 字 "
    "牌 区 路 胶囊 店 探 患 染色体 药 球",
    "日": "本 常 益 夜 均 语 元 志 光 程 系 报 渐 韩 式 料 产 照 晒 立",
    "月": "经 龄 子 球 光 饼 亮 嫂 票 薪 供 牙 台",
    "年": "龄 纪 轻 级 糕 薪 费 检 审 货 幼 画 夜 味 青 假",
    "天": "气 生 然 真 麻 津 使 空 花 疱 线 河 平 鹅 坛",
    "点": "击 评 赞 滴 燃 缀 破",
    "分": "之 析 泌 娩 享 辨",
    "时": "候 间 常 尚 代 期 差 装 髦",
    "秒": "杀 懂",
    "周": "岁 围 边 期 转 详 报",
    "刻": "意 苦 画 薄",
    "季": "节",
    "后天": "性 免疫 获得 失调",
    "二月二": "十 号 日 0 1 2 3 4 5 6 7 8 9 百 到 至 - ~",
    "过年": "纪 龄 轻 限",
    "五一": "路 广场 医院 大道 村",
    "八一": "路 广场 医院 大道 中学 村",
    "七一": "路 医院 村",
    "六一": "路 医院 村",
    "五四": "路 广场 医院 大道 运动",
    "三八": "路 线",
    "国庆": "路 村 街",
    "月初": "一 二 三 四 五 六 七 八 九 十",
    "年初": "一 二 三 四 五 六 七 八 九 十",
    "月中": "毒 旬",
    "初": "中 诊 步 次 期 产 潮 恋 级 始 衷 乳 发",
    "末": "次 端 梢 期 尾",
    "底": "下 子 部 片",
    "前": "列 台 胸 额 臂 庭 驱 期 夫 妻 置 锯 囟 牙 途 往 沿 房",
    "后": "背 脑 悔 遗 果 台 卫 代 颈 腰 腹 壁 续 期 勤 勾",
    "内": "科 分 镜 脏 容 衣 裤 外 在 部 痔 膜 耳 踝 侧 向 出血 伤 瘤 热",
    "里": "程 急",
    "起": "来 床 码 身 源 因 疹 泡 效",
    "多": "少 数 种 发 次 动 吃 喝 久 云 谢 功 余 么 项 普",
    "来": "看 医 源 自 不 回 月 得 复 做 拿 取 吗 了",
    "正": "在 常 好 月 确 规 式 是",
    "整": "个 形 体 容 理 夜 骨 牙 复",
}
_FEAST_SIDES = (
    *((word, Kind.AFTER) for word in ("后", "之后", "以后", "过后", "结束后")),
    *((word, Kind.BEFORE) for word in ("前", "之前", "以前")),
    *((word, Kind.DURING) for word in ("期间", "里", "当中")),
)
_JOINTS = "关 环 情 季 细 章 音 结 脉 骨 末 枝 调 礼 时 气 指 趾 髋 肩 肘 腕 膝 踝"  # 关节后, 季节里
_NUMBERED = (
    "0 1 2 3 4 5 6 7 8 9 〇 零 一 二 三 四 五 六 七 八 九 十 百 千 两 几 半 多 去 今 明 前 后 周 近 多少"  # noqa: RUF001
)
NOT_AFTER: Mapping[str, str] = {
    **dict.fromkeys((f"{feast}{side}" for feast in ("节",) for side, _ in _FEAST_SIDES), _JOINTS),
    "过年": "超 经 不 度 通",
    **dict.fromkeys(("年内", "年后", "年前"), _NUMBERED),
    "后天": "以 之 然 术",
    "后半年": "术 院 产 药 疗 病 镜 牙",
    "前半年": "术 院 产 药 疗 病 镜 牙",
    "前天": "以 之 术",
}


class Vocabulary(NamedTuple):
    """The words, None for one to skip, and how long those are that begin with a character, longest first."""

    words: Mapping[str, Word | None]
    lengths: Mapping[str, tuple[int, ...]]


@cache
def vocabulary() -> Vocabulary:
    """All words of time the reader knows."""
    words: dict[str, Word | None] = {}
    for kind, values in _TABLES:
        for value, said in values.items():
            words |= dict.fromkeys(said.split(), Word(kind, value))
    for (days, part), said in _DAY_AND_PART.items():
        words |= dict.fromkeys(said.split(), Word(Kind.DAY, (days, part)))
    for days, said in _DAYS.items():
        words |= dict.fromkeys(said.split(), Word(Kind.DAY, (days, None)))
    for bounds, said in _SEVERAL_DAYS.items():
        words |= dict.fromkeys(said.split(), Word(Kind.DAYS, bounds))
    words |= {"今明两年": Word(Kind.YEARS, (0, 1)), "去今两年": Word(Kind.YEARS, (-1, 0))}
    words |= dict.fromkeys(("年后", "过完年", "过了年", "过年后"), Word(Kind.NEW_YEAR, Kind.AFTER))
    words |= dict.fromkeys(("年前", "过年前"), Word(Kind.NEW_YEAR, Kind.BEFORE))
    for kind, said in _SIMPLE.items():
        words |= dict.fromkeys(said.split(), Word(kind))
    words |= {" ": Word(Kind.FILLER)}
    words = _weekdays() | _lunar_days() | _english() | words
    words |= {
        f"{feast}{after}": Word(Kind.FEAST, kind) for feast in _FEASTS.split() for after, kind in _FEAST_SIDES
    }
    words |= dict.fromkeys(_NOT_TIME.split())
    lengths: dict[str, set[int]] = {}
    for word in words:
        lengths.setdefault(word[0], set()).add(len(word))
    return Vocabulary(words, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()})


_TABLES: tuple[tuple[Kind, Mapping[Any, str]], ...] = (
    (Kind.PART, _PARTS),
    (Kind.PART, _ENGLISH_PARTS),
    (Kind.YEAR, _YEARS),
    (Kind.FESTIVAL, _FESTIVALS),
    (Kind.UNIT, _UNITS),
    (Kind.UNIT, _ENGLISH_UNITS),
    (Kind.PORTION, _PORTIONS),
    (Kind.SEASON, _SEASONS),
    (Kind.HALF_YEAR, {1: "上半年 前半年", 2: "下半年 后半年"}),
    (Kind.LUNAR_MONTH, {1: "正月", 11: "冬月 冬子月", 12: "腊月"}),
    (Kind.RELATIVE, _RELATIVES),
    (Kind.MONTH, {1: "元月 元月份"}),
    (Kind.WEEKEND, {0: "周末 星期末 礼拜末 双休日 weekend"}),
)
_WEEK_WORDS = ("周", "星期", "礼拜")
_HAN_DIGITS = "一二三四五六"


def _weekdays() -> dict[str, Word | None]:
    words: dict[str, Word | None] = {}
    for week in _WEEK_WORDS:
        names = {n + 1: (han, str(n + 1)) for n, han in enumerate(_HAN_DIGITS)} | {7: ("日", "天", "7", "七")}
        words |= {week + name: Word(Kind.WEEKDAY, n) for n, tails in names.items() for name in tails}
        words |= {week + both: Word(Kind.WEEKEND) for both in ("六日", "六周日", "六天")}
    for number, name in enumerate(_WEEKDAY_NAMES, 1):
        words |= dict.fromkeys((name, name[:3]), Word(Kind.WEEKDAY, number))
    words |= {"tues": Word(Kind.WEEKDAY, 2), "thur": Word(Kind.WEEKDAY, 4), "thurs": Word(Kind.WEEKDAY, 4)}
    return words


def _lunar_days() -> dict[str, Word | None]:
    digits = enumerate("一二三四五六七八九", 1)
    words = {f"初{said}": n for n, d in digits for said in (d, str(n))} | {"初十": 10, "初10": 10, "廿": 20}
    words |= {"廿" + d: 20 + n for n, d in enumerate("一二三四五六七八九", 1)}
    known: dict[str, Word | None] = {said: Word(Kind.LUNAR_DAY, n) for said, n in words.items()}
    for year in ("年", "大年", "新年"):
        known |= {year + said: Word(Kind.LUNAR_DATE, (1, n)) for said, n in words.items() if said[0] == "初"}
        known |= {year + said: Word(Kind.LUNAR_DATE, (12, n)) for said, n in words.items() if n > 22}
        known |= {f"{year}二十{d}": Word(Kind.LUNAR_DATE, (12, 20 + n)) for n, d in ((8, "八"), (9, "九"))}
    return known


def _english() -> dict[str, Word | None]:
    words: dict[str, Word | None] = {}
    for number, name in enumerate(_MONTH_NAMES.split(), 1):
        words |= dict.fromkeys((name, name[:3]), Word(Kind.MONTH, number))
    words["sept"] = Word(Kind.MONTH, 9)
    for pair in _ENGLISH_NUMBERS.split():
        name, _, value = pair.partition("=")
        words[name] = Word(Kind.NUMBER, Count(int(value), int(value)))
    words |= {"today": Word(Kind.DAY, (0, None)), "tonight": Word(Kind.DAY, (0, Part.EVENING))}
    return words
