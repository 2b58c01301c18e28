import * as v from "valibot";
import { byResource, keyOf, type ResourceChange, shortType } from "./changes.ts";
import { partOf, type StackPart } from "./only.ts";
import type { Outcome } from "./stack.ts";

/** Names in one list. */
const maxNames = 20;

export interface UnfinishedRun {
  readonly run: string;
  readonly outcome: Pick<Outcome, "changes" | "done">;
  /** Name of the signal that cancelled it; undefined where it failed by itself. */
  readonly signal: string | undefined;
  /** What to type to go on. */
  readonly again: string;
}

/** The last lines of an update that did not come to its end: what was applied and what was not. */
export function unfinishedText({ run, outcome, signal, again }: UnfinishedRun): string {
  const done = byResource(outcome.done).filter(isThing);
  const isDone = (change: ResourceChange) => done.some((each) => keyOf(each) === keyOf(change));
  const begun = byResource(outcome.changes).filter((change) => isThing(change) && !isDone(change));
  const end = signal === undefined ? "failed" : `was cancelled (${signal})`;
  return [
    `\n${run} ${end}. Applied: ${list(done)}. Begun and not finished: ${list(begun)}. What is in neither list was not begun.`,
    `The stack's state holds what was applied, and the lock is given back. \`${again}\` goes on from there.\n`,
  ].join("\n");
}

/** Components, providers and the stack itself are no things outside the state. */
function isThing({ type }: ResourceChange): boolean {
  return !/^(registry|pulumi):/.test(type);
}

function list(changes: readonly ResourceChange[]): string {
  if (changes.length === 0) return "nothing";
  return countedNames(changes.map((change) => `${change.operation} ${shortType(change)} ${change.name}`));
}

/** How many there are, and the first of them by name. */
function countedNames(names: readonly string[]): string {
  const rest = names.length - maxNames;
  const shown = names.slice(0, maxNames).join(", ");
  return `${names.length} (${shown}${rest > 0 ? ` and ${rest} more` : ""})`;
}

const stateSchema = v.object({
  resources: v.optional(
    v.nullable(v.array(v.object({ urn: v.string(), custom: v.optional(v.boolean(), false) }))),
    [],
  ),
  pending_operations: v.optional(
    v.nullable(v.array(v.object({ resource: v.object({ urn: v.string() }), type: v.string() }))),
    [],
  ),
});

/** What a stack's state holds, by name. */
export interface StackContents {
  /** Things that were made and not taken away. */
  readonly resources: Readonly<Record<StackPart, readonly string[]>>;
  /** Things whose creation a killed update began: whether they are there is not known. */
  readonly pendingCreates: readonly string[];
}

/** The contents of an exported state. Source: pulumi sdk/go/common/apitype/core.go (DeploymentV3). */
export function contentsOf(deployment: unknown): StackContents {
  const { resources, pending_operations: pending } = v.parse(stateSchema, deployment ?? {});
  const things = (resources ?? []).filter(
    ({ urn, custom }) => custom && !urn.includes("::pulumi:providers:"),
  );
  const named = (part: StackPart) =>
    things.filter(({ urn }) => partOf(urn) === part).map(({ urn }) => nameIn(urn));
  return {
    resources: { host: named("host"), cluster: named("cluster") },
    pendingCreates: (pending ?? [])
      .filter(({ type }) => type === "creating")
      .map(({ resource }) => nameIn(resource.urn)),
  };
}

function nameIn(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.split(":").at(-1)} ${name}`;
}

/** What a destroy left in the stack, and how to take it away; undefined when nothing is left. */
export function remainingText(stack: string, { resources }: StackContents): string | undefined {
  const parts = (Object.keys(resources) as StackPart[]).filter((part) => resources[part].length > 0);
  if (parts.length === 0) return undefined;
  const lines = parts.map((part) => `  ${part}: ${countedNames(resources[part])}`);
  return [
    `\nStack ${stack} still holds:`,
    ...lines,
    "`npm run destroy` takes all of it away once both parts can be reached, `npm run destroy -- --only cluster` (or host) one part.",
    `Where the VM is gone for good, \`npx pulumi stack rm --force --stack ${stack}\` forgets it.\n`,
  ].join("\n");
}
