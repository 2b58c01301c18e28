import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { ensureStandIn } from "../../../../lab/machine/command-plugin/bundle.ts";

const cache = mkdtempSync(join(tmpdir(), "regwarden-cache-"));
afterAll(() => rmSync(cache, { recursive: true }));

test("the stand-in for the command plugin runs from the cache alone, whatever becomes of its clone", async () => {
  const { node, program } = await ensureStandIn(cache);
  for (const path of [node, program]) expect(path.startsWith(`${cache}/`)).toBe(true);
  const child = execa(node, [program, "127.0.0.1:1"], {
    cwd: cache,
    env: {},
    extendEnv: false,
    reject: false,
  });
  try {
    const [port] = await Promise.race([
      child.stdout.toArray().then(() => child.then(({ stderr }) => [stderr])),
      new Promise<string[]>((resolve) => child.stdout.once("data", (data) => resolve([String(data)]))),
    ]);
    expect(port).toMatch(/^\d+\n$/);
  } finally {
    child.kill();
    await child;
  }
});

test("the stand-in is written once for one content", async () => {
  const { program } = await ensureStandIn(cache);
  const { mtimeMs } = statSync(program);
  expect((await ensureStandIn(cache)).program).toBe(program);
  expect(statSync(program).mtimeMs).toBe(mtimeMs);
  expect(readdirSync(join(cache, "command-plugin"))).toHaveLength(1);
});
