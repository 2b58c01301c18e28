import { afterAll, beforeAll, expect, test } from "vitest";
import type { GcReport } from "../../contract/gc-report.ts";
import { imageWithLongDigest } from "../support/images/artifacts.ts";
import { type Content, digest, image } from "../support/images/oci-content.ts";
import { regwarden, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

/*
 * What is pushed by a sha512 digest lies under its sha256 name, and only the content of a link says so. The registry's own
 * garbage-collect looks for the name under which a manifest knows it.
 */

const long = imageWithLongDigest("kept");
const dead = image("dead", "linux/amd64");

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
  await registry.upload(long, "app", "1");
  await registry.upload(dead, "app");
});
afterAll(() => registry.dispose());

const status = async (content: Content) =>
  (await fetch(`${registry.url}/v2/app/blobs/${digest(content)}`, { method: "GET" })).status;

test("a collection keeps what was pushed under sha512, and the registry's own does not", async () => {
  await registry.stop();
  const argv = ["gc", registry.directory, "--apply", "--offline", "--dead-for", "0s", "--grace", "0s"];
  const { exitCode, report, stderr } = withReport<GcReport>(
    await regwarden([...argv, "--budget", "100%", "--json"]),
  );
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(report.registries).toMatchObject([{ removed: { revisionLinks: 1, blobs: 3 }, damage: [] }]);
  await registry.start();
  for (const part of long.parts) expect(await status(part)).toBe(200);
  const [gone] = dead.parts;
  expect(gone && (await status(gone))).toBe(404);
  await registry.collectGarbage();
  const named = long.parts.filter((part) => digest(part).startsWith("sha512:"));
  expect(named.length).toBeGreaterThan(0);
  for (const part of named) expect(await status(part)).toBe(404);
});
