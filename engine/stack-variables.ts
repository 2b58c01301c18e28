import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "./args.ts";

/**
 * Variable with variables: a CI system that stops at a missing secret (Woodpecker) then needs one secret, whatever the
 * backend and Vault ask for. Nothing of it is given to a shell.
 */
export const stackVariables = "STACK_ENVIRONMENT";

export interface StackVariable {
  readonly name: string;
  readonly value: string;
  /** Whether the value is the content of a file, and the variable names that file. */
  readonly isFile: boolean;
}

/**
 * `NAME=value`, or `NAME<<END`, lines, `END`; with `NAME@file` the variable names a file that holds the value. Empty
 * lines and those that begin with `#` are left out; a value is taken as it is, quotes included.
 *
 * Errors: UsageError that names all lines that are none of these, by number and never by what they hold.
 */
export function parseStackVariables(text: string): StackVariable[] {
  const lines = text.replaceAll(/\r$/gm, "").split("\n");
  const variables: StackVariable[] = [];
  const faults: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const found = /^([A-Za-z_][A-Za-z0-9_]*)(@file)?(?:=(.*)|<<(\w+))$/.exec(line);
    const [, name = "", file, value, end] = found ?? [];
    const isFile = file !== undefined;
    if (!found) faults.push(`line ${at + 1} is neither NAME=value nor NAME<<END`);
    else if (end === undefined) variables.push({ name, value: value ?? "", isFile });
    else {
      const last = lines.indexOf(end, at + 1);
      if (last === -1) faults.push(`the text that begins in line ${at + 1} has no line that ends it`);
      else variables.push({ name, value: lines.slice(at + 1, last).join("\n"), isFile });
      at = last === -1 ? lines.length : last;
    }
  }
  if (faults.length > 0) throw new UsageError(`${stackVariables}: ${faults.join("; ")}.`);
  return variables;
}

/** The variables, with files in a directory that goes when this process ends. */
export function applyStackVariables(environment: Record<string, string | undefined>): void {
  const variables = parseStackVariables(environment[stackVariables] ?? "");
  for (const { name, value, isFile } of variables)
    environment[name] = isFile ? fileWith(name, `${value}\n`) : value;
  delete environment[stackVariables];
}

function fileWith(name: string, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
