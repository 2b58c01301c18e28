import { existsSync } from "node:fs";
import { appendFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { watchUntil } from "../../../../../scripts/gc/watch/run-watch.ts";
import { createEffects } from "../../../../../scripts/store-change/effects.ts";
import { rootWithDead } from "../../../../support/gc/dead-store.ts";
import { recordingTerminal, sweepRoot } from "../../../../support/gc/sweep-root.ts";
import { temporaryDirectory } from "../../../../support/program.ts";
import { holdLock } from "../../../../support/store/lock-holder.ts";

/** A line of nginx's log, of now. */
function line(method: string, uri: string, status: number, time = Date.now()): string {
  return `${JSON.stringify({ time: time / 1000, method, uri, status: String(status), agent: "test" })}\n`;
}

/** A root of which everything dead lies in the quarantine, and a watch over its log. */
async function watchedRoot({ sweepsFirst = true, log: before = "" } = {}) {
  const made = await rootWithDead();
  const sweepNow = () => sweepRoot(made.root);
  if (sweepsFirst) await sweepNow();
  const directory = await temporaryDirectory();
  const [log, metricsPath] = [join(directory, "access.log"), join(directory, "restore.prom")];
  await writeFile(log, before);
  const terminal = recordingTerminal();
  const end = new AbortController();
  const options = { directory: made.root, accessLogs: [log], metricsPath, everyMs: 5 };
  const watching = watchUntil(end.signal, options, terminal, createEffects());
  onTestFinished(async () => {
    end.abort();
    await watching;
  });
  await vi.waitFor(() => expect(terminal.written.out).toContain("Following"));
  const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000 });
  const stop = async () => {
    end.abort();
    await watching;
  };
  return {
    ...made,
    log,
    metricsPath,
    terminal,
    until,
    stop,
    sweepNow,
    say: (text: string) => appendFile(log, text),
  };
}

test("A blob that a client asks for and does not get is back at once, with its link, and nothing else", async () => {
  const { store, dead, other, say, until, terminal, metricsPath } = await watchedRoot();

  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404));

  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
  await until(async () =>
    expect(await readFile(metricsPath, "utf8")).toContain("regwarden_collect_restored_total 2"),
  );
  expect(existsSync(store.layerLink("app", dead.layer))).toBe(true);
  expect(existsSync(store.blobData(dead.config))).toBe(false);
  expect(existsSync(store.blobData(other.layer))).toBe(false);
  expect(terminal.written.out).toContain(`Put back 0 manifest links, 1 layer link and 1 blob of 13 B`);
  expect(terminal.written.out).toContain(`in app: a client got 404 for HEAD /v2/app/blobs/${dead.layer}.\n`);
});

test("A manifest comes back with everything that it needs", async () => {
  const { store, dead, say, until } = await watchedRoot();

  await say(line("GET", `/v2/app/manifests/${dead.manifest}`, 404));

  await until(() => expect(existsSync(store.revisionLink("app", dead.manifest))).toBe(true));
  for (const digest of [dead.manifest, dead.config, dead.layer])
    expect(existsSync(store.blobData(digest))).toBe(true);
  for (const digest of [dead.config, dead.layer])
    expect(existsSync(store.layerLink("app", digest))).toBe(true);
});

test("When a manifest is refused, all that its repository had comes back", async () => {
  const { store, dead, other, say, until, orphan } = await watchedRoot();

  await say(line("PUT", "/v2/team/tool/manifests/new", 400));

  await until(() => expect(existsSync(store.revisionLink("team/tool", other.manifest))).toBe(true));
  for (const digest of [other.manifest, other.config, other.layer])
    expect(existsSync(store.blobData(digest))).toBe(true);
  expect(existsSync(store.blobData(dead.layer))).toBe(false);
  expect(existsSync(store.blobData(orphan))).toBe(false);
});

test("Requests that fail for other reasons, foreign digests and strange lines bring nothing back", async () => {
  const { store, dead, say, until, terminal } = await watchedRoot();
  const blob = `/v2/app/blobs/${dead.config}`;

  await say(line("HEAD", blob, 401));
  await say(line("PUT", "/v2/app/manifests/new", 401));
  await say(line("PUT", "/v2/app/manifests/new", 499));
  await say(line("GET", "/v2/other/blobs/sha256:00", 404));
  await say(line("GET", `/v2/other/blobs/${dead.config}`, 404));
  await say(`no JSON\n{"time":"x"}\n\u0000\n{"time":1,"method":"GET"\n[]\n`);
  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404));

  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
  expect(existsSync(store.blobData(dead.config))).toBe(false);
  expect(terminal.written.err).toBe("");
});

test("The log is followed over its rotation, and what comes into the quarantine later is known", async () => {
  const { store, dead, log, say, until, sweepNow } = await watchedRoot({ sweepsFirst: false });
  await sweepNow();
  await rename(log, `${log}-20261122T030000Z`);
  await writeFile(log, "");

  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404));

  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
  await sweepNow();
  expect(existsSync(store.blobData(dead.layer))).toBe(false);
  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404));
  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
});

test("While another run holds the lock, the watch waits, and goes on when it is given back", async () => {
  const { store, dead, say, until, terminal } = await watchedRoot();
  const holder = await holdLock(store.directory);
  expect(holder.answer).toBe("held");

  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404));
  await until(() => expect(terminal.written.err).toContain("Waiting: Another run is at work"));
  expect(existsSync(store.blobData(dead.layer))).toBe(false);
  await holder.release();

  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
  expect(terminal.written.err.match(/Waiting/g)).toHaveLength(1);
});

test("What was missed while no watch ran is put back at its start, but not for what was asked before", async () => {
  const { root, store, dead, log, until, stop } = await watchedRoot();
  await stop();
  const blob = (digest: string) => `/v2/app/blobs/${digest}`;
  await appendFile(log, line("HEAD", blob(dead.config), 404, Date.now() - 3600_000));
  await appendFile(log, line("HEAD", blob(dead.layer), 404));

  const end = new AbortController();
  const options = { directory: root, accessLogs: [log], metricsPath: undefined, everyMs: 5 };
  const watching = watchUntil(end.signal, options, recordingTerminal(), createEffects());
  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
  end.abort();
  await watching;
  expect(existsSync(store.blobData(dead.config))).toBe(false);
});

test("What a run left that was cut off is put back", async () => {
  const { root, paths, until, stop, sweepNow } = await watchedRoot({ sweepsFirst: false });
  await stop();
  const { run } = await sweepNow();
  const journal = join(root, ".regwarden", "quarantine", run ?? "", "journal.jsonl");
  const lines = (await readFile(journal, "utf8")).trimEnd().split("\n");
  await writeFile(journal, `${lines.slice(0, -1).join("\n")}\n`);

  const end = new AbortController();
  const terminal = recordingTerminal();
  const options = {
    directory: root,
    accessLogs: ["/nowhere/access.log"],
    metricsPath: undefined,
    everyMs: 5,
  };
  const watching = watchUntil(end.signal, options, terminal, createEffects());
  await until(() => expect(terminal.written.out).toContain("a collection was cut off"));
  end.abort();
  await watching;
  for (const path of paths) expect(existsSync(path)).toBe(true);
});

test("What is asked after the clock was set back by a day is put back as well", async () => {
  const { store, dead, say, until } = await watchedRoot();

  await say(line("HEAD", `/v2/app/blobs/${dead.layer}`, 404, Date.now() - 24 * 3600_000));

  await until(() => expect(existsSync(store.blobData(dead.layer))).toBe(true));
});
