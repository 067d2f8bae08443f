"""The words for days and times, one table per language; flows.when reads them.

A table maps a code to its words, separated by bars; sentences are folded before they are compared,
so accents and case do not matter. Weekdays and months are lists in order, Monday and January first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class Vocabulary:
    """One language's words."""

    codes: Mapping[str, str]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    numbers: tuple[str, ...]  # one, two, … twelve
    ordinal: str  # what follows a number to make it a day of the month: a regular expression
    brief: Mapping[int, str] = field(default_factory=dict)  # weekdays that are also other words
    halves: tuple[str, ...] = ()  # half to one, half to two, …, where that is one word


ENGLISH = Vocabulary(
    codes={
        "TODAY": "today",
        "TONIGHT": "tonight|this evening",
        "TOMORROW": "tomorrow|tmrw|tmr|tomorow|tommorow|tommorrow|tomoz|tomo|tmw|tomm",
        "AFTER_TOMORROW": "day after tomorrow|the day after tomorrow|overmorrow",
        "NEXT": "next",
        "THIS": "this|coming|this coming",
        "WEEKEND": "weekend|the weekend",
        "WEEK": "week|weeks|wk",
        "MONTH": "month",
        "DAY": "day|days",
        "HOUR": "hour|hours|hr|hrs",
        "MINUTE": "minutes|minute|mins|min",
        "HALF_HOUR": "half an hour|half hour",
        "IN": "in|within|beginning of|the beginning of|start of|the start of|early in|early",
        "FROM": "from",
        "FROM_NOW": "from now|from today|later",
        "ONE": "a|an",
        "morning": "morning|in the morning|mornings|mornin|morn|mornign",
        "afternoon": "afternoon|in the afternoon|afternoons|after lunch",
        "evening": "evening|in the evening|evenings|after work|after 5ish|eve|evning|after school",
        "night": "night|at night",
        "NOON": "noon|midday|at noon|lunchtime|lunch|lunch time|at lunch",
        "HALF_PAST": "half past|half",
        "QUARTER_PAST": "quarter past|quarter after",
        "QUARTER_TO": "quarter to",
        "AM": "am",
        "PM": "pm",
        "AT": "at|around|after|about|@|by|before|not before|until|till|from|approx",
        "LATER": "later|after that",
        "EARLIER": "earlier|sooner|before that",
        "OR": "or",
        "PEOPLE": "people|persons|ppl|of us|adults|guests",
        "ON": "on",
        "GREETING": "good morning|good afternoon|good evening|good night",
        "BETWEEN": "between",
        "NOT": "not|except|not on|except on|but not|apart from",
        "THE": "the",
        "OCLOCK": "o'clock|oclock|ish",
    },
    weekdays=(
        "monday|mondays|mon",
        "tuesday|tuesdays|tue|tues|teusday|tuesaday",
        "wednesday|wednesdays|wed|weds|wednesay|wensday|wendesday",
        "thursday|thursdays|thu|thur|thurs",
        "friday|fridays|fri",
        "saturday|saturdays|saterday|satruday",
        "sunday|sundays",
    ),
    months=(
        "january|jan",
        "february|feb",
        "march|mar",
        "april|apr",
        "may",
        "june|jun",
        "july|jul",
        "august|aug",
        "september|sep|sept",
        "october|oct",
        "november|nov",
        "december|dec",
    ),
    numbers=(
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    ordinal="st|nd|rd|th",
    brief={5: "sat", 6: "sun"},
)

RUSSIAN = Vocabulary(
    codes={
        "TODAY": "сегодня",
        "TONIGHT": "сегодня вечером",
        "TOMORROW": "завтра|завтро",
        "AFTER_TOMORROW": "послезавтра",
        "NEXT": "следующий|следующую|следующее|следующей|следующая|следующие|следующем|след",
        "THIS": "этот|эту|это|эти|ближайшую|ближайший|ближайшее",
        "WEEKEND": "выходные|выходных|выходным",
        "WEEK": "неделю|неделя|неделе|недели|недель",
        "MONTH": "месяц|месяце",
        "DAY": "день|дня|дней",
        "HOUR": "час|часа|часов|часик",
        "MINUTE": "минут|минуты|минуту|мин",
        "HALF_HOUR": "полчаса|пол часа",
        "IN": "через|в начале|начале|начало|к началу",
        "DAY_NUMBER": "числа|число|числу",
        "morning": "утром|утра|с утра|утро|до обеда|с утра пораньше|утречком|до полудня",
        "afternoon": "днем|дня|день|после обеда|в обед",
        "evening": "вечером|вечера|вечер|после работы|вечеру|ближе к вечеру|вечерком|под вечер",
        "night": "ночью|ночи",
        "NOON": "полдень|в полдень",
        "HALF_TO": "половине|половина|пол",
        "AT": "в|во|к|на|после|около|часам к|примерно в|не раньше|до|с",
        "ON": "на|с|со|по",
        "GREETING": "доброе утро|доброго утра|добрый день|доброго дня|добрый вечер|доброго вечера",
        "LATER": "позже|попозже|позднее",
        "EARLIER": "раньше|пораньше",
        "OR": "или",
        "PEOPLE": "человек|человека|людей",
        "BETWEEN": "между|примерно с",
        "NOT": "не|не в|кроме|только не",
        "OCLOCK": "час|часа|часов|ч",
    },
    weekdays=(
        "понедельник|понедельника|понедельнику|пн",
        "вторник|вторника|вторнику|вт",
        "среду|среда|среды|среде|ср",
        "четверг|четверга|четвергу|чт",
        "пятницу|пятница|пятницы|пятнице|пт",
        "субботу|суббота|субботы|субботе|сб",
        "воскресенье|воскресенья|воскресенью|вс|вск",
    ),
    months=(
        "января|январь|янв|январе",
        "февраля|февраль|фев|феврале",
        "марта|март|мар|марте",
        "апреля|апрель|апр|апреле",
        "мая|май|мае",
        "июня|июнь|июн|июне",
        "июля|июль|июл|июле",
        "августа|август|авг|августе",
        "сентября|сентябрь|сен|сент|сентябре",
        "октября|октябрь|окт|октябре",
        "ноября|ноябрь|ноя|нояб|ноябре",
        "декабря|декабрь|дек|декабре",
    ),
    numbers=(
        "один|одну|первого",
        "два|две|двух|второго",
        "три|трех|третьего",
        "четыре|четырех|четвертого",
        "пять|пяти|пятого",
        "шесть|шести|шестого",
        "семь|семи|седьмого",
        "восемь|восьми|восьмого",
        "девять|девяти|девятого",
        "десять|десяти|десятого",
        "одиннадцать|одиннадцати|одиннадцатого",
        "двенадцать|двенадцати|двенадцатого",
    ),
    ordinal="-?(?:го|ого|е|ое|му|ому)",
    halves=(
        "полпервого",
        "полвторого",
        "полтретьего",
        "полчетвертого",
        "полпятого",
        "полшестого",
        "полседьмого",
        "полвосьмого",
        "полдевятого",
        "полдесятого",
        "полодиннадцатого",
        "полдвенадцатого",
    ),
)

VOCABULARIES: Mapping[str, Vocabulary] = {"en": ENGLISH, "ru": RUSSIAN}
