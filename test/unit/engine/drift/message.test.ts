import { describe, expect, test } from "vitest";
import { driftMessage } from "../../../../engine/drift/message.ts";

const facts = { stack: "prod", firstSeen: 0, runUrl: undefined, undeclared: [] };
const file = (name: string, properties: readonly string[] = ["content"]) => ({
  operation: "update",
  type: "host:index:File",
  name,
  properties,
});
const numbered = (count: number) => Array.from({ length: count }, (_, index) => file(`file-${index + 1}`));

describe("the message of a drift run", () => {
  test("is none when nothing drifted", () => {
    expect(driftMessage({ kind: "clean" }, facts)).toBeUndefined();
  });

  test("names resources, properties, the time of first sight and the run", () => {
    const changes = [file("compose", ["content", "mode"]), { ...file("quay", []), operation: "create" }];
    const seen = { ...facts, firstSeen: 1_795_241_000, runUrl: "https://ci.example.com/1" };
    expect(driftMessage({ kind: "drift", changes }, seen)).toBe(`\
Drift: stack prod differs from its program in 2 resources, first seen 2026-11-21 06:03 UTC.
• update File compose: content, mode
• create File quay
What is declared comes back with \`npm run up\`.
Run: https://ci.example.com/1`);
  });

  test("says that the run could not check, and never that all is well", () => {
    expect(driftMessage({ kind: "could-not-check" }, facts)).toBe(
      "Drift: could not check stack prod; whether it drifted is not known. The log of the run says why.",
    );
  });

  test("names the hosts that could not be reached, beside drift and without", () => {
    const deferred = [{ host: "proxmox", reason: "cannot connect" }];
    expect(driftMessage({ kind: "could-not-check", deferred }, facts)).toBe(
      "Drift: could not check all of stack prod; the rest has none.\n• could not check proxmox: cannot connect",
    );
    expect(driftMessage({ kind: "drift", changes: [file("a")], deferred }, facts)).toContain(
      "\n• could not check proxmox: cannot connect",
    );
  });

  test("ends after 20 resources, and after 20 properties of one", () => {
    const lines = (count: number) =>
      driftMessage({ kind: "drift", changes: numbered(count) }, facts)?.split("\n") ?? [];
    expect(lines(20)).toHaveLength(22);
    expect(lines(20).join()).not.toContain("more");
    expect(lines(23)[20]).toContain("file-20:");
    expect(lines(23)[21]).toBe("and 3 more");
    const properties = Array.from({ length: 21 }, (_, index) => `p${index + 1}`);
    expect(driftMessage({ kind: "drift", changes: [file("a", properties)] }, facts)).toContain(
      "p20, and 1 more",
    );
  });

  test("lets no name be read as a link or a call", () => {
    expect(driftMessage({ kind: "drift", changes: [file("<!channel>&")] }, facts)).toContain(
      "File &lt;!channel&gt;&amp;:",
    );
  });

  test("names what is on the host beside what is declared, also when nothing else differs", () => {
    const undeclared = [
      "job /var/spool/cron/crontabs/root:3: registry garbage-collect -m",
      "port 9100/tcp: x",
    ];
    expect(driftMessage({ kind: "clean" }, { ...facts, undeclared })).toBe(`\
The host of stack prod has 2 beside what is declared:
• job /var/spool/cron/crontabs/root:3: registry garbage-collect -m
• port 9100/tcp: x`);
  });
});
