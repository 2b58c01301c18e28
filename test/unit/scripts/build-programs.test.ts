import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundlePrograms } from "../../../scripts/build-programs.ts";
import { temporaryDirectory } from "../../support/program.ts";

const run = (...argv: string[]) => promisify(execFile)(process.execPath, argv, { cwd: tmpdir() });

test.each(["scripts/main.ts", "scripts/cluster.ts"])(
  "%s becomes one file that runs by itself, and the same each time",
  async (entry) => {
    const scratch = await temporaryDirectory();
    const [first, second] = [join(scratch, "first.mjs"), join(scratch, "second.mjs")];
    await bundlePrograms(entry, first);
    await bundlePrograms(entry, second);
    const text = await readFile(first, "utf8");
    expect(text).toBe(await readFile(second, "utf8"));
    expect(text.startsWith("#!/usr/bin/env node\n")).toBe(true);
    // On its way into the cluster it is YAML, which takes U+0085 for the end of a line: the program arrives as another one.
    expect(text.match(/[^\t\n -~]+/g)).toBeNull();
    expect(text).not.toMatch(/from "(?!node:)/);
    expect(text).not.toContain("@pulumi/");
    expect((await run(first, "--version")).stdout).toMatch(/^regwarden \d+\.\d+\.\d+\n$/);
  },
);

test("the cluster's programs are those that pods run, and fit into a ConfigMap", async () => {
  const scratch = await temporaryDirectory();
  const bundle = join(scratch, "cluster.mjs");
  await bundlePrograms("scripts/cluster.ts", bundle);
  const text = await readFile(bundle, "utf8");
  // A ConfigMap takes 1 MiB, JSON on its way there escapes line ends and quotes, and the state of a stack holds it thrice.
  expect(JSON.stringify(text).length).toBeLessThan(400 * 1024);
  expect((await run(bundle, "--help")).stdout).toMatch(/^Commands:\n {2}probe .*\n {2}in-use .*\n\nOptions/m);
  await expect(run(bundle, "gc", ".")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("unknown command gc"),
  });
  // The only reader of YAML in it.
  const kubeconfig = join(scratch, "kubeconfig");
  await writeFile(
    kubeconfig,
    "current-context: home\ncontexts: [{name: home, context: {cluster: c, user: u}}]\n",
  );
  await expect(
    run(bundle, "in-use", "--registry", "r.example", "--kubeconfig", kubeconfig),
  ).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("has no cluster c") });
});
