import { describe, expect, test } from "vitest";
import { deferralText } from "../../../contract/dns.ts";
import { UsageError } from "../../../engine/args.ts";
import { deferredIn, deferredText, eachOnce, hasDeferrableHosts } from "../../../engine/deferred.ts";
import { chosenHost, parseDnsArgs } from "../../../engine/dns/args.ts";

describe("the command line of npm run dns", () => {
  test("names an action, a name to ask for, a host and a stack", () => {
    expect(parseDnsArgs(["test", "www.example.com", "--host", "proxmox", "--stack", "prod"])).toEqual({
      action: "test",
      name: "www.example.com",
      host: "proxmox",
      stack: "prod",
    });
    expect(parseDnsArgs(["rollback"])).toEqual({
      action: "rollback",
      name: undefined,
      host: undefined,
      stack: undefined,
    });
    expect(parseDnsArgs(["--help"])).toBe("help");
  });

  test.each([
    [[]],
    [["apply"]],
    [["rollback", "now"]],
    [["test", "a", "b"]],
    [["test", "$(id)"]],
    [["test", "--name", "a"]],
  ])("is refused as %j", (argv) => {
    expect(() => parseDnsArgs(argv)).toThrow(UsageError);
  });

  test.each([
    [undefined, ["vm", "proxmox"], "vm"],
    [undefined, ["proxmox"], "proxmox"],
    ["proxmox", ["vm", "proxmox"], "proxmox"],
  ])("means of %s and %j the host %s", (host, known, expected) => {
    expect(chosenHost(host, known, "vm")).toBe(expected);
  });

  test.each([
    ["nas", ["vm", "proxmox"], /no host nas\. Give --host with one of vm, proxmox/],
    [undefined, ["proxmox", "nas"], /Which host\? Give --host with one of proxmox, nas/],
    [undefined, [], /declares no name servers/],
  ])("fails with %s where there are %j", (host, known, message) => {
    expect(() => chosenHost(host, known, "vm")).toThrow(message);
  });
});

describe("deferred hosts", () => {
  test("that could not be made have the reason of the error, whichever event comes first", () => {
    const urn = "urn:pulumi:prod::regwarden::registry:host:HostDns$host:index:Reachable::dns-nas-reachable";
    const message = `<{%fg 1%}>${deferralText("nas", "root@192.0.2.15:22: cannot connect.")}<{%reset%}>`;
    const found = deferredIn({
      sequence: 1,
      timestamp: 1,
      diagnosticEvent: { urn, message, severity: "error", color: "never" },
    });
    expect(found).toEqual({ host: "nas", reason: "root@192.0.2.15:22: cannot connect." });
    const without = { host: "nas", reason: undefined };
    expect(eachOnce([without, ...[found].filter((each) => each !== undefined)])).toEqual([found]);
  });

  const step = (op: string, old: object | undefined) => ({
    op,
    type: "host:index:Reachable",
    urn: "urn:pulumi:prod::p::host:index:Reachable::dns-proxmox-reachable",
    old: old && { inputs: old },
    new: { inputs: { host: "proxmox", reached: "yes" } },
  });
  const event = (part: object) =>
    ({ sequence: 1, timestamp: 1, ...part }) as Parameters<typeof deferredIn>[0];

  test("are found in what a run plans, with the reason", () => {
    const metadata = step("update", { host: "proxmox", reached: "root@192.0.2.10:22: cannot connect" });
    expect(deferredIn(event({ resourcePreEvent: { metadata } }))).toEqual({
      host: "proxmox",
      reason: "root@192.0.2.10:22: cannot connect",
    });
  });

  test("are found in what could not be made", () => {
    const metadata = step("create", undefined);
    expect(deferredIn(event({ resOpFailedEvent: { metadata, status: 1, steps: 1 } }))).toEqual({
      host: "proxmox",
      reason: undefined,
    });
  });

  test("are not those that are made, answer, or are another kind of thing", () => {
    expect(deferredIn(event({ resourcePreEvent: { metadata: step("create", undefined) } }))).toBeUndefined();
    expect(deferredIn(event({ resourcePreEvent: { metadata: step("same", {}) } }))).toBeUndefined();
    const file = { ...step("update", {}), type: "host:index:File" };
    expect(deferredIn(event({ resourcePreEvent: { metadata: file } }))).toBeUndefined();
  });

  test("are named once each", () => {
    const all = eachOnce([
      { host: "nas", reason: "off" },
      { host: "nas", reason: undefined },
      { host: "proxmox", reason: undefined },
    ]);
    expect(deferredText(all)).toContain("\n  nas: off\n  proxmox: the errors of this run say why\n");
    expect(deferredText([])).toBe("");
  });

  test.each([
    [{}, false],
    [{ "regwarden:dns": { value: '{"servers":["10.0.20.1"]}' } }, false],
    [{ "regwarden:dns": { value: '{"hosts":[{"name":"nas"}]}' } }, true],
    [{ "regwarden:dns": { value: "{" } }, false],
  ])("may be there with the configuration %j: %s", (config, expected) => {
    expect(hasDeferrableHosts(config)).toBe(expected);
  });
});
