// The simulator's HTTP API.

async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error || `The simulator answered ${answer.status}.`);
  return value;
}

const talk = (customer, number) =>
  `/simulator/conversations/${encodeURIComponent(customer)}/${encodeURIComponent(number)}`;

export const api = {
  world: () => call("GET", "/simulator/world"),
  addCustomer: (customer) => call("POST", "/simulator/customers", customer),
  changeCustomer: (id, change) =>
    call("PATCH", `/simulator/customers/${encodeURIComponent(id)}`, change),
  conversation: (customer, number) => call("GET", talk(customer, number)),
  write: (customer, number, message) => call("POST", `${talk(customer, number)}/messages`, message),
  tap: (customer, number, messageId, choiceId) =>
    call("POST", `${talk(customer, number)}/tap`, { message_id: messageId, choice_id: choiceId }),
  read: (customer, number) => call("POST", `${talk(customer, number)}/read`, {}),
  /** @param {{advance_seconds: number} | {to: "tomorrow"}} move */
  moveClock: (move) => call("POST", "/simulator/clock", move),
  faults: () => call("GET", "/simulator/faults"),
  catalogue: () => call("GET", "/simulator/faults/catalogue"),
  addFault: (fault) => call("POST", "/simulator/faults", fault),
  callOff: (id) => call("DELETE", `/simulator/faults/${id}`),
  clearFaults: () => call("DELETE", "/simulator/faults"),
  form: (messageId) => call("GET", `/simulator/forms/${encodeURIComponent(messageId)}`),
  trace: (messageId) => call("GET", `/simulator/trace?message=${encodeURIComponent(messageId)}`),
};

/** Where the chats of some customers with a business are to be had as a transcript. */
export function transcriptUrl(number, customers) {
  const query = new URLSearchParams({ number });
  for (const customer of customers) query.append("customer", customer);
  return `/simulator/transcript?${query}`;
}

/**
 * Follows the changes. `onChange` gets each of them, `onState` whether the line stands. After a
 * break everything may have changed: then `onChange` gets a `resync`.
 */
export function follow(onChange, onState) {
  const source = new EventSource("/simulator/events");
  let broken = false;
  source.onopen = () => {
    onState(true);
    if (broken) onChange({ type: "resync" });
    broken = false;
  };
  source.onerror = () => {
    broken = true;
    onState(false);
  };
  source.onmessage = (event) => onChange(JSON.parse(event.data));
  addEventListener("pagehide", () => source.close());
}
