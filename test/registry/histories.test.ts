import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitCodes } from "../../contract/exit-codes.ts";
import type { ProbeReport } from "../../contract/probe-report.ts";
import type { VerifyReport } from "../../contract/verify-report.ts";
import { checkImage } from "../../scripts/in-use/check-image.ts";
import { httpRegistry } from "../../scripts/source/http/registry.ts";
import { repair, scan } from "../support/commands.ts";
import { type History, planHistory } from "../support/histories/history.ts";
import { emptyRegistry, makeHistory } from "../support/histories/make-history.ts";
import { type Model, nameOf, type Tagged, tagsOf } from "../support/histories/model.ts";
import { brokenTagsOf, type PullFault, pullAll } from "../support/histories/pull.ts";
import { randomHistories } from "../support/histories/random-history.ts";
import { withParts } from "../support/images/oci-content.ts";
import { regwarden, withReport } from "../support/program.ts";
import { brokenTags } from "../support/registry/findings.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { corruptions, corruptStore } from "../support/store/damage/corruptions.ts";

/** Histories of each kind; half are made by a registry with a cache of blob descriptors, half by one without. */
const runs = Number(process.env.REGWARDEN_HISTORIES ?? 10);
const parameters = { numRuns: Math.ceil(runs / 2) };

describe.each([
  ["without a cache of blob descriptors", false],
  ["with a cache of blob descriptors", true],
])("a registry %s", (_, cachesBlobs) => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry(undefined, { cachesBlobs });
  });
  afterAll(() => registry.dispose());

  async function make(history: History): Promise<Model> {
    const { actions, model } = planHistory(history);
    await emptyRegistry(registry);
    await makeHistory(registry, actions);
    return model;
  }

  test("serves all tags of random histories, and no program finds anything", async () => {
    const check = fc.asyncProperty(randomHistories, async (history) => {
      const model = await make(history);
      expect(brokenTagsOf(await pullAll(registry.url, model))).toEqual([]);
      const scanned = await scan(registry.directory, "--verify-layers");
      expect([scanned.report.findings, scanned.exitCode]).toEqual([[], exitCodes.clean]);
      expect(scanned.report.registries[0]?.tags).toBe(tagsOf(model).length);
      const repaired = await repair(registry.directory);
      expect([repaired.report.triage, repaired.report.changes]).toEqual([[], []]);
      expect(repaired.exitCode).toBe(exitCodes.clean);
      const probed = await probe(registry);
      expect([probed.report.findings, probed.exitCode]).toEqual([[], exitCodes.clean]);
      const verified = await verify(registry, model);
      expect(verified.report.images.flatMap(({ findings }) => findings)).toEqual([]);
      expect(verified.exitCode).toBe(exitCodes.clean);
      expect(await brokenInUse(registry, model)).toEqual([]);
    });
    await fc.assert(check, parameters);
  }, 3_600_000);

  test("agrees with all programs on which tags of random histories random damage breaks", async () => {
    let broken = 0;
    const check = fc.asyncProperty(randomHistories, corruptions, async (history, damage) => {
      const model = await make(history);
      // What the registry has served, it believes in.
      await pullAll(registry.url, model);
      const done = corruptStore(registry.directory, damage);
      try {
        await expectAgreement(registry, model);
        if (cachesBlobs) {
          await registry.stop();
          await registry.start();
          await expectAgreement(registry, model);
        }
        broken += await expectSameOnDisk(registry, model);
      } catch (cause) {
        throw new Error(["After:", ...done, String(cause)].join("\n"), { cause });
      }
    });
    await fc.assert(check, parameters);
    expect(broken).toBeGreaterThan(0);
  }, 3_600_000);
});

/** What is asked over HTTP says what a client gets that pulls, each program as far as it reads. */
async function expectAgreement(registry: Registry, model: Model): Promise<void> {
  const pulled = await pullAll(registry.url, model);
  const isSeen = ({ fault, role }: PullFault) => fault !== "bytes" || role === "manifest";
  expect(brokenTags((await probe(registry)).report.findings)).toEqual(brokenTagsOf(pulled, isSeen));
  const { report } = await verify(registry, model);
  const incomplete = report.images.filter(({ findings }) => findings.some(({ kind }) => kind !== "referrer"));
  const names = incomplete.map(({ reference }) => reference.slice(reference.indexOf("/") + 1));
  expect(names.sort()).toEqual(brokenTagsOf(pulled));
}

/** Without the registry's memory, the store says the same as what is served of it; how many tags are broken. */
async function expectSameOnDisk(registry: Registry, model: Model): Promise<number> {
  const served = brokenTagsOf(await pullAll(registry.url, model));
  const scanned = await scan(registry.directory, "--verify-layers");
  expect(brokenTags(scanned.report.findings)).toEqual(served);
  const repaired = await repair(registry.directory, "--verify-layers");
  if (served.length > 0) expect([scanned.exitCode, repaired.exitCode]).not.toContain(exitCodes.clean);
  return served.length;
}

async function probe({ url }: Registry) {
  return withReport<ProbeReport>(await regwarden(["probe", "--url", url, "--json"]));
}

async function verify({ url }: Registry, model: Model) {
  const images = tagsOf(model).map((tagged) => `${new URL(url).host}/${nameOf(tagged)}`);
  const flags = ["--json", "--wait", "0", "--download"];
  return withReport<VerifyReport>(await regwarden(["verify", ...flags, ...images]));
}

/** Tags that the check of a cluster's images would find broken, if a workload on nodes of all their platforms needed them. */
async function brokenInUse({ url }: Registry, model: Model): Promise<readonly string[]> {
  const source = httpRegistry({ name: "data", origin: url, account: undefined, concurrency: 8 });
  const check = async ({ repository, tag, content }: Tagged) => {
    const use = { image: tag, workload: { namespace: "a", kind: "Pod", name: "a" } };
    const uses = [{ ...use, needsAll: true, isNeeded: true, platforms: platformsOf(content) }];
    const { verdicts } = await checkImage(source, { repository, tag, digest: null }, uses, 8);
    return verdicts.some(({ findings }) => findings.length > 0) ? [nameOf({ repository, tag })] : [];
  };
  return (await Promise.all(tagsOf(model).map(check))).flat();
}

function platformsOf(content: Tagged["content"]): readonly string[] {
  const platforms = withParts(content).flatMap(({ descriptor: { platform } }) => platform ?? []);
  const texts = platforms.map(({ os, architecture, variant }) =>
    [os, architecture, variant].filter(Boolean).join("/"),
  );
  return [...new Set(texts)].filter((text) => text !== "unknown/unknown");
}
