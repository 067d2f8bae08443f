"""Words that mean one thing wherever a conversation stands, in every language that we speak.

The lists are translated with the other texts: a catalogue gives its own words, separated by bars.
All languages are understood at any time, whatever is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from flows.catalogues import CATALOGUES
from flows.plain import plain
from flows.wording import Message, keywords

_SPELT: Final = {
    "u": "you",
    "ur": "your",
    "r": "are",
    "c": "see",
    "ya": "you",
    "rn": "right now",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "appt": "appointment",
    "cuz": "because",
    "thru": "through",
    "abt": "about",
    "lemme": "let me",
    "2day": "today",
    "2moro": "tomorrow",
    "2morrow": "tomorrow",
    "2nite": "tonight",
    "b4": "before",
    "cn": "can",
}
_TWO_VERB: Final = re.compile(r"\b(need|want|have|like|love|able|going|how) 2 ([a-z])")
_TO_A_NUMBER: Final = re.compile(r"\bto\s+(\d)", re.IGNORECASE)
_CHAT: Final = frozenset(_SPELT)


class Lexicon(NamedTuple):
    """Texts that mean the same: as the whole of what was written, or as a part of it."""

    whole: frozenset[str]
    parts: tuple[str, ...]

    def has(self, text: str) -> bool:
        """Tell whether a plain text means this."""
        if text in self.whole:
            return True
        padded = f" {text} "
        for part in self.parts:  # noqa: SIM110 - three times as fast as any() over a generator
            if part in padded:
                return True
        return False

    def is_all_of(self, text: str, *others: Lexicon) -> bool:
        """Tell whether a plain text has no other words than these and others', and one of these."""
        said = text.split()
        known = self.whole.union(*(other.whole for other in others))
        return all(word in known for word in said) and not self.whole.isdisjoint(said)

    def words(self) -> Iterable[str]:
        """Return the single words of it all."""
        return {word for text in self.whole for word in text.split()}


def spelt(text: str) -> str:
    """Return a plain text with the words of chats as they are spelt: "r u" is "are you"."""
    text = _TWO_VERB.sub(r"\1 to \2", text)
    if _CHAT.isdisjoint(said := text.split()):
        return text
    return " ".join(_SPELT.get(word, word) for word in said)


def translated(message: Message, language: str) -> list[str]:
    """Return a language's own words for one thing, plain."""
    return [plain(word) for word in CATALOGUES[language].gettext(message.source).split("|")]


def lexicon(message: Message, *, within: int) -> Lexicon:
    """Gather all languages' words; those of at least so many words are also found within a text."""
    texts = {spelt(text) for language in CATALOGUES for text in translated(message, language)}
    parts = tuple(f" {text} " for text in sorted(texts) if text.count(" ") + 1 >= within)
    return Lexicon(frozenset(texts), parts)


