import { existsSync } from "node:fs";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exitCodes } from "../../contract/exit-codes.ts";
import type { GcReport } from "../../contract/gc-report.ts";
import type { RetainReport } from "../../contract/retain-report.ts";
import { tar } from "../../lab/machine/tar.ts";
import { logHead } from "../support/access-log/access-log.ts";
import { type PushClient, startClients } from "../support/clients/real-clients.ts";
import {
  ask,
  commit,
  disconnect,
  faultsOfPull,
  hasBlob,
  patchPiecewise,
  pushByRequests,
  type Remote,
  sendManifest,
} from "../support/clients/requests.ts";
import { type Content, digest, imageOf, leaf } from "../support/images/oci-content.ts";
import { type Outcome, regwardenProcess, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { type StackNginx, startStackNginx } from "../support/registry/stack-nginx.ts";
import { writeRules } from "../support/store/retained-store.ts";
import { storeAt } from "../support/store/store.ts";

/** How long the clients push; minutes show more. */
const seconds = Number(process.env.REGWARDEN_PUSH_SECONDS ?? 30);
/** Of the upload that runs across a freeze; 2,000 is what a large layer has. */
const uploadMegabytes = Number(process.env.REGWARDEN_UPLOAD_MEGABYTES ?? 64);
const login = { user: "ci", password: "correct horse" };
/** What a client hears that a registry has, it may leave out of a push for so long. */
const grace = "10s";
/** On a busy machine the clients push more between two runs than the usual budget lets go. */
const anyNumber = ["--max-removed", "100%", "--max-removed-of-repository", "100%"];
const dayMs = 86_400_000;
const tarType = "application/vnd.oci.image.layer.v1.tar";

let registry: Registry;
let nginx: StackNginx;
let remote: Remote;
let scratch: string;

beforeAll(async () => {
  registry = await startRegistry(login, { isInMemory: true });
  const addresses = { "registry-private": new URL(registry.url).host };
  nginx = await startStackNginx({ addresses });
  remote = { url: nginx.url, login };
  scratch = await mkdtemp(join(tmpdir(), "regwarden-pushes-"));
}, 900_000);
afterAll(async () => {
  disconnect();
  await nginx.stop();
  await registry.dispose();
  await rm(scratch, { recursive: true, force: true });
});

/** An image with a base that all have, and a layer of its own; no layer is anywhere else. */
function imageWith(name: string): Content {
  const base = leaf(tarType, new Uint8Array(tar([{ path: "base", content: "base".repeat(20_000) }])));
  const own = leaf(tarType, new Uint8Array(tar([{ path: "own", content: name.repeat(5000) }])));
  return imageOf("linux/amd64", [base, own]);
}

/** As if no client had asked for anything yet. */
async function forgetRequests(): Promise<void> {
  await writeFile(nginx.recordedLog, logHead(Date.now() - dayMs, null));
}

const freezeFlags = () => ["--freeze", nginx.freeze.flag, "--freeze-status", nginx.freeze.statusUrl];

async function retainBy(rule: object): Promise<Outcome & { readonly report: RetainReport }> {
  const rules = await writeRules(scratch, [{ repositories: ["**"], ...rule }]);
  const flags = ["--rules", rules, ...anyNumber, ...freezeFlags(), "--apply", "--json"];
  return withReport<RetainReport>(await regwardenProcess(["retain", registry.directory, ...flags]));
}

async function collect(): Promise<{ exitCode: number; stderr: string; report: GcReport }> {
  const now = ["--dead-for", "0s", "--overwritten", "0s", "--grace", grace, "--budget", "100%"];
  const flags = [...freezeFlags(), ...now, "--access-log", nginx.recordedLog, "--json"];
  return withReport<GcReport>(await regwardenProcess(["gc", registry.directory, "--apply", ...flags]));
}

/** As a store that is in use for longer than a test: what a manifest alone has was pushed yesterday. */
async function makeOld(repository: string, manifest: Content): Promise<void> {
  const store = storeAt(registry.directory);
  const [config, , layer] = manifest.parts;
  const links = [store.revisionLink(repository, digest(manifest))];
  for (const part of [config, layer]) if (part) links.push(store.layerLink(repository, digest(part)));
  const blobs = [manifest, config, layer].flatMap((part) => (part ? [store.blobData(digest(part))] : []));
  const then = new Date(Date.now() - dayMs);
  for (const path of [...links, ...blobs])
    if (existsSync(path))
      for (const one of [path, dirname(path)]) await utimes(one, then, then).catch(() => {});
}

interface Pushed {
  readonly repository: string;
  readonly tag: string;
  readonly at: number;
}

/** Pushes one image after the other; each is pulled at once, byte for byte. */
async function pushInLoops(client: PushClient, until: number, tally: Tally): Promise<void> {
  const repository = `${client.name}/app`;
  for (let at = 0; Date.now() < until; at++) {
    const tag = `v${at}`;
    try {
      await client.push(at, repository, tag);
    } catch (error) {
      tally.failedPushes.push(`${client.name} ${tag}: ${String(error).slice(0, 600)}`);
      continue;
    }
    tally.pushes.set(client.name, (tally.pushes.get(client.name) ?? 0) + 1);
    tally.pushed.push({ repository, tag, at });
    await pull(repository, tag, tally);
    // Without a process of its own it would leave the others no time.
    if (client.name === "requests") await delay(300);
  }
}

async function pull(repository: string, tag: string, tally: Tally): Promise<void> {
  try {
    tally.pulls++;
    tally.failedPulls.push(...(await faultsOfPull(remote, repository, tag)));
  } catch (error) {
    tally.failedPulls.push(`${repository}:${tag}: ${String(error)}`);
  }
}

interface Tally {
  readonly pushes: Map<string, number>;
  readonly pushed: Pushed[];
  readonly failedPushes: string[];
  pulls: number;
  readonly failedPulls: string[];
  runs: number;
  blobs: number;
  longestFreeze: number;
  readonly refused: string[];
}

const tagPath = ({ repository, tag }: Pushed) => storeAt(registry.directory).tagLink(repository, tag);

/** Each tag's push at a minute of its own, in the order of the pushes: a store of one minute is a copied one. */
async function spreadPushes(pushed: readonly Pushed[]): Promise<void> {
  for (const one of pushed) {
    const when = new Date(Date.now() - (100_000 - one.at) * 60_000);
    await utimes(tagPath(one), when, when).catch(() => {});
  }
}

/** Retention drops old tags, and a collection removes what they needed; again and again. */
async function maintain(imagesOf: (client: string) => readonly Content[], until: number, tally: Tally) {
  const dropped = new Set<string>();
  while (Date.now() < until) {
    const known = [...tally.pushed];
    await spreadPushes(known);
    const retained = await retainBy({ keep: { newest: 5 } });
    if (retained.exitCode !== exitCodes.clean)
      tally.refused.push(`retain: ${retained.stdout.slice(0, 300)}${retained.stderr}`);
    for (const one of known) {
      if (dropped.has(tagPath(one)) || existsSync(tagPath(one))) continue;
      dropped.add(tagPath(one));
      const images = imagesOf(one.repository.split("/")[0] ?? "");
      const image = images[one.at % images.length];
      // Not while it is pushed again.
      if (
        image &&
        known.every(({ repository, at }) => repository !== one.repository || at <= one.at + images.length / 2)
      )
        await makeOld(one.repository, image);
    }
    const { exitCode, report, stderr } = await collect();
    tally.runs++;
    if (exitCode !== exitCodes.clean)
      tally.refused.push(`gc: ${exitCode} ${report?.registries[0]?.refused ?? ""} ${stderr}`);
    tally.blobs += report?.registries[0]?.removed.blobs ?? 0;
    for (const run of [report, retained.report])
      tally.longestFreeze = Math.max(tally.longestFreeze, run?.freezeSeconds ?? 0);
  }
}

test("pushes and pulls of real clients in loops, while retention and collection run again and again, all succeed, and what was pushed is complete", async () => {
  const pool = 20;
  const poolOf = (client: number) =>
    Array.from({ length: pool }, (_, at) => imageWith(`client ${client} image ${at} `));
  const clients = await startClients(remote, scratch, poolOf);
  const tally: Tally = {
    pushes: new Map(),
    pushed: [],
    failedPushes: [],
    pulls: 0,
    failedPulls: [],
    runs: 0,
    blobs: 0,
    longestFreeze: 0,
    refused: [],
  };
  const stable = imageWith("stable");
  await pushByRequests(remote, stable, "stable", "1");
  // The first collection may come sooner after nginx's start than the grace.
  await forgetRequests();
  const until = Date.now() + seconds * 1000;
  const pullStable = async () => {
    while (Date.now() < until) await pull("stable", "1", tally);
  };
  const imagesOf = (client: string) => clients.find(({ name }) => name === client)?.images ?? [];
  await Promise.all([
    ...clients.map((client) => pushInLoops(client, until, tally)),
    maintain(imagesOf, until, tally),
    pullStable(),
  ]);
  for (const one of tally.pushed) if (existsSync(tagPath(one))) await pull(one.repository, one.tag, tally);
  for (const client of clients) await client.dispose();
  console.info(
    `${[...tally.pushes].map(([name, count]) => `${name} ${count}`).join(", ")} pushes, ${tally.failedPushes.length} failed; ` +
      `${tally.pulls} pulls, ${tally.failedPulls.length} failed; ${tally.runs} collections removed ${tally.blobs} blobs, ` +
      `longest freeze ${tally.longestFreeze.toFixed(2)} s`,
  );
  expect(tally.failedPushes).toEqual([]);
  expect(tally.failedPulls).toEqual([]);
  expect(tally.refused).toEqual([]);
  expect(tally.runs).toBeGreaterThan(1);
  expect(tally.blobs).toBeGreaterThan(0);
}, 7_200_000);

test("tags that are pushed again and again while retention drops them fail no push, and what was pushed last is complete", async () => {
  const content = imageWith("pushed again");
  await pushByRequests(remote, content, "again", "p0");
  const [tags, clients] = [300, 6];
  const failed: string[] = [];
  let pushes = 0;
  let isOver = false;
  /** Manifests alone, one after the other: a push meets the moment in which its tag goes as often as can be. */
  const pushAgain = async (_: unknown, client: number) => {
    let last = "";
    for (let number = client; !isOver; number += clients) {
      last = `p${number % tags}`;
      await sendManifest(remote, "again", content, last).catch((error) => failed.push(`${last}: ${error}`));
      pushes += 1;
    }
    return last;
  };
  const pushing = Array.from({ length: clients }, pushAgain);
  let moved = 0;
  for (const until = Date.now() + (seconds * 1000) / 3; Date.now() < until; ) {
    const { exitCode, report, stderr } = await retainBy({ keep: { newest: 1 }, trustPushTimes: true });
    expect([exitCode, stderr]).toEqual([exitCodes.clean, ""]);
    moved += report.registries[0]?.moved ?? 0;
  }
  isOver = true;
  const last = await Promise.all(pushing);
  console.info(`${pushes} pushes, ${failed.length} failed, while ${moved} tags were dropped`);
  expect(failed).toEqual([]);
  expect(moved).toBeGreaterThan(tags);
  for (const tag of last) expect(await faultsOfPull(remote, "again", tag)).toEqual([]);
}, 7_200_000);

/** Pushes an image and takes its tag away, as retention does; it is a day old. */
async function leaveDead(name: string): Promise<Content> {
  const content = imageWith(name);
  await pushByRequests(remote, content, "dropped", "1");
  await rm(dirname(dirname(storeAt(registry.directory).tagLink("dropped", "1"))), { recursive: true });
  await makeOld("dropped", content);
  return content;
}

test("a client that heard before the freeze that a dead layer exists, and sends its manifest after it, succeeds", async () => {
  const [unheard, heard] = [await leaveDead("unheard of"), await leaveDead("heard of")];
  await forgetRequests();
  for (const part of heard.parts) expect(await hasBlob(remote, "dropped", digest(part))).toBe(true);
  const { exitCode, report, stderr } = await collect();
  expect([stderr, exitCode, report.registries[0]?.refused]).toEqual(["", exitCodes.clean, null]);
  expect(report.registries[0]?.spared.touched).toBeGreaterThan(0);
  const [, , lost] = unheard.parts;
  expect(lost && existsSync(storeAt(registry.directory).blobData(digest(lost)))).toBe(false);
  await sendManifest(remote, "dropped", heard, "again");
  expect(await faultsOfPull(remote, "dropped", "again")).toEqual([]);
}, 120_000);

test("an upload that runs across a freeze completes", async () => {
  const bytes = uploadMegabytes * 1024 * 1024;
  const piece = Buffer.alloc(1024 * 1024, "slow");
  const files = tar([{ path: "large", content: "" }]);
  const layerBytes = new Uint8Array(bytes + files.byteLength);
  for (let at = 0; at < bytes; at += piece.byteLength) layerBytes.set(piece, at);
  const layer = leaf(tarType, layerBytes);
  const content = imageOf("linux/amd64", [layer]);
  await leaveDead("beside an upload");
  const begun = await ask(remote, "POST", "/v2/large/blobs/uploads/");
  let collected: Awaited<ReturnType<typeof collect>> | undefined;
  const collection = collect().then((outcome) => {
    collected = outcome;
  });
  async function* slowly() {
    const pieceBytes = 1024 * 1024;
    for (let at = 0; at < layerBytes.byteLength; at += pieceBytes) {
      // The last piece only when the freeze is over.
      if (at + 2 * pieceBytes > layerBytes.byteLength) await collection;
      yield layerBytes.subarray(at, at + pieceBytes);
    }
  }
  const location = await patchPiecewise(remote, begun.location, slowly());
  expect(collected?.report.freezeSeconds).not.toBeNull();
  expect(collected?.report.applied).toBe(true);
  await commit(remote, location, digest(layer));
  await pushByRequests(remote, content, "large", "1");
  expect(await faultsOfPull(remote, "large", "1")).toEqual([]);
}, 600_000);
