import { describe, expect, test } from "vitest";
import type { UnmanagedPart } from "../../../../contract/unmanaged.ts";
import {
  totalOf,
  uncheckedKinds,
  unmanagedIn,
  unmanagedLines,
  unmanagedText,
} from "../../../../engine/drift/unmanaged.ts";

const parts: UnmanagedPart[] = [
  { kind: "file", found: [{ name: "/opt/registry/old.yml", detail: "file" }] },
  { kind: "container", found: [] },
  { kind: "unit", found: [] },
  { kind: "job", found: [{ name: "/var/spool/cron/crontabs/root:2", detail: "garbage-collect -m" }] },
  { kind: "port", found: [], unchecked: "ss is not on the host" },
];

const event = (op: string, type: string, outputs: unknown) =>
  unmanagedIn({ resOutputsEvent: { metadata: { op, type, new: { outputs } } } } as never);

describe("what is on the host beside what is declared", () => {
  test("is read from the refresh of its resource, and from no other event", () => {
    expect(event("refresh", "host:index:Unmanaged", { parts })).toEqual(parts);
    expect(event("same", "host:index:Unmanaged", { parts: [] })).toBeUndefined();
    expect(event("refresh", "host:index:File", { parts })).toBeUndefined();
    expect(event("refresh", "host:index:Unmanaged", {})).toBeUndefined();
    expect(unmanagedIn({} as never)).toBeUndefined();
  });

  test("is a table, with what could not be checked and why", () => {
    expect(unmanagedText(parts)).toBe(`
Beside what is declared, the host has 2 (left as they are; \`drift.allow\` lists what may stay):
  file       /opt/registry/old.yml            file
  job        /var/spool/cron/crontabs/root:2  garbage-collect -m
  could not check listening ports: ss is not on the host
`);
  });

  test("is nothing only where everything was checked", () => {
    const empty = (["file", "container", "unit", "job", "port"] as const).map((kind) => ({
      kind,
      found: [],
    }));
    expect(unmanagedText(empty)).toBe("\nBeside what is declared: nothing.\n");
    expect(unmanagedText(empty.slice(1))).toContain(
      "nothing in what could be checked.\n  could not check files in managed directories: it was not read",
    );
    expect(unmanagedText(undefined)).toContain("Beside what is declared: could not check.");
  });

  test("is counted where it was checked", () => {
    expect(totalOf(parts)).toBe(2);
    expect(uncheckedKinds(parts)).toEqual(["port"]);
    expect(uncheckedKinds(undefined)).toHaveLength(5);
  });

  test("goes into a message where that is asked for, and jobs that destroy images always", () => {
    expect(unmanagedLines(parts, true)).toHaveLength(2);
    expect(unmanagedLines(parts, false)).toEqual(["job /var/spool/cron/crontabs/root:2: garbage-collect -m"]);
  });
});
