import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, statSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { GcReport } from "../../contract/gc-report.ts";
import { freezeLimits, freezePaths } from "../../contract/write-freeze.ts";
import { docker } from "../../lab/machine/docker-client.ts";
import { ensureEngine } from "../../lab/machine/docker-engine.ts";
import { run as runCommand } from "../../lab/machine/run.ts";
import { tagsPath } from "../../scripts/registry/paths.ts";
import { writeFreeze } from "../../scripts/write-freeze/write-freeze.ts";
import { digest, image } from "../support/images/oci-content.ts";
import { regwarden, withReport } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { type StackNginx, startStackNginx } from "../support/registry/stack-nginx.ts";
import { type Answer, type Sent, timedRequest } from "../support/registry/timed-request.ts";
import { waitFor } from "../support/server/running.ts";

const run = promisify(execFile);
const owner = { user: "ci", password: "correct horse" };
const auth = `${owner.user}:${owner.password}`;
const content = image("an image", "linux/amd64");

let registry: Registry;
let nginx: StackNginx;
let scratch: string;

beforeAll(async () => {
  registry = await startRegistry(owner);
  await registry.push(content, "app", "1");
  const addresses = { "registry-private": new URL(registry.url).host };
  nginx = await startStackNginx({ addresses });
  scratch = await mkdtemp(join(tmpdir(), "regwarden-freeze-"));
});
afterAll(async () => {
  await nginx.stop();
  await registry.dispose();
  await rm(scratch, { recursive: true, force: true });
});
afterEach(() => rm(nginx.freeze.flag, { force: true }));

const accept = { accept: content.descriptor.mediaType };
const send = (path: string, sent: Sent = {}) =>
  timedRequest(`${nginx.url}${path}`, { auth, headers: accept, ...sent });
const beginUpload = (headers: Record<string, string> = {}) =>
  send("/v2/app/blobs/uploads/", { method: "POST", headers });
const freeze = () => writeFreeze({ flagFile: nginx.freeze.flag, statusUrl: nginx.freeze.statusUrl });
const status = async () => JSON.parse((await timedRequest(nginx.freeze.statusUrl)).body);
const metrics = async () =>
  (await timedRequest(new URL(freezePaths.metrics, nginx.freeze.statusUrl).href)).body;
const metric = async (name: string) =>
  Number(new RegExp(`^${name} (\\S+)$`, "m").exec(await metrics())?.[1] ?? Number.NaN);
const at = (name: string) => `docker://${new URL(nginx.url).host}/${name}`;

/** A flag as another program would write it. */
async function writeFlag(until: number | string): Promise<void> {
  await writeFile(`${nginx.freeze.flag}.new`, typeof until === "string" ? until : JSON.stringify({ until }));
  await rename(`${nginx.freeze.flag}.new`, nginx.freeze.flag);
}

