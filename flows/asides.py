"""Words of what is said beside a booking: delays, doubts, corrections, questions to the team.

They are translated and understood like those of `flows.keywords`.
"""

from __future__ import annotations

from typing import Final

from flows.keywords import lexicon
from flows.wording import keywords

CORRECTS_WORDS: Final = keywords(
    "no wait|wait no|i mean|sorry i meant|i meant|scratch that|correction|no sorry"
    "|no actually|actually no|or rather"
)
INDIFFERENT_WORDS: Final = keywords(
    "any|either|doesnt matter|dont care|dont mind|idc|no matter|up to you|you choose"
    "|you decide|whatever|all the same|doesnt matter to me|i dont mind|i dont care"
    "|no preference|surprise me|any will do|either is fine|whichever|either one"
    "|whichever is free|any of those"
)
NONE_FITS_WORDS: Final = keywords(
    "none|neither|none of these|none of them|none of those|none work|these dont work"
    "|nothing suits|nothing works|dont work for me|doesnt work for me|none of these work"
    "|cant do any"
)
WAIT_WORDS: Final = keywords(
    "wait|hold on|hang on|one sec|1 sec|a sec|one second|one moment|just a sec|brb"
    "|let me check|let me think|give me a minute|give me a sec|thinking|checking"
    "|need to check|ill think|let me see|ask my|get back to you"
)
AT_DOOR_WORDS: Final = keywords(
    "im here|i am here|im outside|i am outside|at the door|outside now|door is locked"
    "|its locked|nobody here|no one is here|nobody is here|im at the salon|weve arrived"
    "|ive arrived|just arrived|is anyone opening"
)
LOST_WORDS: Final = keywords(
    "left my|lost my|forgot my|left behind|forget my|lost and found|find my|my umbrella"
    "|did you find"
)
DATA_WORDS: Final = keywords(
    "delete my data|my data|delete my account|forget me|gdpr|privacy|personal data|erase my"
    "|remove my data|data do you have"
)
ASKING_WORDS: Final = keywords(
    "do you|do u|is there|are there|can i|can you|can u|could you|could i|do i|does|is it"
    "|is this|what|whats|who|whos|why|how|hows|where|wheres|when|which|will|may i|should i"
    "|are you|have you|is the|did you|would you|am i|what is|can|could|do|did|is|are|would"
    "|may|should|have|has"
)
TIME_LEFT_WORDS: Final = keywords(
    "how long do i have|how much time do i have|how long is it held|how long do you keep"
    "|until when is it|how much time is left|how long have i got"
)
REMIND_WORDS: Final = keywords(
    "remind me|will you remind|send me a reminder|send a reminder|get a reminder"
    "|do you send reminders"
)
WRONG_WORDS: Final = keywords(
    "wrong time|wrong day|wrong date|wrong one|wrong service|not that time|not that day"
    "|picked the wrong|made a mistake|a mistake"
)
FOREIGN_WORDS: Final = keywords(
    "hola|bonjour|bonsoir|hallo|guten|ciao|buongiorno|ola|merci|danke|gracias|quiero|cita"
    "|termin|rendez|vous|por|favor|bitte|obrigado|dzien|dobry|merhaba|salut|grazie|selam"
    "|bom dia|ahoj|hei|hej|je|ich|voudrais|mochte|vorrei|quisiera|appuntamento|wizyta|randevu"
)
PRAISE_WORDS: Final = keywords(
    "loved it|love it|excellent|wonderful|fantastic|very happy|so happy|not bad|very good"
    "|really good|was great|was good|was lovely|perfect|great|good|amazing|brilliant|awesome"
)
BLAME_WORDS: Final = keywords(
    "awful|bad|terrible|horrible|not good|hated it|hate it|not great|didnt like|did not like"
    "|disappointed"
)
KEEP_WORDS: Final = keywords(
    "keep it|keep it as it is|leave it as it is|keep mine|never mind keep it|keep it please"
    "|leave it|keep the time|keep it like that"
)
EARLIEST_WORDS: Final = keywords(
    "earliest|the earliest|earliest one|the earliest one|earliest please|earliest you have"
    "|as early as possible"
)
TO_BOT_WORDS: Final = keywords(
    "menu|back to the menu|back to menu|back to bot|back to the bot|bot|main menu"
)
LATE_SIGNS_WORDS: Final = keywords("late|delayed|behind")
RELATIVES_WORDS: Final = keywords(
    "my son|my daughter|my wife|my husband|my mum|my mom|my mother|my dad|my father|my friend"
    "|my sister|my brother|my kid|my kids|my child|my boyfriend|my girlfriend|my partner"
    "|my baby|my grandma|my niece|my nephew|my cousin"
)
THREE_PEOPLE_WORDS: Final = keywords("3 people|three people|for three|for 3|three of us|3 of us")
NEXT_WORDS: Final = keywords(
    "next|next one|the next one|go on|carry on|continue|now the next|and the other"
    "|and the next|the other one"
)
LEAD_WORDS: Final = keywords(
    "yes|no|yeah|yep|nope|nah|ok|okay|hmm|hm|um|well|sorry|wait|actually|oh|but|and|so|please"
    "|then|also|oops|right|alright|cool|great|fine|thanks|hang|on|make|it|maybe|change|that"
    "|to|lets|say|try|just|how|about|what|rather|instead"
)
MILD_WORDS: Final = keywords(
    "it|that|thats|so|much|very|a|lot|me|for|is|this|then|too|works|good|please|pls|thanks"
    "|thank|you|lovely|guys|all|xx|xxx|x|dear|love|mate|ok|cool|great|do|book|one|time|day"
)
MOVES_WORDS: Final = keywords(
    "move|moving|change|switch|shift|push|reschedule|rescheduling|swap|transfer|rebook|bring"
    "|postpone"
)
MOVES_TO_WORDS: Final = keywords("to|into|onto|for")
INSTEAD_OF_WORDS: Final = keywords("instead of|rather than")
CANNOT_WORDS: Final = keywords(
    "cant do|cant make|cant come|cannot do|cannot make|cannot come|wont make|doesnt work"
    "|not able to|cant on|no good"
)
INSTEAD_WORDS: Final = keywords("instead|in place")
WORKS_WORDS: Final = keywords("work|works|working|in|around|on shift")
OPEN_WORDS: Final = keywords("open|closed|opened|close")
WHAT_IF_WORDS: Final = keywords(
    "what if|what happens if|in case|how late can i|when can i cancel|until when can i"
    "|how do i cancel|cancellation policy|cancel policy|cancellation fee"
)
WHEN_FREE_WORDS: Final = keywords(
    "when can|when is|when are|are you free|do you have time|any time|when could"
    "|when do you have|is there time|can i come|can you do"
)
SAME_PERSON_WORDS: Final = keywords(
    "same girl|same lady|same guy|same person|same stylist|same hairdresser|same barber"
    "|same master|same woman|same man|who did it last time|whoever did it last time"
)
NO_BOOKING_WORDS: Final = keywords(
    "turn up|walk in|walk ins|without an appointment|without appointment|without booking"
    "|do i have to book|do i need to book|have to book ahead"
)
NOTICE_WORDS: Final = keywords("cancel|cancellation|change|move|reschedule")
SPEAK_WORDS: Final = keywords("speak to|talk to|speak with|talk with|chat to|chat with|message")
WISHES_WORDS: Final = keywords(
    "can i|can we|could i|could we|can you|could you|how about|what about|would like|want to"
)
SOONER_WORDS: Final = keywords("forward|sooner")
BOOKED_WORDS: Final = keywords(
    "do i have anything|when im booked|whos doing my|who is doing my|booked in for"
    "|am i on the list for"
)
MAKE_IT_WORDS: Final = keywords("make it a|make it an|can it be a|rather have a|rather have")
ITS_WORDS: Final = keywords("it|my|mine|i be")
VISIT_WORDS: Final = keywords(
    "appointment|appointments|appt|visit|booking|reservation|session|appoitment|apointment"
)
ADDS_WORDS: Final = keywords("add|adding|added|include|tack|squeeze in")
MORE_WORDS: Final = keywords(
    "also|as well|too|on top|along with|and also|plus|at the same visit|same visit"
    "|in the same visit|afterwards|after that|and then"
)
MINE_WORDS: Final = keywords("my|mine|the|our|this")
COMPLAINT_WORDS: Final = keywords(
    "complaint|complain|to complain|a complaint|refund|a refund|my money back|was terrible"
    "|was awful|was horrible|was rude|very disappointed|not happy with|unhappy with|ruined my"
    "|burned my|the worst|useless|stupid bot|you suck|fuck|fuck off|shit|idiot|hate this"
    "|rubbish|ridiculous|waste of time|piss off|not helpful|doesnt understand"
    "|dont understand me"
)
BOT_WORDS: Final = keywords(
    "are you a bot|is this a bot|a bot|bot|are you a robot|are you real|are you human"
    "|are you a human|are you a person|who is this|who are you|are you ai"
    "|am i talking to a bot|am i talking to a person"
)
CORRECTS: Final = lexicon(CORRECTS_WORDS, within=2)
INDIFFERENT: Final = lexicon(INDIFFERENT_WORDS, within=9)
NONE_FITS: Final = lexicon(NONE_FITS_WORDS, within=2)
WAIT: Final = lexicon(WAIT_WORDS, within=2)
AT_DOOR: Final = lexicon(AT_DOOR_WORDS, within=2)
LOST: Final = lexicon(LOST_WORDS, within=2)
DATA: Final = lexicon(DATA_WORDS, within=1)
ASKING: Final = lexicon(ASKING_WORDS, within=9)
TIME_LEFT: Final = lexicon(TIME_LEFT_WORDS, within=2)
REMIND: Final = lexicon(REMIND_WORDS, within=2)
WRONG: Final = lexicon(WRONG_WORDS, within=2)
FOREIGN: Final = lexicon(FOREIGN_WORDS, within=1)
PRAISE: Final = lexicon(PRAISE_WORDS, within=1)
BLAME: Final = lexicon(BLAME_WORDS, within=1)
KEEP: Final = lexicon(KEEP_WORDS, within=9)
EARLIEST: Final = lexicon(EARLIEST_WORDS, within=9)
TO_BOT: Final = lexicon(TO_BOT_WORDS, within=9)
LATE_SIGNS: Final = lexicon(LATE_SIGNS_WORDS, within=9)
RELATIVES: Final = lexicon(RELATIVES_WORDS, within=1)
THREE_PEOPLE: Final = lexicon(THREE_PEOPLE_WORDS, within=2)
NEXT: Final = lexicon(NEXT_WORDS, within=9)
LEAD: Final = lexicon(LEAD_WORDS, within=9)
MILD: Final = lexicon(MILD_WORDS, within=9)
MOVES: Final = lexicon(MOVES_WORDS, within=9)
MOVES_TO: Final = lexicon(MOVES_TO_WORDS, within=9)
INSTEAD_OF: Final = lexicon(INSTEAD_OF_WORDS, within=1)
CANNOT: Final = lexicon(CANNOT_WORDS, within=2)
MINE: Final = lexicon(MINE_WORDS, within=9)
VISIT: Final = lexicon(VISIT_WORDS, within=9)
ADDS: Final = lexicon(ADDS_WORDS, within=9)
MORE: Final = lexicon(MORE_WORDS, within=2)
INSTEAD: Final = lexicon(INSTEAD_WORDS, within=9)
WORKS: Final = lexicon(WORKS_WORDS, within=9)
OPEN: Final = lexicon(OPEN_WORDS, within=9)
WHAT_IF: Final = lexicon(WHAT_IF_WORDS, within=2)
WHEN_FREE: Final = lexicon(WHEN_FREE_WORDS, within=2)
SAME_PERSON: Final = lexicon(SAME_PERSON_WORDS, within=2)
NO_BOOKING: Final = lexicon(NO_BOOKING_WORDS, within=2)
NOTICE: Final = lexicon(NOTICE_WORDS, within=9)
SPEAK: Final = lexicon(SPEAK_WORDS, within=1)
COMPLAINT: Final = lexicon(COMPLAINT_WORDS, within=1)
BOT: Final = lexicon(BOT_WORDS, within=2)
WISHES: Final = lexicon(WISHES_WORDS, within=1)
SOONER: Final = lexicon(SOONER_WORDS, within=9)
BOOKED: Final = lexicon(BOOKED_WORDS, within=2)
MAKE_IT: Final = lexicon(MAKE_IT_WORDS, within=2)
ITS: Final = lexicon(ITS_WORDS, within=2)
