// What the page remembers in the browser. Private windows remember nothing; all works all the same.

/** What was kept under a name, or null. */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Not this time.
  }
}
