import { readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RetainReport, RetainUndoReport } from "../../contract/retain-report.ts";
import { acceptAnyManifest } from "../../scripts/registry/media-types.ts";
import { runRetain } from "../../scripts/retain/main.ts";
import { createEffects } from "../../scripts/store-change/effects.ts";
import { decidedTags, retain, scan } from "../support/commands.ts";
import { detachedSignature, signatureTag } from "../support/images/artifacts.ts";
import { type Content, image, index } from "../support/images/oci-content.ts";
import { regwarden, regwardenProcess, temporaryDirectory, withReport } from "../support/program.ts";
import { startNginx } from "../support/registry/nginx.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { setPushTime, tagTimes, writeRules } from "../support/store/retained-store.ts";
import { storeAt } from "../support/store/store.ts";
import { treeOf } from "../support/store/tree.ts";

const day = 24 * 3600 * 1000;
const images = Array.from({ length: 5 }, (_, number) => image(`layer ${number}`, "linux/amd64"));
const multi = index([image("amd", "linux/amd64"), image("arm", "linux/arm64")]);

describe("beside a registry 2.8.3", () => {
  let registry: Registry;
  let rules: string;

  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.dispose());

  const store = () => storeAt(registry.directory);
  const storeTree = () => treeOf(join(registry.directory, "docker"));
  const status = (tag: string) => registry.manifestStatus("ci/app", tag);

  /** v0 to v4, each a day newer than the one before, and the rule that keeps the two newest. */
  async function pushDays(): Promise<void> {
    for (const [number, one] of images.entries()) {
      await registry.upload(one, "ci/app", `v${number}`);
      await setPushTime(store(), "ci/app", `v${number}`, Date.now() - (10 - number) * day);
    }
    rules = await writeRules(await temporaryDirectory(), [{ repositories: ["ci/**"], keep: { newest: 2 } }]);
  }

  const apply = (...flags: string[]) =>
    retain(registry.directory, "--rules", rules, "--apply", "--max-removed", "100%", ...flags);

  async function undo(run: string | null, ...flags: string[]) {
    const argv = ["retain", registry.directory, "--undo", run ?? "", "--json", ...flags];
    return withReport<RetainUndoReport>(await regwarden(argv));
  }

  test("tags that stay are pulled, tags that go are not found, and an undo brings them back byte for byte", async () => {
    await pushDays();
    await registry.upload(multi, "ci/app", "multi");
    await registry.upload(detachedSignature(multi), "ci/app", signatureTag(multi));
    const old = images[0] as Content;
    await registry.upload(detachedSignature(old), "ci/app", signatureTag(old));
    await setPushTime(store(), "ci/app", signatureTag(old), Date.now() - 9 * day);
    await registry.upload(old, "other", "v0");
    const before = await storeTree();
    const times = await tagTimes(registry.directory);

    const planned = await retain(registry.directory, "--rules", rules, "--max-removed", "100%");
    expect(planned.exitCode).toBe(1);
    expect(await storeTree()).toEqual(before);
    const { exitCode, report, stderr } = await apply();

    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(decidedTags(report)).toEqual(decidedTags(planned.report));
    expect(decidedTags(report)).toEqual({
      keep: [`ci/app:${signatureTag(multi)}`, "ci/app:multi", "ci/app:v4", "other:v0"].sort(),
      drop: [`ci/app:${signatureTag(old)}`, "ci/app:v0", "ci/app:v1", "ci/app:v2", "ci/app:v3"].sort(),
      undecided: [],
    });
    for (const tag of ["v4", "multi"]) await registry.pull("ci/app", tag);
    await registry.pull("other", "v0");
    for (const tag of ["v0", "v1", "v2", "v3", signatureTag(old)]) expect(await status(tag)).toBe(404);
    expect((await retain(registry.directory, "--rules", rules)).exitCode).toBe(0);

    const undone = await undo(basename(report.run ?? ""), "--apply");
    expect([undone.exitCode, undone.report.back.length, undone.report.left]).toEqual([0, 5, []]);
    expect(await storeTree()).toEqual(before);
    expect(await tagTimes(registry.directory)).toEqual(times);
    for (const tag of ["v0", "v1", "v2", "v3"]) await registry.pull("ci/app", tag);

    const redone = await undo(undone.report.undo, "--apply");
    expect(redone.report.back.length).toBe(5);
    expect(await status("v0")).toBe(404);
  });

  /** An apply in which a push happens before the effect of a name, at the directory of a tag. */
  async function applyWhile(effect: string, at: string, push: () => Promise<void>): Promise<RetainReport> {
    let isDone = false;
    const effects = createEffects(async (name, path) => {
      if (isDone || name !== effect || !path.endsWith(at)) return;
      isDone = true;
      await push();
    });
    let text = "";
    const terminal = {
      out: (more: string) => {
        text += more;
      },
      err: () => {},
      isInteractive: false,
      readLine: async () => "",
    };
    const argv = [registry.directory, "--rules", rules, "--max-removed", "100%", "--apply", "--json"];
    await runRetain(argv, terminal, effects);
    expect(isDone).toBe(true);
    return JSON.parse(text) as RetainReport;
  }

  test.each([
    ["other content, before the tag's turn", "openJournal", "journal.jsonl", "is newer"],
    ["the same content, before the tag's turn", "openJournal", "journal.jsonl", undefined],
    ["other content, while its directory is moved", "move", "/tags/v0", "is newer"],
    ["the same content, while its directory is moved", "move", "/tags/v0", undefined],
  ])("a push wins: %s", async (_, effect, at, fresh) => {
    await pushDays();
    const content = fresh === undefined ? (images[0] as Content) : image(fresh, "linux/amd64");

    const report = await applyWhile(effect, at, () => registry.upload(content, "ci/app", "v0"));

    expect(report.stayed).toEqual([
      { registry: basename(registry.directory), tag: "ci/app:v0", text: expect.stringMatching(/pushed/) },
    ]);
    expect(decidedTags(report).drop).toEqual(["ci/app:v0", "ci/app:v1", "ci/app:v2"]);
    await registry.pull("ci/app", "v0");
    expect(await status("v1")).toBe(404);
    const { report: scanned } = await scan(registry.directory);
    expect(scanned.findings.filter(({ tags }) => tags.length > 0)).toEqual([]);
  });

  test("a tag that is pushed again after it went is new, and an undo leaves it as it is", async () => {
    await pushDays();
    const { report } = await apply();
    const fresh = image("is newer", "linux/amd64");
    await registry.upload(fresh, "ci/app", "v0");

    const undone = await undo(report.run, "--apply");

    expect(undone.exitCode).toBe(1);
    expect(undone.report.left).toEqual([
      { tag: expect.stringMatching(/ci\/app:v0$/), text: expect.stringMatching(/^was written since/) },
    ]);
    expect(undone.report.back.length).toBe(2);
    await registry.pull("ci/app", "v0");
  });

  test("without a freeze, every push while runs go on is there afterwards, if need be by its second try", async () => {
    await pushDays();
    const rule = { repositories: ["ci/**"], keep: { newest: 2 }, trustPushTimes: true };
    rules = await writeRules(dirname(rules), [rule]);
    let isOver = false;
    const pushed: string[] = [];
    const pushing = (async () => {
      for (let number = 0; !isOver; number += 1) {
        const tag = `p${number % 7}`;
        const push = () => registry.upload(image(`content ${number}`, "linux/amd64"), "ci/app", tag);
        // What writes to a tag in the moment in which it goes may get 500: see docs/adr/0041.
        await push().catch(push);
        pushed.push(`${tag} ${number}`);
      }
    })();
    const flags = ["--rules", rules, "--max-removed", "100%", "--apply"];
    // Processes of their own: in this one, a run would keep the pushes from going on.
    for (let run = 0; run < 6; run += 1)
      expect(await regwardenProcess(["retain", registry.directory, ...flags])).toMatchObject({ exitCode: 0 });
    isOver = true;
    await pushing;
    expect(pushed.length).toBeGreaterThan(5);
    // The two that were pushed last are the newest, and are complete.
    for (const one of pushed.slice(-2)) await registry.pull("ci/app", one.split(" ")[0] ?? "");
    const { report } = await scan(registry.directory);
    expect(report.findings.filter(({ severity }) => severity === "critical")).toEqual([]);
  });

  test("nothing goes from a store that is said to be offline while a registry serves it", async () => {
    await pushDays();
    const before = await storeTree();
    const { exitCode, stderr } = await apply("--offline");
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is served by a registry, process ")]);
    expect(await storeTree()).toEqual(before);
  });

  test("an undo does not bring a tag back whose image was collected meanwhile", async () => {
    await pushDays();
    const { report } = await apply();
    await registry.collectGarbage("--delete-untagged");

    const undone = await undo(report.run, "--apply");

    expect(undone.report.back).toEqual([]);
    expect(undone.report.left.map(({ text }) => text)).toEqual(
      Array.from({ length: 3 }, () =>
        expect.stringMatching(/^is not put back, as the manifest .* is not linked/),
      ),
    );
    expect(await status("v0")).toBe(404);
    expect(undone.exitCode).toBe(1);
  });

  test("what real clients pulled by nginx's log stays, and what our own probe pulled does not count", async () => {
    await pushDays();
    const log = join(await temporaryDirectory(), "access.log");
    const begins = (Date.now() - 40 * day) / 1000;
    await writeFile(log, `${JSON.stringify({ begins, follows: null })}\n`);
    const nginx = await startNginx(registry.url, { logsTo: log });
    const throughNginx = (headers: Record<string, string>, tag: string) =>
      fetch(`${nginx.url}/v2/ci/app/manifests/${tag}`, {
        headers: { accept: acceptAnyManifest, ...headers },
      });
    try {
      await throughNginx({ "user-agent": "containerd/v2.3.4" }, "v0");
      await throughNginx({ "user-agent": 'an "agent" \\ with é' }, "v1");
      await throughNginx({ "user-agent": "trivy/0.57" }, "v3");
      await regwarden(["probe", "--url", nginx.url, "--instance", "x"]);
    } finally {
      await nginx.stop();
    }
    const rule = { repositories: ["**"], keep: { pulledWithin: "30d" } };
    rules = await writeRules(dirname(log), [rule], { ignoreAgents: ["trivy/*"] });

    const { report, exitCode } = await apply("--access-log", log);

    expect([exitCode, report.refused]).toEqual([0, []]);
    expect(decidedTags(report)).toEqual({
      keep: ["ci/app:v0", "ci/app:v1"],
      drop: ["ci/app:v2", "ci/app:v3", "ci/app:v4"],
      undecided: [],
    });
  });

  test("a registry that was copied without its times keeps everything", async () => {
    await pushDays();
    for (let number = 0; number < 5; number += 1)
      await setPushTime(store(), "ci/app", `v${number}`, Date.now() - 90 * day + number * 1000);

    const { report, exitCode } = await apply();

    expect(exitCode).toBe(1);
    expect(report.refused).toMatchObject([{ repository: "ci/app", reason: "copied", tags: 3 }]);
    expect(report.run).toBeNull();
    await expect(readdir(join(registry.directory, ".regwarden"))).rejects.toThrow("ENOENT");
  });
});
