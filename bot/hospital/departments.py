"""How a department is called where others may look over the patient's shoulder (PRV-19)."""

from __future__ import annotations

from typing import Final

# Names that say too much in a message that pops up on a screen.
SENSITIVE: Final = (
    *(
        "性病",
        "精神",
        "心理",
        "肿瘤",
        "生殖",
        "妇",
        "产科",
        "产前",
        "计划生育",
        "艾滋",
        "感染",
        "肛肠",
        "泌尿",
    ),
    *("男科", "戒毒", "传染", "肝病", "癌"),
)
NEUTRAL: Final = "门诊"


def alias(name: str) -> str:
    """The department's name, or 门诊 where the name tells of the illness."""
    return NEUTRAL if any(word in name for word in SENSITIVE) else name
