import type { BaseIssue } from "valibot";
import { RULES } from "./rules.ts";
import { AUTHORITY_KEY, SECRET_KEYS } from "./schema.ts";

/** One thing that is wrong in the configuration. */
export interface Fault {
  /** Without the namespace, for example `caches[2].port`. */
  readonly key: string;
  /** As given, shortened; never a secret's. */
  readonly value: string;
  readonly rule: string;
  /** A value that would do, or the command that sets it. */
  readonly example: string;
}

const LONGEST_VALUE = 80;

/** A fault found by the schema. */
export function schemaFault(issue: BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map((item) => item.key);
  const key = dotted(path);
  // The value of an unknown key may be a misspelt secret.
  if (issue.expected === "never") return unknownKey(key, issue.path?.at(-1)?.input);
  return settingFault(key, issue.input);
}

/** A key that does not hold what its rule asks for. */
export function settingFault(key: string, value: unknown): Fault {
  const rule = RULES[key.replace(/\[\d+\]/g, "[]")] ?? {
    rule: "another type",
    example: "see Pulumi.example.yaml",
  };
  return { key, value: shown(value), ...rule };
}

/** Text for people: all faults at once. */
export function faultsText(faults: readonly Fault[]): string {
  const head = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const entries = faults.map(
    ({ key, value, rule, example }) =>
      `  regwarden:${key}\n    is:      ${value}\n    must be: ${rule}\n    example: ${example}`,
  );
  return [`The configuration has ${head}:`, ...entries].join("\n");
}

function unknownKey(key: string, parent: unknown): Fault {
  const prefix = key.includes(".") ? key.slice(0, key.lastIndexOf(".")).replace(/\[\d+\]/g, "[]") : "";
  const siblings = Object.keys(RULES).filter(
    (name) => name.slice(0, Math.max(0, name.lastIndexOf("."))) === prefix,
  );
  const known = siblings.map((name) => name.slice(name.lastIndexOf(".") + 1));
  const present = parent !== null && typeof parent === "object" ? Object.keys(parent) : [];
  if (prefix === "") known.push(...SECRET_KEYS, AUTHORITY_KEY);
  const free = known.filter((name) => !present.includes(name) && !name.endsWith("[]"));
  return {
    key,
    value: "(not shown)",
    rule: "no unknown key",
    example: `remove it, or one of ${free.join(", ")}`,
  };
}

function shown(value: unknown): string {
  if (value === undefined) return "(missing)";
  // Whole objects may hold a misplaced secret.
  if (Array.isArray(value)) return "(a list)";
  if (value !== null && typeof value === "object") return "(an object)";
  const text = JSON.stringify(value).replace(/\/\/[^/@]*@/g, "//(hidden)@");
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}

function dotted(path: readonly unknown[]): string {
  return path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? `${part}` : `.${part}`))
    .join("");
}
