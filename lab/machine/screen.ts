import { stripVTControlCharacters, styleText } from "node:util";

/** Prints to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rows as columns that are as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[], indent = "  "): string {
  const width = (cell: string | undefined) => stripVTControlCharacters(cell ?? "").length;
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => width(row[at]))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell + " ".repeat(at === row.length - 1 ? 0 : (widths[at] ?? 0) - width(cell)))
      .join("  ");
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join("\n");
}

export function heading(text: string): string {
  return `\n${styleText("bold", text)}`;
}

export function good(text: string): string {
  return styleText("green", text);
}

export function bad(text: string): string {
  return styleText("red", text);
}

export function faint(text: string): string {
  return styleText("dim", text);
}

/** A time for people, such as `2026-11-21 19:22 UTC`. */
export function utcMinute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Seconds for people, such as `4.2 s` or `3 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const rest = whole % 60;
  return `${Math.floor(whole / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}