POLITE_WORDS: Final = keywords("please|pls|ok|well|so|um|actually|then|thanks|just|the|a|now")
PLEASE_WORDS: Final = keywords("please|pls|plz|kindly|pleasee")
BEFORE_WORDS: Final = keywords("before|earlier than|sooner than")
STOP_WORDS: Final = keywords(
    "stop|stop it|unsubscribe|stop messages|stop all|stop writing|opt out|no more messages"
    "|stop texting|stop texting me|stop messaging|stop messaging me|stop contacting me"
    "|stop sending|dont text me|dont message me|do not contact me|leave me alone|remove me"
    "|no more texts|remove my number"
)
START_WORDS: Final = keywords("start|unstop|subscribe|resume|opt in|messages on")
GREETING_WORDS: Final = keywords(
    "hi|hello|hey|hiya|good morning|good afternoon|good evening|good day|hi there|hello there"
    "|yo|hola|anyone there|anybody there|is anyone there|you there|are you there"
    "|hello anyone there|hi anyone there|heya|howdy|how are you|whats up|sup"
    "|how are you doing|hows it going|hullo|hii|hai|hi guys|hey guys|hello guys|greetings"
)
MENU_WORDS: Final = keywords(
    "menu|main menu|start over|restart|begin|home|help|start again|from the beginning"
    "|from the start|start from scratch"
)
PERSON_WORDS: Final = keywords(
    "person|human|operator|agent|real person|someone|talk to us|talk to someone"
    "|talk to a person|talk to a human|speak to someone|speak to a person|speak to a human"
    "|speak with someone|call me|call me back|manager|receptionist|speak to somebody"
    "|talk to somebody|speak to the manager|talk to the manager|speak with the manager"
    "|want a human"
)
CALL_WORDS: Final = keywords(
    "call us|phone|phone number|telephone|your number|can i call|ur number|your phone"
    "|the phone number|number to call|phone you|ring you"
)
LANGUAGE_WORDS: Final = keywords("language|languages|change language|another language")
BOOK_WORDS: Final = keywords(
    "book|booking|a booking|appointment|an appointment|book a visit|make an appointment"
    "|book an appointment|i would like to book|id like to book|i want to book|can i book"
    "|new appointment|schedule|reserve|sign me up|services|book me|get my hair done|hair done"
    "|do my hair|come in|fit me in|squeeze me in|get in today|nails done|a slot|any slots"
    "|slots|one more for|another one for|anything free|anything available|any availability"
    "|got anything|got space|have space"
)
PRICE_WORDS: Final = keywords(
    "price|prices|price list|how much|cost|costs|how long does|how long is|how long will"
    "|how long do|cheaper|cheapest|too expensive|pricing|how expensive|rates"
    "|difference between|whats the difference|what is the difference"
)
VISITS_WORDS: Final = keywords(
    "my visits|my visit|my appointments|my appointment|my bookings|my booking"
    "|when is my appointment|when is my visit|visits|my next appointment|my next visit"
    "|am i booked|am i booked in|am i still booked|have i booked|did i book|what time am i"
    "|when am i|my confirmation|i booked for|my app|do i have anything booked"
    "|do i have an appointment|do i have a booking|what time was|what time is my"
    "|when do i have to be|who am i with|who am i booked with|remind me when"
    "|remind me what time|my code|booking code|what time is it again|when was it|what day was"
    "|what day am i|my appt|the time of my|what did i book|is my booking|is my appointment"
    "|what have i booked"
)
CANCEL_VISIT_WORDS: Final = keywords(
    "cancel my appointment|cancel my visit|cancel my booking|cancel the appointment"
    "|cancel appointment|cancel visit|cancel booking|cant come|cannot come|cant make it"
    "|cancel my|cancel the|cancel both|cancel all|cancel them|cancel everything|i wont come"
    "|wont make it|wont be able to"
)
CHANGE_VISIT_WORDS: Final = keywords(
    "change my appointment|change my visit|change my booking|move my appointment"
    "|move my visit|move my booking|reschedule|change appointment|change the time"
    "|can i come later|can i come earlier|come another day|postpone"
)
MOVE_IT_WORDS: Final = keywords(
    "move it|move it to|shift it to|move my|move the|shift my|reschedule my|push my"
    "|bring it forward|push it back|change it|change mine|change that"
)
CANCEL_WORDS: Final = keywords(
    "cancel|quit|exit|want to cancel|need to cancel|have to cancel|like to cancel|cancel it"
    "|cancel that"
)
YES_WORDS: Final = keywords(
    "yes|yep|yeah|yup|ok|okay|sure|confirm|book it|yes please|perfect|great|go ahead|👍|✅"
    "|do it|y|k|kk|yess|yh|ya|yea|ye|absolutely|definitely|sounds good|that works"
    "|works for me|works|good|fine|nice|ill take it|take it|thats fine|thats good|thats great"
    "|thats perfect|lets do it|i want it|correct|of course|👌|go for it|lets go"
    "|book it in|yes book"
)
NO_WORDS: Final = keywords(
    "no|nope|no thanks|not this one|doesnt suit|doesnt work|👎|n|nah|no way|cant do that"
    "|cant do it|not this time|i cant|cannot|cant do that day|dont cancel|no dont"
    "|dont want it|not interested|not|dont"
)
BACK_WORDS: Final = keywords("back|go back")
THANKS_WORDS: Final = keywords(
    "thanks|thank you|thank you so much|many thanks|thx|ty|great|perfect|super|cool|ok|okay"
    "|bye|goodbye|see you|👍|🙏|❤|🙂|😊|👌|thank u|thanks so much|tysm|cheers|ta|amazing|lovely"
    "|awesome|brilliant|love it|😘|😍|💕|🥰|🙌|💯|thank you very much|good job|well done|nice one"
    "|great stuff|lol|haha|hahaha|😂|🤣|😁|😀|😃|😄|😅|☺|🥹|❤️|💖|💗|🎉|🔥"
)
ANYONE_WORDS: Final = keywords(
    "anyone|anybody|whoever|no preference|dont mind who|doesnt matter who|any of them"
)
ANYTIME_WORDS: Final = keywords(
    "anytime|any time|any day|whenever|as soon as possible|asap|soonest|earliest"
    "|first available|next available|nearest time|soon as you can|urgent|urgently"
    "|straight away|free first|earliest you|right now|can i come now|come now|straightaway"
    "|this minute"
)
WHERE_WORDS: Final = keywords(
    "where are you|address|your address|location|how do i find you|where r u|where r you"
    "|the address|ur address|where are u|find you|where is the salon|where is it"
    "|are you located|you located|get to you|how to get there|your location|where do i go"
    "|where do i come|how can i get|which street|nearest station|google maps|on the map"
    "|send me the address"
)
HOURS_WORDS: Final = keywords(
    "opening hours|opening times|business hours|working hours|your hours|what hours|hours"
    "|when are you open|when do you open|when do you close|what time do you open"
    "|what time do you close|what time do you|till when are you|until when are you|how late are you"
    "|are you open|are you closed|you open on|you open today|you open tomorrow|open on sunday"
    "|open on sundays|open on saturday|open on saturdays|open on weekends|do you work on"
    "|do you work|when do you work|which days are you|what days are you|you guys open"
)
LATE_WORDS: Final = keywords(
    "running late|minutes late|mins late|min late|im late|stuck in traffic|few minutes late"
    "|10 late|15 late|5 late|ill be late|gonna be late|going to be late|will be late"
    "|might be late|may be late|be a bit late|be a little late|be 5 minutes|am late"
    "|shall be late|be late for|be late to|be late today|be late sorry|ill be there in"
    "|be there in a|stuck on the train|train is delayed|bus is late|bus is delayed"
    "|train is late|cant find parking|looking for parking|running behind|bit behind"
    "|in traffic|traffic is|traffic jam|running a bit late|running a little late|held up"
    "|got delayed|been delayed|am delayed"
)
SEE_YOU_WORDS: Final = keywords(
    "see you|see u|see ya|see you tomorrow|see you then|see you soon|see you there"
    "|looking forward|cant wait|till then|until then|cya|see you guys|on my way|omw"
    "|nearly there|almost there|on the way|be there soon"
)
COMING_WORDS: Final = keywords(
    "confirm|i confirm|confirmed|ill be there|i will be there|i will come|ill come|im coming"
    "|still coming|ill be coming|will be there|i am coming|well be there|coming"
    "|im still coming|yes ill be there"
)
NEVER_MIND_WORDS: Final = keywords(
    "never mind|nevermind|nvm|forget it|leave it|not now|maybe later|some other time"
    "|wrong number|wrong chat|sorry wrong chat|wrong person|sorry wrong person"
    "|wrong number sorry|ignore me|ignore that|ignore my last message|disregard|my bad"
)
TEAM_WORDS: Final = keywords(
    "who works there|who works here|who works with you|who do you have|your team|the team"
    "|your staff|your stylists|your masters|which stylists|what stylists|who is working"
    "|who is there"
)
SAME_TIME_WORDS: Final = keywords("same time")
SEVERAL_PEOPLE_WORDS: Final = keywords(
    "2 people|two people|3 people|three people|for two|for 2|for three|for 3|both of us"
    "|the two of us|two of us|and me|me and my|myself and|and myself|me and a friend|us both"
    "|3 of us|three of us|2 of us|and my son|and my daughter|and my husband|and my wife"
    "|and my mum|and my mom|and my friend|and my kids|and my sister|both need|us two"
    "|both need|us two"
)
OTHER_DAY_WORDS: Final = keywords(
    "a different day|different day|another day|other day|other days|a different date"
    "|another date|which other days|what other days|any other day|some other day"
)
OTHER_PERSON_WORDS: Final = keywords(
    "someone else|somebody else|a different person|different person|another person"
    "|other person|another stylist|a different stylist|anyone else|who else|with someone else"
)
LATER_WORDS: Final = keywords(
    "later|any later|a bit later|bit later|later please|something later|anything later"
    "|later in the day|got anything later|too early|thats too early"
)
EARLIER_WORDS: Final = keywords(
    "earlier|any earlier|a bit earlier|bit earlier|earlier please|something earlier"
    "|anything earlier|earlier in the day|got anything earlier|too late|thats too late"
    "|any sooner|sooner"
)
FIRST_ONE_WORDS: Final = keywords(
    "first|the first|first one|the first one|1st|1st one|top one|earliest one"
    "|the earliest one|first slot|the first slot|first available one"
)
SECOND_ONE_WORDS: Final = keywords("second|the second|second one|the second one|2nd|2nd one")
THIRD_ONE_WORDS: Final = keywords("third|the third|third one|the third one|3rd|3rd one")
LAST_ONE_WORDS: Final = keywords(
    "last|the last|last one|the last one|bottom one|the last slot|last slot|latest|the latest"
    "|latest you have|latest one|as late as possible|the latest you have"
)
OTHER_TIME_WORDS: Final = keywords(
    "other times|other time|another time|different time|a different time|any other times"
    "|what other times|more options"
)
CUT_WORDS: Final = keywords("cut|haircut|trim|chop|hairdo")
NAILS_WORDS: Final = keywords("manicure|nails|nail")
COLOUR_WORDS: Final = keywords("colour|color|colouring|coloring|dye|dyed|tint|roots")
SOONEST_WORDS: Final = keywords(
    "as soon as possible|asap|soonest|earliest|first available|next available|nearest time"
    "|soon as you can|urgent|urgently|straight away|free first|right now|come now|this minute"
)
WAITLIST_WORDS: Final = keywords(
    "waitlist|waiting list|wait list|my waitlist|the waitlist|join the waitlist"
    "|put me on the list|on the list|let me know if something comes free"
    "|let me know when something comes free|tell me if something comes free"
    "|tell me when something comes free|if somebody cancels|if someone cancels"
    "|what place am i|my place in line|still nothing|anything come up|any news"
    "|what number am i|have to wait|long is the wait|how many ahead|in line|in the queue"
    "|did anything come free|something earlier comes|something opens up|anything opens up"
    "|something comes up|something becomes free|something earlier opens|if anything earlier"
)
LEAVE_LIST_WORDS: Final = keywords(
    "leave the list|leave the waitlist|leave the waiting list|off the list|off the waitlist"
    "|off the waiting list|from the waitlist|from the waiting list|no longer waiting"
    "|dont want to wait|remove me from the list|take me off|no longer need it"
)
USUAL_WORDS: Final = keywords(
    "usual|the usual|my usual|same as last time|as last time|same as before|same again"
    "|the same again|same as usual|same please|same as always|same thing|like last time"
    "|what i had last time"
)
FILLER_WORDS: Final = keywords("and|with|for|of|or|plus|your|our|from")
AND_WORDS: Final = keywords("and|plus|also|then|then also")
TO_SOMEBODY_WORDS: Final = keywords("with|by")
NO_NAME_WORDS: Final = keywords(
    "you|me|him|her|them|us|someone|somebody|anyone|anybody|whoever|who|my|your|his|the|same"
    "|any|this|that|it|all|both|hair|blow|dry|drying|wash|washing|cut|colour|color|dye|highlights"
    "|balayage|beard|fringe|bangs|styling|style|massage|nails|nail|gel|polish|shellac|treatment"
    "|kid|kids|child|children|son|daughter|friend|husband|wife|mum|mom|mother|dad|father|sister"
    "|brother|baby|dog|card|cash|voucher|discount|phone|email|whatsapp|car|bus|short|long|few|lot"
)
EXCEPT_WORDS: Final = keywords("not|except|but|without")
BUT_WORDS: Final = keywords("but")
WITH_WORDS: Final = keywords("with|by|to")

