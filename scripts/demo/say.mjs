// What the demonstration prints: steps, curl lines, outcomes, tables.
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const green = paint(32);
export const red = paint(31);
export const dim = paint(2);

export const say = (text = "") => process.stdout.write(`${text}\n`);

// A refusal to go on: one line, no stack.
export class Stop extends Error {}

export function title(text) {
  say();
  say(bold(`==> ${text}`));
}

// A command as it can be pasted, after `. .plinto/env`.
export function curl(method, url, headers = {}, body) {
  const parts = ["curl -s"];
  if (method !== "GET") parts.push(`-X ${method}`);
  for (const [name, value] of Object.entries(headers)) parts.push(`-H "${name}: ${value}"`);
  if (body !== undefined) parts.push(`-d '${body}'`);
  return [...parts, url].join(" ");
}

export function outcome(isRight, text) {
  say(`    ${isRight ? green("✓") : red("✗ WRONG:")} ${text}`);
}

export function table(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(`  ${name.padEnd(width)}  ${value}`);
}
