import type { StepEventMetadata } from "@pulumi/pulumi/automation/events.js";
import { structuredPatch } from "diff";
import { dump } from "js-yaml";
import { hiddenSecret, isSecret, plainValue } from "./plain-value.ts";
import { parsePropertyPath, valueAt } from "./property-path.ts";

/** How one property of a resource changes. */
export interface PropertyDiff {
  /** Path of the property; empty for all properties of a resource that is created or deleted. */
  readonly path: string;
  /** Each begins with `+`, `-`, a space, `@` (where lines are left out) or a backslash (no line end). */
  readonly lines: readonly string[];
}

const contextLines = 3;
/** A comparison that needs more edits takes seconds and shows nothing that a person reads. */
const maxEdits = 4000;

/**
 * How a step changes its resource, property by property. Never the value of a secret: where either side is one, both
 * are hidden.
 *
 * Shape: `inputDiff: false` means that what the provider read differs from what the program says.
 * Source: pulumi sdk/go/common/apitype/events.go.
 */
export function propertyDiffs(step: StepEventMetadata): PropertyDiff[] {
  return allDiffs(step).filter(({ lines }) => lines.length > 0);
}

function allDiffs({ op, old, new: after, detailedDiff }: StepEventMetadata): PropertyDiff[] {
  const paths = Object.entries(detailedDiff ?? {});
  if (paths.length === 0 && op === "create") return [diffOf("", undefined, after?.inputs)];
  if (paths.length === 0 && op === "delete") return [diffOf("", old?.inputs, undefined)];
  return paths.map(([path, { inputDiff }]) => {
    const keys = parsePropertyPath(path);
    if (keys === undefined) return { path, lines: [] };
    const before = inputDiff ? [old?.inputs, old?.outputs] : [old?.outputs, old?.inputs];
    return diffOf(path, firstAt(before, keys), firstAt([after?.inputs, after?.outputs], keys));
  });
}

function firstAt(roots: readonly unknown[], keys: readonly (string | number)[]): unknown {
  return roots.map((root) => valueAt(root, keys)).find((value) => value !== undefined);
}

function diffOf(path: string, before: unknown, after: unknown): PropertyDiff {
  const values = [before, after];
  const shown = values.some(isSecret)
    ? values.map((value) => (value === undefined ? undefined : hiddenSecret))
    : values.map(plainValue);
  return { path, lines: lineDiff(shown[0], shown[1]) };
}

function lineDiff(before: unknown, after: unknown): string[] {
  const asText = [before, after].every((value) => typeof value === "string" || value === undefined);
  const [from, to] = [before, after].map((value) => textOf(value, asText));
  if (from === undefined) return to === undefined ? [] : prefixed("+", to);
  if (to === undefined) return prefixed("-", from);
  // Values that are equal as text are secrets, or differ in what is not shown.
  if (from === to) return [...prefixed("-", from), ...prefixed("+", to)];
  // A line end that both lack is no news.
  const end = from.endsWith("\n") || to.endsWith("\n") ? "" : "\n";
  const options = { context: contextLines, maxEditLength: maxEdits };
  const patch = structuredPatch("", "", from + end, to + end, "", "", options);
  if (patch === undefined)
    return [`@@ ${lineCount(from)} lines become ${lineCount(to)}: too many differ to show them @@`];
  return patch.hunks.flatMap(({ oldStart, lines }, at) => {
    const isStart = at === 0 && oldStart <= 1;
    return isStart ? lines : [`@@ line ${oldStart} @@`, ...lines];
  });
}

/** Text as it is, so that its lines are lines; anything else as YAML. */
function textOf(value: unknown, asText: boolean): string | undefined {
  if (value === undefined) return undefined;
  if (asText && typeof value === "string") return value;
  return dump(value, { lineWidth: -1, noRefs: true, sortKeys: true });
}

function prefixed(sign: string, text: string): string[] {
  return linesOf(text).map((line) => sign + line);
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

function lineCount(text: string): number {
  return linesOf(text).length;
}