PLEASE: Final = lexicon(PLEASE_WORDS, within=9)
BEFORE: Final = lexicon(BEFORE_WORDS, within=9)
STOP: Final = lexicon(STOP_WORDS, within=2)
START: Final = lexicon(START_WORDS, within=9)
GREETING: Final = lexicon(GREETING_WORDS, within=9)
MENU: Final = lexicon(MENU_WORDS, within=9)
PERSON: Final = lexicon(PERSON_WORDS, within=2)
CALL: Final = lexicon(CALL_WORDS, within=2)
LANGUAGE: Final = lexicon(LANGUAGE_WORDS, within=2)
BOOK: Final = lexicon(BOOK_WORDS, within=1)
PRICE: Final = lexicon(PRICE_WORDS, within=1)
VISITS: Final = lexicon(VISITS_WORDS, within=2)
CANCEL_VISIT: Final = lexicon(CANCEL_VISIT_WORDS, within=2)
CHANGE_VISIT: Final = lexicon(CHANGE_VISIT_WORDS, within=1)
MOVE_IT: Final = lexicon(MOVE_IT_WORDS, within=2)
CANCEL: Final = lexicon(CANCEL_WORDS, within=2)
YES: Final = lexicon(YES_WORDS, within=9)
NO: Final = lexicon(NO_WORDS, within=9)
BACK: Final = lexicon(BACK_WORDS, within=9)
THANKS: Final = lexicon(THANKS_WORDS, within=2)
ANYONE: Final = lexicon(ANYONE_WORDS, within=1)
ANYTIME: Final = lexicon(ANYTIME_WORDS, within=1)
USUAL: Final = lexicon(USUAL_WORDS, within=2)
WHERE: Final = lexicon(WHERE_WORDS, within=2)
HOURS: Final = lexicon(HOURS_WORDS, within=2)
LATE: Final = lexicon(LATE_WORDS, within=1)
SEE_YOU: Final = lexicon(SEE_YOU_WORDS, within=2)
COMING: Final = lexicon(COMING_WORDS, within=9)
NEVER_MIND: Final = lexicon(NEVER_MIND_WORDS, within=9)
TEAM: Final = lexicon(TEAM_WORDS, within=2)
SAME_TIME: Final = lexicon(SAME_TIME_WORDS, within=2)
SEVERAL_PEOPLE: Final = lexicon(SEVERAL_PEOPLE_WORDS, within=2)
OTHER_DAY: Final = lexicon(OTHER_DAY_WORDS, within=2)
OTHER_PERSON: Final = lexicon(OTHER_PERSON_WORDS, within=2)
LATER: Final = lexicon(LATER_WORDS, within=2)
EARLIER: Final = lexicon(EARLIER_WORDS, within=2)
FIRST_ONE: Final = lexicon(FIRST_ONE_WORDS, within=9)
SECOND_ONE: Final = lexicon(SECOND_ONE_WORDS, within=9)
THIRD_ONE: Final = lexicon(THIRD_ONE_WORDS, within=9)
LAST_ONE: Final = lexicon(LAST_ONE_WORDS, within=9)
OTHER_TIME: Final = lexicon(OTHER_TIME_WORDS, within=2)
CUT: Final = lexicon(CUT_WORDS, within=9)
NAILS: Final = lexicon(NAILS_WORDS, within=9)
COLOUR: Final = lexicon(COLOUR_WORDS, within=9)
SOONEST: Final = lexicon(SOONEST_WORDS, within=1)
WAITLIST: Final = lexicon(WAITLIST_WORDS, within=1)
LEAVE_LIST: Final = lexicon(LEAVE_LIST_WORDS, within=2)
FILLERS: Final = lexicon(FILLER_WORDS, within=9)
AND: Final = lexicon(AND_WORDS, within=9)
TO_SOMEBODY: Final = lexicon(TO_SOMEBODY_WORDS, within=9)
NO_NAMES: Final = lexicon(NO_NAME_WORDS, within=9)
EXCEPT: Final = lexicon(EXCEPT_WORDS, within=9)
BUT: Final = lexicon(BUT_WORDS, within=9)
WITH: Final = lexicon(WITH_WORDS, within=9)
POLITE: Final = lexicon(POLITE_WORDS, within=9)
DIFFERS: Final = frozenset(LATER.words()) | frozenset(EARLIER.words())
"""Words of which one stands wherever something is to be later or earlier."""
_GREETING_STARTS: Final = tuple(
    sorted(GREETING.whole, key=lambda text: text.count(" "), reverse=True)
)


def moved_to(text: str) -> str:
    """Return a text in which a number after "to" is an hour: "change it to 12"."""
    return _TO_A_NUMBER.sub(r"at \1", text)


def bare(text: str) -> str:
    """Return a text plain, without the words of politeness around it; a greeting alone stays."""
    words = spelt(plain(text))
    for greeting in _GREETING_STARTS:
        if words.startswith(greeting + " "):
            words = words[len(greeting) + 1 :]
            break
    said = words.split()
    left = [word for word in said if word not in PLEASE.whole] or said
    while len(left) > 1 and left[0] in POLITE.whole:
        del left[0]
    while len(left) > 1 and left[-1] in POLITE.whole:
        del left[-1]
    return " ".join(left)
