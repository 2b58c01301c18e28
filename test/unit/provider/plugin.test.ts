import { describe, expect, test } from "vitest";
import { composeProject } from "../../../provider/kinds/compose-project.ts";
import { directory } from "../../../provider/kinds/directory.ts";
import { file } from "../../../provider/kinds/file.ts";
import { htpasswd } from "../../../provider/kinds/htpasswd.ts";
import { unknown } from "../../../provider/kinds/kind.ts";
import { systemdUnit } from "../../../provider/kinds/systemd-unit.ts";
import { HostPlugin } from "../../../provider/plugin.ts";

const kinds = {
  File: file,
  Directory: directory,
  Htpasswd: htpasswd,
  SystemdUnit: systemdUnit,
  ComposeProject: composeProject,
};
const plugin = new HostPlugin(kinds);
const declared = { path: "/etc/motd", content: "hello\n", mode: "0644", owner: "root", group: "root" };
const reasons = (type: string, inputs: Record<string, unknown>) => plugin.check(type, inputs).failures;

describe("check", () => {
  test("adds what should be found", () => {
    expect(plugin.check("File", declared)).toEqual({ inputs: { ...declared, type: "file" }, failures: [] });
  });

  test.each([
    ["File", { ...declared, path: "motd" }, "path", /absolute path/],
    ["File", { ...declared, path: "/etc/../motd" }, "path", /absolute path/],
    ["File", { ...declared, path: "/etc/motd/" }, "path", /absolute path/],
    ["File", { ...declared, mode: "644" }, "mode", /four octal digits/],
    ["File", { ...declared, owner: "ro ot" }, "owner", /user name or id/],
    ["File", { ...declared, colour: "red" }, "colour", /not a property/],
    ["File", { ...declared, content: undefined }, "content", /exactly one of/],
    ["File", { ...declared, source: "x", sha256: "y" }, "content", /exactly one of/],
    ["Directory", { path: "/srv" }, "mode", /required/],
    ["Htpasswd", { ...declared, content: undefined, users: { "a:b": "x" } }, "users", /no colon/],
    ["Htpasswd", { ...declared, content: undefined, users: { a: "x".repeat(73) } }, "users", /72 bytes/],
    ["SystemdUnit", { name: "scan", content: "x\n", restartOnChange: false }, "name", /NAME\.TYPE/],
    ["SystemdUnit", { name: "a.timer", content: "x", restartOnChange: false }, "content", /newline/],
  ])("refuses a %s like %j and names the property", (type, inputs, property, reason) => {
    const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
    expect(reasons(type, given)).toContainEqual({ property, reason: expect.stringMatching(reason) });
  });

  test("never repeats a value, which may be a secret", () => {
    const faults = reasons("Htpasswd", {
      ...declared,
      users: { a: `secret${"x".repeat(80)}` },
      mode: "secret-mode",
    });
    expect(JSON.stringify(faults)).not.toContain("secret");
  });

  test("lets pass what is not known before the update", () => {
    expect(reasons("File", { ...declared, path: unknown, content: unknown, mode: unknown })).toEqual([]);
    expect(
      reasons("ComposeProject", {
        project: "p",
        file: "/f",
        services: unknown,
        dependents: [],
        waitTimeoutSeconds: 1,
      }),
    ).toEqual([]);
  });
});

describe("diff", () => {
  const old = plugin.check("File", declared).inputs;

  test("replaces for another path only", () => {
    const { inputs } = plugin.check("File", { ...declared, path: "/etc/issue", content: "x" });
    expect(plugin.diff("File", old, inputs).replaces).toEqual(["path"]);
  });

  test("names no user of a password file", () => {
    const users = (password: string) =>
      plugin.check("Htpasswd", { ...declared, content: undefined, users: { viktor: password } }).inputs;
    const without = (inputs: Record<string, unknown>) => ({ ...inputs, users: {} });
    for (const next of [users("new"), without(users("new"))])
      expect([...plugin.diff("Htpasswd", users("old"), next).changes.keys()]).toEqual(["users"]);
  });

  test("calls no difference what only says how a thing is done", () => {
    const { inputs } = plugin.check("File", {
      ...declared,
      validate: "true",
      backupDirectory: "/var/backups",
    });
    expect(plugin.diff("File", old, inputs).changes.size).toBe(0);
  });
});

describe("a preview", () => {
  test("needs no host, and knows in a preview when a file will be written", async () => {
    const { outputs } = await plugin.create("File", declared, true);
    expect(outputs).toMatchObject({ changedAt: unknown, writtenAt: unknown });
    const recorded = { inputs: { ...declared, type: "file" }, outputs: { ...declared, writtenAt: "then" } };
    const owned = await plugin.update(
      "File",
      "/etc/motd",
      recorded,
      { ...declared, type: "file", mode: "0600" },
      true,
    );
    expect(owned).toMatchObject({ changedAt: unknown, writtenAt: "then" });
  });
});

describe("the connection", () => {
  const check = (connection: Record<string, unknown>) =>
    plugin.checkConfig({ connection: JSON.stringify(connection) });
  const host = { host: "10.0.20.10", hostKey: "ssh-ed25519 AAAA" };

  test("needs a host and a host key, and nothing more", () => {
    expect(check(host)).toEqual([]);
    expect(
      check({})
        .map(({ reason }) => reason)
        .join("\n"),
    ).toMatch(/connection\.host: .*\n.*connection\.hostKey: /);
  });

  test.each([
    [{ ...host, port: 70_000 }, /connection\.port/],
    [{ ...host, hostKey: "SHA256:abc" }, /connection\.hostKey: must be TYPE and BASE64/],
    [{ ...host, hostkey: "x" }, /connection\.hostkey: is not a field/],
    [{ ...host, hostKey: "ssh-rsa AAAA" }, /connection\.hostKey: must not be of type ssh-rsa, .*SHA-1/],
    [{ ...host, proxy: { host: "10.0.20.1" } }, /connection\.proxy\.hostKey: is required/],
    [{ ...host, proxy: { ...host, proxy: host } }, /connection\.proxy\.proxy: is not a field/],
  ])("refuses %j", (connection, reason) => {
    expect(check(connection)).toContainEqual({
      property: "connection",
      reason: expect.stringMatching(reason),
    });
  });
});
