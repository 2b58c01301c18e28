import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import { type PropertyDiff, propertyDiffs } from "./comment/property-diff.ts";

/** One resource that an operation would change or has changed. */
export interface ResourceChange {
  readonly operation: string;
  readonly type: string;
  readonly name: string;
  /** Property paths that differ. */
  readonly properties: readonly string[];
  /** How they differ; none for what is known by its properties alone. */
  readonly diffs?: readonly PropertyDiff[];
}

/** Steps that change nothing by themselves. */
const quiet = new Set(["same", "refresh", "read", "discard-replaced"]);

/** Whether a change is one of how a host or the cluster is reached, and of nothing on it. */
export function isConnectionChange({ operation, type }: ResourceChange): boolean {
  return operation === "update" && type.startsWith("pulumi:providers:");
}

/** The change that an engine event announces, if it does. Source: pulumi sdk/go/common/apitype/events.go. */
export function changeOf(event: EngineEvent): ResourceChange | undefined {
  return changeIn(event.resourcePreEvent?.metadata);
}

/** The change that an engine event reports as done. */
export function doneIn(event: EngineEvent): ResourceChange | undefined {
  return changeIn(event.resOutputsEvent?.metadata);
}

function changeIn(step: StepEventMetadata | undefined): ResourceChange | undefined {
  if (!step || quiet.has(step.op)) return undefined;
  const [, , qualifiedType = "", name = ""] = step.urn.split("::");
  return {
    operation: step.op,
    type: qualifiedType.split("$").at(-1) ?? qualifiedType,
    name,
    properties: Object.keys(step.detailedDiff ?? {}),
    ...withDiffs(propertyDiffs(step)),
  };
}

/** What an operation announced, one change a resource, without those of the connection. */
export function reportedChanges({
  changes,
}: {
  readonly changes: readonly ResourceChange[];
}): readonly ResourceChange[] {
  return byResource(changes.filter((change) => !isConnectionChange(change)));
}

/** What is the same for all steps of one resource. */
export function keyOf({ type, name }: ResourceChange): string {
  return `${type}::${name}`;
}

/** One change a resource: a replacement is announced as up to three steps. */
export function byResource(changes: readonly ResourceChange[]): ResourceChange[] {
  const merged = new Map<string, ResourceChange>();
  for (const change of changes) {
    const key = keyOf(change);
    const earlier = merged.get(key);
    const properties = [...new Set([...(earlier?.properties ?? []), ...change.properties])];
    const diffs = [...(earlier?.diffs ?? []), ...(change.diffs ?? [])];
    const operation = earlier ? "replace" : change.operation;
    merged.set(key, { ...change, operation, properties, ...withDiffs(onePerPath(diffs)) });
  }
  return [...merged.values()];
}

function withDiffs(diffs: readonly PropertyDiff[]): Pick<ResourceChange, "diffs"> {
  return diffs.length === 0 ? {} : { diffs };
}

function onePerPath(diffs: readonly PropertyDiff[]): PropertyDiff[] {
  return diffs.filter(({ path }, at) => diffs.findIndex((other) => other.path === path) === at);
}

/** The last part of a type token: `host:index:File` is a `File`. */
export function shortType({ type }: ResourceChange): string {
  return type.split(":").at(-1) ?? type;
}

/** The changes as a table for people, one line a resource. */
export function changeTable(changes: readonly ResourceChange[]): string {
  const rows = changes.map((change) => [
    change.operation,
    shortType(change),
    change.name,
    change.properties.join(", "),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}`,
    )
    .join("\n");
}
