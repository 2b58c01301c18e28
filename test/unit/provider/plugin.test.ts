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
    [
      { ...host, hostKey: "ssh-rsa AAAA" },
      /connection\.hostKey: must not be of type ssh-rsa: take the ssh-ed25519/,
    ],
    [{ ...host, proxy: { host: "10.0.20.1" } }, /connection\.proxy\.hostKey: is required/],
    [{ ...host, proxy: { ...host, proxy: host } }, /connection\.proxy\.proxy: is not a field/],
  ])("refuses %j", (connection, reason) => {
    expect(check(connection)).toContainEqual({
      property: "connection",
      reason: expect.stringMatching(reason),
    });
  });
});

describe("an import", () => {
  const host = { address: "not reached" };
  const found = {
    path: "/etc/motd",
    content: "hello\n",
    mode: "0644",
    owner: "root",
    group: "root",
    type: "file",
  };
  /** A plugin whose files are read as given. */
  const importing = (inputs: typeof found | undefined) => {
    const read = async () => inputs && { inputs, outputs: inputs };
    const own = new HostPlugin({ File: { ...file, read } });
    own.configure({
      connection: JSON.stringify({ host: host.address, hostKey: "ssh-ed25519 AAAA", privateKey: "none" }),
    });
    return own;
  };

  test("records what was found, as never changed by this program", async () => {
    const read = await importing(found).read("File", "/etc/motd", {});
    expect(read).toEqual({
      inputs: found,
      outputs: { ...found, changedAt: "as found", writtenAt: "as found" },
    });
    expect(plugin.diff("File", found, plugin.check("File", declared).inputs).changes.size).toBe(0);
  });

  test("that finds nothing differs in such a way that the update makes it", async () => {
    const read = await importing(undefined).read("File", "/etc/motd", {});
    expect(read?.inputs.type).toBe("gone");
    const { changes, replaces } = plugin.diff(
      "File",
      read?.inputs ?? {},
      plugin.check("File", declared).inputs,
    );
    expect(changes.get("type")).toBe("update");
    expect(replaces).toEqual([]);
  });

  test("is none where something was recorded: then it is gone", async () => {
    const recorded = { inputs: found, outputs: found };
    expect(await importing(undefined).read("File", "/etc/motd", recorded)).toBeUndefined();
  });

  test("of a unit says nothing of states that are not declared", () => {
    const unit = { name: "a.service", content: "[Unit]\n", restartOnChange: false };
    const { inputs } = plugin.check("SystemdUnit", unit);
    const read = { ...inputs, enabled: false, active: true };
    expect(plugin.diff("SystemdUnit", read, inputs).changes.size).toBe(0);
    const timer = plugin.check("SystemdUnit", { ...unit, enabled: true, active: true }).inputs;
    expect([...plugin.diff("SystemdUnit", read, timer).changes.keys()]).toEqual(["enabled"]);
  });

  test("of a compose project shows which containers have another definition, and no others", () => {
    const service = (revision: string, mounted: string[]) => ({
      container: "a",
      image: "a:1.0.0",
      revision,
      mounted,
    });
    const project = (services: Record<string, unknown>) =>
      plugin.check("ComposeProject", {
        project: "p",
        file: "/f",
        services,
        dependents: [],
        waitTimeoutSeconds: 1,
      }).inputs;
    const read = project({ a: service("1", ["as found"]), b: service("(none)", ["as found"]) });
    const wanted = project({ a: service("1", ["now"]), b: service("2", ["now"]) });
    expect([...plugin.diff("ComposeProject", read, wanted).changes.keys()]).toEqual(["services.b.revision"]);
  });
});
