"""The smallest sensible files of a data folder, for tests to break or add to."""

from __future__ import annotations

HOSPITAL = "key,value\nname,青禾市人民医院\nphone,0571-88880000\n"
DEPARTMENTS = "code,name,location,aliases,description\nGK,骨科,3 楼,骨伤科|关节外科,骨折、关节\nEK,儿科,1 楼,,儿童常见病\n"
DOCTORS = "code,name,title,department_code,specialties,fee\nD1,张三,主任医师,GK,膝关节,50.00\nD2,李四,主治医师,EK,,25\n"
SLOTS = "code,doctor_code,start,end,capacity\nS1,D1,2026-11-23T08:00,2026-11-23T08:30,3\n"
PATIENT_COLUMNS = (
    "code,name,sex,birth_date,lunar_birthday,phone,id_number,language,source,region,"
    "allergies,history,vip_level,marketing_consent,deceased_on"
)
PATIENTS = (
    PATIENT_COLUMNS
    + """
P1,王小明,M,1980-01-02,0,13800000001,11010119800102123X,,微信,城东,青霉素,,3,1,
P2,赵六,F,2020-02-29,1,+86 138-0000-0001,,zh-Hant,,,,,,0,
"""
)
VISITS = """code,patient_code,department_code,doctor_code,date,kind,amount,discharged_on,status
V1,P1,GK,D1,2026-10-01,outpatient,120.50,,
"""
PROCEDURES = """code,patient_code,name,family,department_code,doctor_code,date,time,discharged_on,status
OP1,P1,全膝关节置换术,joint,GK,D1,2026-11-15,09:30,,
"""
REPORTS = """code,patient_code,kind,title,status,issued_at
R1,P1,lab,血常规,ready,2026-11-17T15:20
"""
REPORT_ITEMS = """report_code,name,value,unit,reference_range,flag
R1,白细胞计数,11.2,10^9/L,3.5-9.5,H
R1,碱剩余,-3.5,mmol/L,0-3,L
"""
POINTS_COLUMNS = "code,patient_code,at,change,reason"
POINTS = POINTS_COLUMNS + "\nPT1,P1,2026-01-01T08:00,100,开户赠送\n"
TAGS = "patient_code,tag\nP1,高血压\n"
GIFTS = "code,name,points,cash,stock\nG1,血压计,3000,0,5\n"
ANSWERS = "code,questions,answer,answer_zh_hant,answer_en\nA1,停车在哪|怎么停车,北门地下。,北門地下。,Below the north gate.\n"

FILES = {
    "hospital": HOSPITAL,
    "departments": DEPARTMENTS,
    "doctors": DOCTORS,
    "slots": SLOTS,
    "patients": PATIENTS,
    "visits": VISITS,
    "procedures": PROCEDURES,
    "reports": REPORTS,
    "report_items": REPORT_ITEMS,
    "points": POINTS,
    "tags": TAGS,
    "gifts": GIFTS,
    "answers": ANSWERS,
}
