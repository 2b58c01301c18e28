import { readFile } from "node:fs/promises";
import { load, YAMLException } from "js-yaml";
import * as v from "valibot";
import {
  type RetentionRule,
  type RetentionRules,
  retentionRulesSchema,
} from "../../contract/retention-rules.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import { pathMatcher } from "./pattern.ts";

/** A rule with its number, counted from 1 as people do. */
export interface NumberedRule {
  readonly number: number;
  readonly rule: RetentionRule;
}

/** The first rule that matches a repository; undefined: it is kept complete. */
export type FindRule = (repository: string) => NumberedRule | undefined;

/** Errors: E_CONFIGURATION with every fault of the file, each with its key, or with its line where it is no YAML. */
export async function readRules(path: string): Promise<RetentionRules> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const message = `Cannot read the rules ${path}: ${describeError(cause)}. Nothing was changed.`;
    throw new ProgramError("E_CONFIGURATION", message, { cause });
  }
  return parseRules(text, path);
}

/** As {@link readRules}, of a text. */
export function parseRules(text: string, path: string): RetentionRules {
  const parsed = v.safeParse(retentionRulesSchema, parseYaml(text, path));
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map((issue) => `  ${describeIssue(issue)}`);
  const head = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  throw new ProgramError(
    "E_CONFIGURATION",
    `The rules ${path} have ${head}; nothing was changed:\n${faults.join("\n")}`,
  );
}

function parseYaml(text: string, path: string): unknown {
  try {
    const document = load(text);
    return Array.isArray(document) ? "a list" : document;
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    const line = cause.mark ? `:${cause.mark.line + 1}` : "";
    const message = `The rules ${path}${line} are no YAML: ${cause.reason}. Nothing was changed.`;
    throw new ProgramError("E_CONFIGURATION", message, { cause });
  }
}

function describeIssue({ path, message, expected, received, input }: v.BaseIssue<unknown>): string {
  const key = (path ?? [])
    .map(({ key }, at) => (typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`))
    .join("");
  if (expected === "never") return `${key} is no key that is known here`;
  if (received === "undefined") return `${key} is missing`;
  const shown = JSON.stringify(input) ?? String(input);
  // A message of ours is the rest of a sentence; one of the schema's own names types.
  if (/^(is|can|names|needs) /.test(message)) return `${key === "" ? "the file" : key}: ${shown} ${message}`;
  return `${key === "" ? "the file" : key}: expected ${expected ?? "another value"}, got ${shown}`;
}

export function createFindRule(rules: RetentionRules["rules"]): FindRule {
  const matchers = rules.map((rule, index) => ({
    found: { number: index + 1, rule },
    matches: pathMatcher(rule.repositories),
  }));
  return (repository) => matchers.find(({ matches }) => matches(repository))?.found;
}
