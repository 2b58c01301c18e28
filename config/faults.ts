import type * as v from "valibot";
import { keysAt, ruleAt } from "./setting.ts";

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

type Path = readonly (string | number)[];

const LONGEST_VALUE = 80;

/** A fault found by a schema; `moreKeys` are the top-level keys that it does not know. */
export function schemaFault(
  schema: v.GenericSchema,
  issue: v.BaseIssue<unknown>,
  moreKeys: readonly string[],
): Fault {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
  // The value of an unknown key may be a misspelt secret.
  if (issue.expected === "never") return unknownKey(schema, path, issue.path?.at(-1)?.input, moreKeys);
  return settingFault(schema, path, issue.input);
}

/** A key that does not hold what its rule asks for. */
export function settingFault(schema: v.GenericSchema, path: Path, value: unknown): Fault {
  const rule = ruleAt(schema, path) ?? { rule: "another type", example: "see Pulumi.example.yaml" };
  return { key: dotted(path), value: shown(value), ...rule };
}

/** Objects of a list whose name an earlier one has already. */
export function sameNameFaults(list: string, items: readonly { readonly name: string }[]): Fault[] {
  return items.flatMap(({ name }, at) => {
    const first = items.findIndex((item) => item.name === name);
    if (first === at) return [];
    const rule = `a name of its own: regwarden:${list}[${first}].name is the same`;
    return [{ key: `${list}[${at}].name`, value: JSON.stringify(name), rule, example: `${name}-2` }];
  });
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

function unknownKey(
  schema: v.GenericSchema,
  path: Path,
  parent: unknown,
  moreKeys: readonly string[],
): Fault {
  const above = path.slice(0, -1);
  const present = parent !== null && typeof parent === "object" ? Object.keys(parent) : [];
  const known = [...keysAt(schema, above), ...(above.length === 0 ? moreKeys : [])];
  const free = known.filter((name) => !present.includes(name));
  return {
    key: dotted(path),
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

function dotted(path: Path): string {
  return path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join("");
}
