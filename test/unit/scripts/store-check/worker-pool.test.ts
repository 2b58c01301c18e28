import { rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blobDataPath, blobDirectory } from "../../../../scripts/registry/paths.ts";
import { discoverRegistries } from "../../../../scripts/source/disk/registry.ts";
import { type ScanOptions, scanRegistry } from "../../../../scripts/store-check/scan-registry.ts";
import { startWorkerPool } from "../../../../scripts/store-check/worker-pool.ts";
import { digest } from "../../../support/images/oci-content.ts";
import { temporaryDirectory } from "../../../support/program.ts";
import { inLines } from "../../../support/registry/findings.ts";
import { contents, multi, sign } from "../../../support/store/damage/contents.ts";
import { storeAt } from "../../../support/store/store.ts";

async function storeOf(directory: string) {
  const [source] = (await discoverRegistries(directory)).sources;
  if (!source) throw new Error("no store");
  return source;
}

test.each([1, 2, 3])(
  "%i threads see what one does, damage included",
  async (threads) => {
    const directory = await temporaryDirectory();
    for (let copy = 0; copy < 6; copy++)
      for (const [repository, tag, content] of contents)
        await storeAt(directory).push(`${repository}/${copy}`, content, tag);
    await rm(blobDirectory(directory, digest(sign)), { recursive: true });
    await truncate(blobDataPath(directory, digest(multi)));
    await writeFile(join(directory, "docker/registry/v2/repositories/app/4/_layers/sha256/stray"), "");
    await rm(join(directory, "docker/registry/v2/repositories/list/3/_layers/sha256"), { recursive: true });
    const source = await storeOf(directory);
    const run = (options?: ScanOptions) => scanRegistry(source, "authoritative", () => {}, options);
    const alone = await run();
    expect(alone.findings.length).toBeGreaterThan(12);
    const pool = startWorkerPool(source, "authoritative", { threads, heapBytes: 256e6 });
    try {
      const together = await run({ pool });
      expect(together.summary).toEqual(alone.summary);
      expect(inLines(together.findings)).toEqual(inLines(alone.findings));
    } finally {
      await pool.stop();
    }
  },
  60_000,
);

test("a thread that dies is no clean store", async () => {
  const directory = await temporaryDirectory();
  for (const [repository, tag, content] of contents) await storeAt(directory).push(repository, content, tag);
  const source = await storeOf(directory);
  const pool = startWorkerPool(source, "authoritative", { threads: 2, heapBytes: 256e6 });
  const scanned = scanRegistry(source, "authoritative", () => {}, { pool });
  const outcome = expect(scanned).rejects.toThrow("a thread of the scan ended");
  await pool.stop();
  await outcome;
});

test("a thread without enough memory ends the scan with what to do", async () => {
  const directory = await temporaryDirectory();
  for (let number = 0; number < 60; number++) {
    const child = (position: number) =>
      `sha256:${`${number}`.padEnd(60, "a")}${`${position}`.padStart(4, "0")}`;
    const manifests = Array.from({ length: 2000 }, (_, position) => ({ digest: child(position) }));
    await storeAt(directory).manifest("app", { manifests });
  }
  const source = await storeOf(directory);
  const pool = startWorkerPool(source, "authoritative", { threads: 1, heapBytes: 18e6 });
  const scanned = scanRegistry(source, "authoritative", () => {}, { pool });
  await expect(scanned).rejects.toMatchObject({ code: "E_OUT_OF_MEMORY", exitCode: 3 });
  await pool.stop();
}, 60_000);
