// What stands in a form's definition instead of a value: ${data.x}, ${form.x}, and conditions.

const WHOLE = /^\$\{([^}]+)\}$/;
const PARTS = /\$\{([^}]+)\}/g;
const TOKENS = /\s*(\$\{[^}]+\}|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?|&&|\|\||[=!<>]=|[<>!()]|true|false)/y;

/**
 * A value with what it names filled in.
 * @param {any} value
 * @param {{data: any, form: any, screens: Record<string, {data: any, form: any}>}} scope
 */
export function filled(value, scope) {
  if (Array.isArray(value)) return value.map((one) => filled(one, scope));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, scope)]));
  }
  if (typeof value !== "string") return value;
  const whole = WHOLE.exec(value);
  if (whole) return named(whole[1], scope);
  return value.replace(PARTS, (_, path) => String(named(path, scope) ?? ""));
}

function named(path, scope) {
  const [first, ...rest] = path.trim().split(".");
  let found = first === "screen" ? scope.screens[rest.shift()] : { data: scope.data, form: scope.form }[first];
  for (const name of rest) found = found?.[name];
  return found;
}

/** Whether a condition holds; one that is no text is what it says. */
export function holds(condition, scope) {
  if (typeof condition !== "string") return Boolean(condition);
  const tokens = read(condition);
  const value = either(tokens, scope);
  if (tokens.length) throw new Error(`This condition is not understood: ${condition}`);
  return Boolean(value);
}

function read(text) {
  const found = [];
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < text.trimEnd().length) {
    const match = TOKENS.exec(text);
    if (!match) throw new Error(`This condition is not understood: ${text}`);
    found.push(match[1]);
  }
  return found;
}

function either(tokens, scope) {
  let value = both(tokens, scope);
  while (tokens[0] === "||") {
    tokens.shift();
    const other = both(tokens, scope);
    value = value || other;
  }
  return value;
}

function both(tokens, scope) {
  let value = compared(tokens, scope);
  while (tokens[0] === "&&") {
    tokens.shift();
    const other = compared(tokens, scope);
    value = value && other;
  }
  return value;
}

const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
};

function compared(tokens, scope) {
  const value = single(tokens, scope);
  if (!(tokens[0] in COMPARE)) return value;
  const compare = COMPARE[tokens.shift()];
  return compare(value, single(tokens, scope));
}

function single(tokens, scope) {
  const token = tokens.shift() ?? "";
  if (token === "!") return !single(tokens, scope);
  if (token === "(") {
    const value = either(tokens, scope);
    tokens.shift();
    return value;
  }
  if (token === "true" || token === "false") return token === "true";
  if (token.startsWith("'")) return token.slice(1, -1).replace(/\\(.)/g, "$1");
  return token.startsWith("$") ? filled(token, scope) : Number(token);
}
