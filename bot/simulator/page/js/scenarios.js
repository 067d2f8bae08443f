// What to try. Each scenario is a link, /?scenario=<id>, and plays by itself where one likes.
//
// A step says what to do and, in `do`, how the page can do it: `say` a text, `send` something else,
// `tap` a button or row by its title, `pick` a row of the newest list with that button (a number, or
// the title), `wait` for something to be said, move the `clock`, order `trouble` or call it off
// (`calm`). `who` is a person of the scenario, the first where it is left out.

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
