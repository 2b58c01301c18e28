import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundlePrograms } from "../../../scripts/build-programs.ts";
import { temporaryDirectory } from "../../support/program.ts";

test("the bundle is one file that runs by itself, small enough for a ConfigMap, and the same each time", async () => {
  const directory = await temporaryDirectory();
  const [first, second] = [join(directory, "first.mjs"), join(directory, "second.mjs")];
  await bundlePrograms(first, true);
  await bundlePrograms(second, true);
  const text = await readFile(first, "utf8");
  expect(text).toBe(await readFile(second, "utf8"));
  expect(text.startsWith("#!/usr/bin/env node\n")).toBe(true);
  // A ConfigMap takes 1 MiB, and JSON on its way there escapes line ends and quotes.
  expect(JSON.stringify(text).length).toBeLessThan(800 * 1024);
  // On its way into the cluster it is YAML, which takes U+0085 for the end of a line: the program arrives as another one.
  expect(text.match(/[^\t\n -~]+/g)).toBeNull();
  expect(text).not.toMatch(/from "(?!node:)/);
  expect(text).not.toContain("@pulumi/");
  const { stdout } = await promisify(execFile)(process.execPath, [first, "--version"], { cwd: directory });
  expect(stdout).toMatch(/^regwarden \d+\.\d+\.\d+\n$/);
  // The only reader of YAML in the bundle.
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(
    kubeconfig,
    "current-context: home\ncontexts: [{name: home, context: {cluster: c, user: u}}]\n",
  );
  const argv = [first, "in-use", "--registry", "r.example", "--kubeconfig", kubeconfig];
  await expect(promisify(execFile)(process.execPath, argv)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("has no cluster c"),
  });
});
