import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import * as v from "valibot";
import {
  type UnmanagedKind,
  type UnmanagedPart,
  unmanagedKinds,
  unmanagedSchema,
  unmanagedType,
} from "../../contract/unmanaged.ts";

/** What a drift run read of the host beside what is declared, by part; undefined where it read nothing. */
export type Unmanaged = readonly UnmanagedPart[] | undefined;

/** The reading that an engine event carries, if it does: the refreshed outputs of the resource `Unmanaged`. */
export function unmanagedIn(event: EngineEvent): Unmanaged {
  const { type, op, new: state } = event.resOutputsEvent?.metadata ?? {};
  if (type !== unmanagedType || op !== "refresh") return undefined;
  const parsed = v.safeParse(unmanagedSchema, state?.outputs);
  return parsed.success ? parsed.output.parts : undefined;
}

const titles: Readonly<Record<UnmanagedKind, string>> = {
  file: "files in managed directories",
  container: "containers",
  unit: "units",
  job: "scheduled jobs that remove what tags need",
  port: "listening ports",
};

/** Parts of which nothing is known. */
export function uncheckedKinds(unmanaged: Unmanaged): readonly UnmanagedKind[] {
  return unmanagedKinds.filter(
    (kind) => !unmanaged?.some((part) => part.kind === kind && part.unchecked === undefined),
  );
}

/** Findings by kind; a part that could not be checked has no number. */
export function unmanagedCounts(unmanaged: Unmanaged): ReadonlyMap<UnmanagedKind, number> {
  const checked = (unmanaged ?? []).filter(({ unchecked }) => unchecked === undefined);
  return new Map(checked.map(({ kind, found }) => [kind, found.length]));
}

export function totalOf(unmanaged: Unmanaged): number {
  return [...unmanagedCounts(unmanaged).values()].reduce((total, count) => total + count, 0);
}

/** The section of a drift run's output: one line a finding, and what could not be checked with its reason. */
export function unmanagedText(unmanaged: Unmanaged): string {
  if (unmanaged === undefined) {
    return "\nBeside what is declared: could not check. The host was not read, or no `npm run up` has made the check yet.\n";
  }
  const found = unmanaged.flatMap(({ kind, found }) => found.map((thing) => ({ kind, ...thing })));
  const unchecked = uncheckedKinds(unmanaged).map((kind) => {
    const reason = unmanaged.find((part) => part.kind === kind)?.unchecked ?? "it was not read";
    return `  could not check ${titles[kind]}: ${reason}`;
  });
  const width = Math.max(0, ...found.map(({ name }) => name.length));
  const lines = found.map(
    ({ kind, name, detail }) => `  ${kind.padEnd("container".length)}  ${name.padEnd(width)}  ${detail}`,
  );
  const head =
    found.length === 0
      ? `Beside what is declared: nothing${unchecked.length > 0 ? " in what could be checked" : ""}.`
      : `Beside what is declared, the host has ${found.length} (left as they are; \`drift.allow\` lists what may stay):`;
  return `\n${[head, ...lines, ...unchecked].join("\n")}\n`;
}

/** Lines for a message to people: what a drift run is asked to count, and jobs that destroy images in any case. */
export function unmanagedLines(unmanaged: Unmanaged, countsAll: boolean): string[] {
  return (unmanaged ?? [])
    .filter(({ kind }) => countsAll || kind === "job")
    .flatMap(({ kind, found }) => found.map(({ name, detail }) => `${kind} ${name}: ${detail}`));
}
