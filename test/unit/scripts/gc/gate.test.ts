import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import type { GcGateReport } from "../../../../contract/gc-gate-report.ts";
import { digest, image, imageOf, index, layer, signature } from "../../../support/images/oci-content.ts";
import { regwarden, withReport } from "../../../support/program.ts";
import { privateStore } from "../../../support/store/store.ts";

async function gate(root: string) {
  return withReport<GcGateReport>(await regwarden(["gc", root, "--gate-3x", "--json"]));
}

const amd64 = "linux/amd64";

test("distribution 3.x may take over a store of which it loses nothing", async () => {
  const { root, store } = await privateStore();
  await store.push("app", index([image("a", amd64)]), "1");
  const { exitCode, report } = await gate(root);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ safe: true, complete: true, reasons: [] });
  expect((await regwarden(["gc", root, "--gate-3x"])).stdout).toContain("loses nothing");
});

describe("distribution 3.x may not take over a store while it would lose", () => {
  async function expectReason(root: string, reason: object) {
    const { exitCode, report } = await gate(root);
    expect(exitCode).toBe(1);
    expect(report.safe).toBe(false);
    expect(report.reasons).toMatchObject([reason]);
  }

  test("what was pushed under sha512", async () => {
    const { root, store } = await privateStore();
    const part = layer("a", "oci", "sha512");
    await store.push("app", imageOf(amd64, [part]), "1");
    await expectReason(root, { kind: "other-algorithm", repository: "app", digest: digest(part) });
  });

  test("an image whose index stands orphaned in a repository earlier by name", async () => {
    const { root, store } = await privateStore();
    const child = image("a", amd64);
    await store.push("alpha", index([child]), "1");
    await store.push("beta", index([child]), "1");
    await rm(dirname(store.revisionLink("alpha", digest(child))), { recursive: true });
    await expectReason(root, { kind: "orphaned-index", repository: "beta", digest: digest(child) });
  });

  test("but not when that repository is later by name", async () => {
    const { root, store } = await privateStore();
    const child = image("a", amd64);
    await store.push("alpha", index([child]), "1");
    await store.push("beta", index([child]), "1");
    await rm(dirname(store.revisionLink("beta", digest(child))), { recursive: true });
    expect((await gate(root)).report.safe).toBe(true);
  });

  test("a signature without a tag", async () => {
    const { root, store } = await privateStore();
    const app = image("a", amd64);
    await store.push("app", app, "1");
    await store.push("app", signature(app));
    await expectReason(root, { kind: "untagged", repository: "app", digest: digest(signature(app)) });
    const { stdout } = await regwarden(["gc", root, "--gate-3x"]);
    expect(stdout).toContain("1 reason not to move to distribution 3.x yet.");
  });

  test("what could not be read, perhaps", async () => {
    const { root, store } = await privateStore();
    await store.manifest("app", "{", "1");
    const { exitCode, report } = await gate(root);
    expect(exitCode).toBe(3);
    expect(report).toMatchObject({ safe: false, complete: false });
  });
});
