import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheDirectory, findCommand } from "../lab/machine/paths.ts";
import type { ServedStore } from "./served-store.ts";

const version = "v0.20.6";

/** crane on PATH, or built from its Go module; undefined where neither can be had. */
async function craneBinary(): Promise<string | undefined> {
  const found = findCommand("crane");
  if (found !== undefined) return found;
  const directory = join(cacheDirectory(), "tools", `crane-${version}`);
  const binary = join(directory, "crane");
  if (existsSync(binary)) return binary;
  if (findCommand("go") === undefined) return undefined;
  await mkdir(directory, { recursive: true });
  const module = `github.com/google/go-containerregistry/cmd/crane@${version}`;
  const built = await execa("go", ["install", module], { env: { GOBIN: directory }, reject: false });
  return built.failed ? undefined : binary;
}

/**
 * Images a second of `crane validate --fast --remote`, a process an image and one after the other, as it takes one
 * reference a call: the peer that checks complete images. Undefined where crane is not to be had.
 */
export async function rateOfCrane(
  { host, tags }: ServedStore,
  tagCount: number,
): Promise<number | undefined> {
  const crane = await craneBinary();
  if (crane === undefined) return undefined;
  const some = tags.slice(0, tagCount);
  const start = performance.now();
  for (const { repository, name } of some)
    await execa(crane, ["validate", "--fast", "--remote", `${host}/${repository}:${name}`]);
  return (some.length / (performance.now() - start)) * 1000;
}