/** Holds writes while `work` runs, for at least so many seconds. */
async function frozenFor(seconds: number, work: () => Promise<void>): Promise<number> {
  const one = freeze();
  await one.begin();
  try {
    const since = performance.now();
    await work();
    while (performance.now() - since < seconds * 1000) {
      await one.verify();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch (error) {
    await one.end();
    throw error;
  }
  return one.end();
}

async function skopeo(...args: readonly string[]): Promise<void> {
  const flags = [
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    "--src-creds",
    auth,
    "--dest-creds",
    auth,
  ];
  await run("skopeo", ["copy", "--all", ...flags, ...args], { timeout: 60_000 });
}

describe("while writes are held", () => {
  test.each([1, 5])("a write waits %d s and is served, and reads do not wait", async (seconds) => {
    let written: Promise<Answer> | undefined;
    const reads: Answer[] = [];
    const took = await frozenFor(seconds, async () => {
      written = beginUpload();
      await waitFor("the write to be held", 5, async () => (await status()).held === 1);
      for (const method of ["GET", "HEAD"]) reads.push(await send("/v2/app/manifests/1", { method }));
      expect(await status()).toMatchObject({ held: 1 });
    });
    const answer = await written;
    expect(answer?.status).toBe(202);
    expect(answer?.seconds).toBeGreaterThan(seconds - 0.2);
    expect(answer?.seconds).toBeLessThan(seconds + 2);
    expect(reads.map((read) => read.status)).toEqual([200, 200]);
    expect(took).toBeGreaterThanOrEqual(seconds);
    expect(await status()).toMatchObject({
      frozen: false,
      until: null,
      held: 0,
      manifestPuts: 0,
      commits: 0,
    });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])(
    "%s is held, and without an account it is not",
    async (method) => {
      const path = "/v2/app/manifests/none";
      const answers: Promise<Answer>[] = [];
      await frozenFor(0, async () => {
        answers.push(send(path, { method }));
        await waitFor("the write to be held", 5, async () => (await status()).held === 1);
        const open = await timedRequest(`${nginx.url}${path}`, { method });
        expect(open.status).toBe(401);
        expect(await status()).toMatchObject({ held: 1 });
      });
      for (const { status: answered } of await Promise.all(answers)) expect([400, 405]).toContain(answered);
    },
  );

  test("real clients push and none fails", async () => {
    await ensureEngine();
    const name = `${new URL(nginx.url).host}/by-docker:1`;
    await writeFile(join(scratch, "file"), "made for the freeze");
    await runCommand(["tar", "-C", scratch, "-cf", join(scratch, "image.tar"), "file"], { quiet: true });
    await docker(["import", join(scratch, "image.tar"), name], { quiet: true });
    await runCommand(
      ["docker", "login", "--username", owner.user, "--password-stdin", new URL(nginx.url).host],
      {
        input: owner.password,
        quiet: true,
      },
    );
    const pushes: Promise<unknown>[] = [];
    await frozenFor(3, async () => {
      pushes.push(docker(["push", name], { quiet: true }), skopeo(at("app:1"), at("by-skopeo:1")));
      await waitFor("both clients to be held", 10, async () => (await status()).held >= 2);
    });
    await Promise.all(pushes);
    await runCommand(["docker", "logout", new URL(nginx.url).host], { quiet: true });
    await docker(["rmi", "--force", name], { quiet: true });
    for (const repository of ["by-docker", "by-skopeo"])
      expect(await registry.manifestStatus(repository, "1")).toBe(200);
  });

  test("the UI, the probes of health and the metrics answer as ever", async () => {
    const origin = `https://127.0.0.1:${nginx.settings.ui.port}`;
    const base = new URL(nginx.freeze.statusUrl).origin;
    await frozenFor(0, async () => {
      expect((await timedRequest(`${origin}/v2/app/manifests/1`, { auth, headers: accept })).status).toBe(
        200,
      );
      expect((await timedRequest(`${origin}/v2/app/manifests/1`, { auth, method: "PUT" })).status).toBe(403);
      expect((await timedRequest(`${base}/healthz`)).status).toBe(200);
      expect(await metric("regwarden_freeze_active")).toBe(1);
    });
    expect(await metric("regwarden_freeze_active")).toBe(0);
  });
});

test("a write that was held for twenty seconds is answered by what its client repeats", async () => {
  const refused = await metric("regwarden_freeze_refused_requests_total");
  const renewal = setInterval(() => writeFlag(Date.now() + 5000), 500);
  await writeFlag(Date.now() + 5000);
  const agents = ["skopeo/1.9.3", "containers/5.24.0 (github.com/containers/image)", "Buildah/1.28.0"];
  const others = ["docker/28.0 go/1.24", "containerd/2.3.0", "curl/8.0", ""];
  const early = [...agents, ...others].map((agent) => beginUpload({ "user-agent": agent }));
  await waitFor("all to be held", 5, async () => (await status()).held === early.length);
  const answers = await Promise.all(early);
  clearInterval(renewal);
  expect(answers.map((answer) => answer.status)).toEqual([429, 429, 429, 503, 503, 503, 503]);
  for (const { seconds, headers, body } of answers) {
    expect(seconds).toBeGreaterThan(freezeLimits.hardStopSeconds - 0.2);
    expect(seconds).toBeLessThan(freezeLimits.hardStopSeconds + 4);
    expect(headers["retry-after"]).toBe(String(freezeLimits.retryAfterSeconds));
    expect(JSON.parse(body).errors[0].code).toMatch(/^TOOMANYREQUESTS|UNAVAILABLE$/);
  }
  expect(await metric("regwarden_freeze_refused_requests_total")).toBe(refused + answers.length);
});

test("more writes than may be held are answered at once", async () => {
  await writeFlag(Date.now() + 8000);
  const writes = Array.from({ length: freezeLimits.heldAtMost + 4 }, () => beginUpload());
  const first = await Promise.race(writes);
  expect(first.status).toBe(503);
  await rm(nginx.freeze.flag);
  const statuses = (await Promise.all(writes)).map((answer) => answer.status);
  expect(statuses.filter((one) => one === 503).length).toBeGreaterThanOrEqual(1);
  expect(statuses.filter((one) => one === 202).length).toBeGreaterThanOrEqual(freezeLimits.heldAtMost - 8);
});

describe("a flag that is left behind", () => {
  test("by kill -9 lets writes go on when its lease ends", async () => {
    const program = join(import.meta.dirname, "../support/registry/hold-writes.ts");
    const child = spawn(process.execPath, [program, nginx.freeze.flag, nginx.freeze.statusUrl], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const held = beginUpload();
    await waitFor("the write to be held", 5, async () => (await status()).held === 1);
    await killed(child);
    const answer = await held;
    expect(answer.status).toBe(202);
    expect(answer.seconds).toBeLessThan(freezeLimits.hardStopSeconds);
    expect(existsSync(nginx.freeze.flag)).toBe(true);
  });

  test.each([
    ["torn", '{"until":'],
    ["empty", ""],
    ["of something else", "[]"],
    ["of a clock that was a day ahead", Date.now() + 86_400_000],
    ["of a clock that was a day behind", Date.now() - 86_400_000],
  ])("and %s holds nothing", async (_, until) => {
    await writeFlag(until);
    expect(await beginUpload()).toMatchObject({ status: 202 });
    expect(await status()).toMatchObject({ frozen: false, until: null });
  });
});

/** Bytes that clients have sent of blobs that are not complete yet. */
async function bytesOfUploads(): Promise<number> {
  const files = globSync(`${registry.directory}/**/_uploads/*/data`);
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("a freeze begins only", () => {
  test("when the uploads that are ending have ended", async () => {
    const { location } = (await beginUpload()).headers;
    const digest = content.parts[0]?.descriptor.digest ?? "";
    const url = `${new URL(String(location), nginx.url).href}&digest=${encodeURIComponent(digest)}`;
    const open = openRequest("PUT", url);
    open.sent.write("a");
    await waitFor("the end of the upload to be on its way", 5, async () => (await status()).commits === 1);
    await expect(freeze().begin()).rejects.toThrow(/1 ends of uploads .* still on their way/);
    expect(existsSync(nginx.freeze.flag)).toBe(false);
    open.sent.end();
    await open.answered;
    await frozenFor(0, async () => {});
  });

  test("some seconds after a client has gone whose manifest the registry may still be writing", async () => {
    const open = openRequest("PUT", `${nginx.url}/v2/app/manifests/2`, {
      "content-type": content.descriptor.mediaType,
      "content-length": "1000",
    });
    open.answered.catch(() => undefined);
    open.sent.write("{");
    await waitFor("the manifest to be on its way", 5, async () => (await status()).manifestPuts === 1);
    open.sent.destroy();
    await expect(freeze().begin()).rejects.toThrow(/1 manifest PUTs .* still on their way/);
    await waitFor("the record to be over", 15, async () => (await status()).manifestPuts === 0);
    await frozenFor(0, async () => {});
  });

  test("while an upload is sent, which ends after it", async () => {
    const megabytes = Number(process.env.REGWARDEN_UPLOAD_MEGABYTES ?? 64);
    const path = join(scratch, "large");
    await run("sh", ["-c", `head -c ${megabytes}M /dev/urandom >"$0"`, path]);
    const { stdout } = await run("sha256sum", [path]);
    const digest = `sha256:${stdout.slice(0, 64)}`;
    const { location } = (await beginUpload()).headers;
    const upload = new URL(String(location), nginx.url).href;
    // So slow that it is still running when the freeze is over.
    const rate = `${Math.ceil(megabytes / 8)}M`;
    const curl = ["--insecure", "--silent", "--fail", "--user", auth, "--limit-rate", rate];
    const binary = ["--header", "content-type: application/octet-stream"];
    const patched = run("curl", [...curl, ...binary, "-X", "PATCH", "-D-", "--upload-file", path, upload]);
    const sent = { isOver: false };
    patched.finally(() => (sent.isOver = true)).catch(() => undefined);
    await waitFor("its first bytes", 10, async () => (await bytesOfUploads()) > 0);
    const took = await frozenFor(1, async () => expect(sent.isOver).toBe(false));
    expect(sent.isOver).toBe(false);
    expect(took).toBeLessThan(freezeLimits.budgetSeconds);
    const next = /^location: (\S+)/im.exec((await patched).stdout)?.[1] ?? "";
    const committed = await timedRequest(`${next}&digest=${digest}`, { method: "PUT", auth });
    expect(committed.status).toBe(201);
  }, 600_000);

  test("when nginx answers", async () => {
    const port = new URL(nginx.freeze.statusUrl).port;
    const none = writeFreeze({
      flagFile: nginx.freeze.flag,
      statusUrl: nginx.freeze.statusUrl.replace(port, "1"),
    });
    await expect(none.begin()).rejects.toMatchObject({
      code: "E_FREEZE",
      message: expect.stringMatching(/nginx/),
    });
    expect(existsSync(nginx.freeze.flag)).toBe(false);
    expect(await none.end()).toBe(0);
  });

  test("when nginx has the flag's directory", async () => {
    const elsewhere = writeFreeze({ flagFile: join(scratch, "flag"), statusUrl: nginx.freeze.statusUrl });
    await expect(elsewhere.begin()).rejects.toThrow(/sees no flag/);
    expect(existsSync(join(scratch, "flag"))).toBe(false);
  });
});

test("A collection waits for a client that sends slowly, and begins its freeze then, in the same run", async () => {
  const dead = image("is to go", "linux/amd64");
  await registry.push(dead, "gone", "1");
  await rm(tagsPath(registry.directory, "gone"), { recursive: true });
  // The log needs a line from before the grace.
  await send("/v2/app/manifests/1");
  const manifest = content.bytes;
  const slow = openRequest("PUT", `${nginx.url}/v2/app/manifests/slow`, {
    "content-type": content.descriptor.mediaType,
    "content-length": String(manifest.length),
  });
  slow.sent.write(manifest.subarray(0, 1));
  await waitFor("the manifest to be on its way", 5, async () => (await status()).manifestPuts === 1);
  const freezeFlags = ["--freeze", nginx.freeze.flag, "--freeze-status", nginx.freeze.statusUrl];
  const collected = regwarden(
    [
      "gc",
      registry.directory,
      "--json",
      "--apply",
      "--dead-for",
      "0s",
      "--grace",
      "0s",
      "--budget",
      "100%",
    ].concat(freezeFlags, ["--access-log", nginx.recordedLog]),
  );
  await waitFor("the first try", 15, async () => existsSync(nginx.freeze.flag));
  await waitFor("its end", 15, async () => !existsSync(nginx.freeze.flag));
  slow.sent.end(manifest.subarray(1));
  await expect(slow.answered).resolves.toMatchObject({ statusCode: 201 });

  const { exitCode, stderr, report } = withReport<GcReport>(await collected);

  expect([exitCode, report.freezeTries]).toEqual([0, 2]);
  expect(stderr).toMatch(/^Try 1 of 5 to hold writes: .* 1 manifest PUTs .* Waiting for them to end\.\n$/);
  expect(report.registries).toMatchObject([{ refused: null }]);
  expect(await registry.manifestStatus("gone", digest(dead))).toBe(404);
  expect((await send("/v2/app/manifests/slow")).status).toBe(200);
  expect(await registry.manifestStatus("app", "1")).toBe(200);
});

/** A request whose body is still being sent. */
function openRequest(method: string, url: string, headers: Record<string, string> = {}) {
  const sent = request(url, { method, auth, headers, rejectUnauthorized: false, agent: false });
  const answered = new Promise((resolve, reject) => {
    sent.on("response", (answer) => resolve(answer.resume())).on("error", reject);
  });
  return { sent, answered };
}

describe("a handler that fails", () => {
  afterAll(async () => {
    await nginx.writeHandler((text) => text);
    await nginx.reload();
  });

  test.each([
    [
      "throws",
      (text: string) =>
        text.replace("async function hold(r) {", 'async function hold(r) {\n  throw new Error("broken");'),
    ],
    [
      "cannot write its records",
      (text: string) => text.replaceAll("r.variables.freeze_records", '"/proc/none"'),
    ],
  ])("because it %s lets writes pass, and no freeze begins", async (_, broken) => {
    await nginx.writeHandler(broken);
    await nginx.reload();
    await waitFor("the new handler", 20, async () => {
      await writeFlag(Date.now() + 3000);
      const { status: answered, seconds } = await beginUpload();
      return answered === 202 && seconds < 1;
    });
    expect((await send("/v2/app/manifests/1")).status).toBe(200);
    await rm(nginx.freeze.flag);
    await expect(freeze().begin()).rejects.toMatchObject({ code: "E_FREEZE" });
    expect(existsSync(nginx.freeze.flag)).toBe(false);
    await skopeo(at("app:1"), at("unheld:1"));
  });
});

test("nothing that names an account is in what nginx logs", async () => {
  for (const log of [await nginx.accessLog(), await readFile(nginx.recordedLog, "utf8")]) {
    expect(log).toContain("/v2/app/blobs/uploads/");
    expect(log).toContain("PUT");
    expect(log).not.toMatch(/Basic|horse/i);
  }
});
