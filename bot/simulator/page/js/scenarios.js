// What to try. Each scenario is a link, /?scenario=<id>, and plays by itself where one likes.
//
// A step says what to do and, in `do`, how the page can do it: `say` a text, `send` something else,
// `tap` a button or row by its title, `pick` a row of the newest list with that button (a number, or
// the title), move the `clock`, order `trouble` or call it off (`calm`). `who` is a person of the
// scenario, the first where it is left out. `once` makes a step wait for somebody to be offered
// something, `until` moves the clock on until somebody is: `{who, offers: title}` or `{who, says}`.

/** Instead of a title: whatever is offered first. */
export const FIRST = Symbol("first");

const pick = (text, list, row = 0, who = 0) => ({ text, do: { who, pick: { list, row } } });
const tap = (text, title, who = 0) => ({ text, do: { who, tap: title } });
const say = (text, words, who = 0) => ({ text, do: { who, say: words } });

export const SCENARIOS = [
  {
    id: "newcomer",
    title: "A newcomer books",
    lead: "Five taps from the first word to a booked visit. Nobody has to type.",
    people: [{ name: "Ana" }],
    steps: [
      say("Ana writes “hi”.", "hi"),
      tap("She taps Book a visit.", "Book a visit"),
      pick("What: a women's cut.", "Services", "Women's cut"),
      pick("With whom: anyone.", "Team", 0),
      pick("Which day: not today, not tomorrow.", "Days", 2),
      pick("What time: the first that is free. It is kept for her now.", "Times", 0),
      tap("Book it.", "Book it"),
    ],
    after: "The visit has a file for the calendar and buttons to change it. Look inside shows the turn that booked it.",
  },
  {
    id: "typing",
    title: "Typing works too",
    lead: "A sentence goes as far as it says; only what is missing is asked.",
    people: [{ name: "Ana" }],
    steps: [
      say("Ana writes a whole wish.", "haircut tomorrow at 3 with becky"),
      tap("Two services are haircuts, so she is asked.", "Women's cut"),
      say("She changes her mind: the day changes, nothing else.", "actually monday"),
      say("She may write what she could tap.", "is anyone free on tuesday evening?"),
    ],
    after: "Ask “can I come later?”, or go on in Russian.",
  },
  {
    id: "visits",
    title: "Move a visit, cancel it",
    lead: "Moving is one step: the old time is free only when the new one is hers.",
    people: [{ name: "Ana" }],
    steps: [
      say("Ana wants a men's cut with Kelly.", "men's cut with kelly"),
      pick("A day next week.", "Days", 4),
      pick("A time.", "Times", 0),
      tap("Book it.", "Book it"),
      tap("She changes it.", "Change"),
      pick("Another day.", "Days", 5),
      pick("Another time.", "Times", 1),
      tap("Move it.", "Move it"),
      tap("Something came up: cancel it.", "Cancel visit"),
      tap("Yes.", "Yes, cancel it"),
    ],
    after: "“My visits” shows what is ahead and what was.",
  },
  {
    id: "race",
    title: "Two want the same minute",
    lead: "A time belongs to one person. Ana is faster; Ben hears what is free close by.",
    people: [{ name: "Ana" }, { name: "Ben" }],
    steps: [
      say("Ana looks at Becky's times.", "women's cut with becky", 0),
      pick("She opens a day.", "Days", 3, 0),
      say("Ben looks at the same list.", "women's cut with becky", 1),
      pick("He opens the same day.", "Days", 3, 1),
      pick("Ana takes the first time: it is held for her.", "Times", 0, 0),
      pick("Ben taps the same time a moment later.", "Times", 0, 1),
      tap("Ana books.", "Book it", 0),
    ],
    after: "Ben got the nearest free times in one sentence. The constraint that decides is in PostgreSQL.",
  },
  {
    id: "waitlist",
    title: "A cancelled place finds its next owner",
    lead: "Ben and Cleo wait for a time that Ana has. She cancels: Ben gets it offered for 15 minutes, then Cleo.",
    people: [{ name: "Ana" }, { name: "Ben" }, { name: "Cleo" }],
    steps: [
      { text: "Begin in the morning: nobody is written to at night.", do: { clock: "tomorrow" } },
      say("Ana wants a cut with Becky next week.", "women's cut with becky next week"),
      pick("She picks a day.", "Days", 0),
      pick("She picks a time.", "Times", 0),
      tap("She books it.", "Book it"),
      say("Ben would like to come next week, too.", "waitlist for a women's cut with becky next week", 1),
      tap("At any time of day.", "Any", 1),
      tap("What is free does not suit him: he waits.", "None of these suit", 1),
      say("So does Cleo, behind him.", "waitlist for a women's cut with becky next week", 2),
      tap("Any time.", "Any", 2),
      tap("Nothing of it suits.", "None of these suit", 2),
      tap("Ana cannot come.", "Cancel visit"),
      tap("She cancels, and Ben has the offer at once.", "Yes, cancel it"),
      {
        text: "Ben does not answer. 15 minutes later it is Cleo's turn.",
        do: { clock: 15 * 60 + 1, once: { who: 1, offers: "Take it" } },
      },
      tap("Cleo takes it.", "Take it", 2),
    ],
    after: "While a place is on offer nobody else can have it; Ben was told, and keeps his place in line.",
  },
  {
    id: "reminders",
    title: "Reminders, by the clock",
    lead: "Ana is reminded the day before and shortly before, and asked how it was the day after.",
    people: [{ name: "Ana" }],
    steps: [
      { text: "Begin in the morning.", do: { clock: "tomorrow" } },
      say("Ana wants a men's cut with Kelly.", "men's cut with kelly"),
      pick("A few days ahead.", "Days", 2),
      say("Not in the morning.", "afternoon"),
      pick("A time.", "Times", 0),
      tap("Book it.", "Book it"),
      {
        text: "Time goes by until the day before.",
        do: { clock: 2 * 3600, until: { who: 0, offers: "Confirm" } },
      },
      tap("She will come.", "Confirm"),
      {
        text: "Until shortly before.",
        do: { clock: 3600, until: { who: 0, says: "See you soon" } },
      },
      {
        text: "And the day after.",
        do: { clock: 3 * 3600, until: { who: 0, offers: "Great" } },
      },
      tap("It was great.", "Great"),
    ],
    after: "Timers are rows in PostgreSQL; the clock of the demo fires them. A moved visit takes its reminders along.",
  },
  {
    id: "regular",
    title: "A regular's usual, with one tap",
    lead: "After two visits the bot has learned what Ana likes, and offers it with two free times.",
    people: [{ name: "Ana" }],
    steps: [
      { text: "Begin in the morning.", do: { clock: "tomorrow" } },
      say("Ana's first visit: she wants a men's cut with Kelly.", "men's cut with kelly"),
      pick("A few days ahead.", "Days", 2),
      pick("A time.", "Times", 0),
      tap("Book it.", "Book it"),
      {
        text: "She was there; the day after she is asked how it was.",
        do: { clock: 6 * 3600, until: { who: 0, offers: "Great" } },
      },
      tap("Great.", "Great"),
      say("The second visit.", "men's cut with kelly"),
      pick("A few days ahead.", "Days", 2),
      pick("A time.", "Times", 0),
      tap("Book it.", "Book it"),
      {
        text: "She was there again.",
        do: { clock: 6 * 3600, until: { who: 0, offers: "Great" } },
      },
      tap("Great.", "Great"),
      say("From now on “hi” is enough.", "hi"),
      tap("One tap, and it is booked.", FIRST),
    ],
    after: "What is usual is learned anew with every visit: what, with whom, which weekday and hour.",
  },
  {
    id: "person",
    title: "A person, STOP and START",
    lead: "Whoever wants a person gets one, and one word ends all messages.",
    people: [{ name: "Ana" }],
    steps: [
      say("Ana wants to talk to somebody.", "can I talk to a person?"),
      say("The bot is silent now: somebody of the salon will answer.", "are you there?"),
      tap("She takes the bot back.", "Back to the menu"),
      say("No more messages.", "STOP"),
      say("Or, after all, again.", "START"),
    ],
    after: "`usual give-back` ends a person's turn from outside; it also lapses by itself.",
  },
  {
    id: "russian",
    title: "In Russian",
    lead: "The bot follows the language that the customer writes in.",
    people: [{ name: "Аня" }],
    steps: [
      say("Anya says hello.", "привет"),
      say("She wants a men's cut on Friday evening.", "мужская стрижка в пятницу вечером"),
      say("She changes her mind: Saturday morning.", "лучше в субботу утром"),
    ],
    after: "Dates, times, prices and plurals are written as they are written there.",
  },
  {
    id: "hidden",
    title: "Without a phone number",
    lead: "Ben hides his number: the business sees a user name and an id of its own for him.",
    people: [{ name: "Ben", hidden: true }],
    steps: [
      say("Ben writes.", "hi"),
      tap("He books like everybody else.", "Book a visit"),
      pick("What.", "Services", 1),
    ],
    after: "Look inside: the webhook has a user_id and no number; the answer went to `recipient`.",
  },
  {
    id: "outage",
    title: "WhatsApp misbehaves",
    lead: "Sends get lost on the way back, webhooks come three times. Ana notices nothing but a delay.",
    people: [{ name: "Ana" }],
    steps: [
      {
        text: "Order trouble: the next answer is accepted, then the connection breaks.",
        do: { trouble: { kind: "accept_then_drop", times: 1 } },
      },
      {
        text: "And every webhook comes three times.",
        do: { trouble: { kind: "duplicate", copies: 2, times: 0 } },
      },
      say("Ana writes. Was the answer sent, or was it not?", "hi"),
      tap("It came once, as its status said. Now the Graph API is down …", "Book a visit"),
      {
        text: "… and answers “Service unavailable” to everything.",
        do: { trouble: { kind: "error", code: 131016, times: 0 } },
      },
      pick("Ana goes on; nothing comes back yet.", "Services", 0),
      { text: "It is over: what waited goes out.", do: { calm: true } },
    ],
    after: "Look inside shows the attempts in the outbox row.",
  },
];

export const scenarioNamed = (id) => SCENARIOS.find((one) => one.id === id);
