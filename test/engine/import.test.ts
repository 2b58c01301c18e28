import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import automation, { type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { projectRoot } from "../../lab/machine/paths.ts";
import { ensurePulumi, pulumiHome } from "../../lab/machine/tools/pulumi.ts";
import { Directory, File, Provider } from "../../provider/resources.ts";
import { type ShellHost, startShellHost } from "../support/server/shell-host.ts";

const directory = mkdtempSync(join(tmpdir(), "regwarden-import-"));
const at = (name: string) => join(directory, "host", name);
let host: ShellHost;

beforeAll(async () => {
  await ensurePulumi();
  host = await startShellHost();
  vi.stubEnv("PULUMI_HOME", pulumiHome());
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${directory}`);
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "of these tests");
  vi.stubEnv("PULUMI_SKIP_UPDATE_CHECK", "true");
  mkdirSync(at("kept"), { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries({ equal: "as declared\n", other: "first\nformer\nlast\n" })) {
    writeFileSync(at(name), text);
    chmodSync(at(name), 0o644);
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  host?.close();
});

/** Four files and a directory, each imported that is told to be there. */
async function program(): Promise<void> {
  const { port, hostKey, privateKey } = host;
  const connection = { host: "127.0.0.1", port, hostKey, privateKey, dialErrorLimit: 1 };
  const provider = new Provider("host", { connection });
  const imported = (name: string): pulumi.CustomResourceOptions => ({ provider, import: at(name) });
  new Directory("kept", { path: at("kept") }, imported("kept"));
  new File("equal", { path: at("equal"), content: "as declared\n", validate: "true" }, imported("equal"));
  new File("other", { path: at("other"), content: "first\ndeclared\nlast\n" }, imported("other"));
  new File("gone", { path: at("gone"), content: "as declared\n" }, imported("gone"));
  new File("new", { path: at("new"), content: "as declared\n" }, { provider });
}

test("a first preview shows what is equal as imported, what differs by its lines, and what is new as made", async () => {
  const workDir = join(directory, "project");
  mkdirSync(workDir);
  symlinkSync(join(projectRoot, "node_modules"), join(workDir, "node_modules"));
  writeFileSync(
    join(workDir, "Pulumi.yaml"),
    `name: regwarden\nruntime: { name: nodejs, options: { typescript: false } }\nplugins:\n  providers:\n    - { name: host, path: ${join(projectRoot, "provider")} }\n`,
  );
  const stack = await automation.LocalWorkspace.createOrSelectStack(
    { stackName: "adopted", projectName: "regwarden", program },
    { workDir },
  );
  const steps = new Map<string, string[]>();
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const { urn = "", op = "" } = resourcePreEvent?.metadata ?? {};
    const name = urn.split("::").at(-1) ?? "";
    if (urn.includes("host:index:")) steps.set(name, [...(steps.get(name) ?? []), op]);
  };
  const { stdout } = await stack.preview({ onEvent, diff: true, color: "never" });
  expect(Object.fromEntries(steps)).toEqual({
    kept: ["import"],
    equal: ["import"],
    other: ["import", "update"],
    gone: ["import", "update"],
    new: ["create"],
  });
  expect(stdout).toMatch(/ - former\n +\+ declared/);
  expect(stdout).toMatch(/ ~ type +: "gone" => "file"/);
  expect(stdout).toMatch(/^ +\+ 3 to create\n +~ 2 to update\n += 4 to import$/m);
  // The preview has only read.
  expect(readFileSync(at("other"), "utf8")).toBe("first\nformer\nlast\n");
});
