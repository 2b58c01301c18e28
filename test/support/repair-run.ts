import { rm } from "node:fs/promises";
import { expect } from "vitest";
import type { RepairReport } from "../../contract/repair-report.ts";
import { regwarden } from "./program.ts";
import { writeWholeStore } from "./sample-store.ts";
import { privateStore } from "./store.ts";

/** One run that prints its document. */
export async function repair(...argv: string[]): Promise<{ exitCode: number; report: RepairReport }> {
  const { exitCode, stdout, stderr } = await regwarden(["repair", ...argv, "--json"]);
  expect(stderr).toBe("");
  return { exitCode, report: JSON.parse(stdout) as RepairReport };
}

/** A data root whose private registry lost the link of the only child of `app:1`. */
export async function rootWithLostChild() {
  const { root, store } = await privateStore();
  const written = await writeWholeStore(store.directory);
  await rm(store.revisionLink("app", written.manifest));
  return { root, store, ...written };
}
