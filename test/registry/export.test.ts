import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptAnyManifest } from "../../scripts/registry/media-types.ts";
import { blobDataPath } from "../../scripts/registry/paths.ts";
import {
  attestation,
  type Content,
  digest,
  dockerList,
  image,
  imageOf,
  index,
  isManifest,
  layer,
  leaf,
  withParts,
} from "../support/images/oci-content.ts";
import { program, regwarden, temporaryDirectory } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

/** Copies of single images, made while a real registry serves, and brought into another one by a real client. */

const run = promisify(execFile);

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
}, 900_000);
afterAll(() => registry?.dispose());

/** As BuildKit pushes it: two platforms, each with an attestation. */
function built(text: string): Content {
  const platforms = [image(`${text} a`, "linux/amd64"), image(`${text} b`, "linux/arm64")];
  return index([...platforms, ...platforms.map((each) => attestation(each))]);
}

async function exportTo(target: string, ...images: string[]) {
  const flags = images.flatMap((name) => ["--image", name]);
  const metrics = join(target, "metrics.prom");
  const outcome = await regwarden([
    "export",
    registry.directory,
    ...flags,
    "--to",
    target,
    "--metrics",
    metrics,
  ]);
  const text = await readFile(metrics, "utf8");
  const metric = (name: string) =>
    Number(new RegExp(`^regwarden_break_glass_${name} (.*)$`, "m").exec(text)?.[1]);
  return {
    ...outcome,
    failed: metric("failed"),
    images: metric("images"),
    success: metric("success_timestamp_seconds"),
  };
}

/** Brings a copy into an empty registry by skopeo, and compares everything below it byte by byte. */
async function expectRestored(source: string, content: Content): Promise<void> {
  const other = await startRegistry();
  try {
    const target = `docker://${new URL(other.url).host}/restored/ci:latest`;
    await run("skopeo", [
      "copy",
      "--all",
      "--preserve-digests",
      "--quiet",
      "--dest-tls-verify=false",
      source,
      target,
    ]);
    for (const part of withParts(content)) {
      const kind = isManifest(part) ? "manifests" : "blobs";
      const path = `${other.url}/v2/restored/ci/${kind}/${digest(part)}`;
      const answer = await fetch(path, { headers: { accept: acceptAnyManifest } });
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer()).equals(part.bytes)).toBe(true);
    }
    await other.pull("restored/ci", "latest");
  } finally {
    await other.dispose();
  }
}

const removeBlob = (content: Content) => rm(blobDataPath(registry.directory, digest(content)));
const child = (content: Content, at: number) => content.parts[at] as Content;

describe("a copy of an image", () => {
  test("brings it back with all platforms and attestations when the store is gone", async () => {
    const target = await temporaryDirectory();
    const content = built("lost");
    await registry.push(content, "team/lost-ci", "latest");
    const outcome = await exportTo(target, "team/lost-ci:latest");
    expect([outcome.exitCode, outcome.stderr, outcome.failed, outcome.images]).toEqual([0, "", 0, 1]);
    expect(outcome.success).toBeGreaterThan(Date.now() / 1000 - 60);
    await registry.stop();
    await rm(join(registry.directory, "docker"), { recursive: true });
    const copy = join(target, "team+lost-ci+latest");
    await expectRestored(`oci:${copy}:latest`, content);
    await expectRestored(`dir:${copy}`, content);
    await registry.start();
  });

  test.each([
    [
      "a list of images",
      dockerList([image("d", "linux/amd64", "docker"), image("e", "linux/arm64", "docker")]),
    ],
    ["a single image", image("single", "linux/amd64", "docker")],
  ])("brings back what has Docker's own media types: %s", async (_, content) => {
    const target = await temporaryDirectory();
    await registry.push(content, "docker-ci", "latest");
    expect((await exportTo(target, "docker-ci:latest")).exitCode).toBe(0);
    await expectRestored(`dir:${join(target, "docker-ci+latest")}`, content);
  });

  test("has what was pushed by another algorithm under the digest by which its manifest names it", async () => {
    const target = await temporaryDirectory();
    const content = imageOf("linux/amd64", [layer("sha512", "oci", "sha512")]);
    await registry.upload(content, "sha512-ci", "latest");
    expect((await exportTo(target, "sha512-ci:latest")).exitCode).toBe(0);
    const path = join(target, "sha512-ci+latest/blobs", digest(child(content, 1)).replace(":", "/"));
    expect((await readFile(path)).equals(child(content, 1).bytes)).toBe(true);
  });

  test("is replaced by the next, which has the files that did not change in common with it until then", async () => {
    const target = await temporaryDirectory();
    const common = image("common", "linux/amd64");
    await registry.upload(index([common, image("old", "linux/arm64")]), "moving-ci", "latest");
    await exportTo(target, "moving-ci:latest");
    const copy = join(target, "moving-ci+latest");
    const before = (await stat(join(copy, "blobs", digest(common).replace(":", "/")))).ino;
    const next = index([common, image("new", "linux/arm64")]);
    await registry.upload(next, "moving-ci", "latest");
    expect((await exportTo(target, "moving-ci:latest")).stdout).toContain("7 files, 3659 bytes, 4 files new");
    expect((await stat(join(copy, "blobs", digest(common).replace(":", "/")))).ino).toBe(before);
    await expectRestored(`oci:${copy}:latest`, next);
    expect((await readdir(target)).sort()).toEqual(
      [await readlink(copy), "metrics.prom", "moving-ci+latest"].sort(),
    );
  });

  test("heals from the store when its own files are damaged", async () => {
    const target = await temporaryDirectory();
    const content = built("rotten");
    await registry.upload(content, "rotten-ci", "latest");
    await exportTo(target, "rotten-ci:latest");
    const copy = join(target, "rotten-ci+latest");
    await truncate(join(copy, "blobs", digest(child(child(content, 0), 1)).replace(":", "/")), 1);
    expect((await exportTo(target, "rotten-ci:latest")).exitCode).toBe(0);
    await expectRestored(`oci:${copy}:latest`, content);
  });
});

describe("an image that is damaged", () => {
  test.each<[string, (content: Content) => Promise<void>, (content: Content) => string]>([
    [
      "a platform's manifest",
      (content) => removeBlob(child(content, 1)),
      (c) => `manifest ${digest(child(c, 1))} is missing`,
    ],
    [
      "a layer",
      (content) => removeBlob(child(child(content, 1), 1)),
      (c) => `blob ${digest(child(child(c, 1), 1))} is missing`,
    ],
    [
      "a layer's bytes",
      (content) => writeFile(blobDataPath(registry.directory, digest(child(child(content, 1), 1))), "others"),
      (c) => `blob ${digest(child(child(c, 1), 1))} has other bytes`,
    ],
    [
      "its tag",
      () =>
        rm(join(registry.directory, "docker/registry/v2/repositories/bad-ci/_manifests/tags/latest"), {
          recursive: true,
        }),
      () => "the store has no such tag",
    ],
  ])("keeps its former copy, and the run says what is missing: %s", async (what, damage, text) => {
    const target = await temporaryDirectory();
    const sound = built(`sound ${what}`);
    await registry.upload(sound, "bad-ci", "latest");
    const { success } = await exportTo(target, "bad-ci:latest");
    const later = built(`later ${what}`);
    await registry.upload(later, "bad-ci", "latest");
    await damage(later);
    await registry.upload(built("other"), "good-ci", "latest");

    const outcome = await exportTo(target, "bad-ci:latest", "good-ci:latest");

    expect([outcome.exitCode, outcome.failed, outcome.images, outcome.success]).toEqual([1, 1, 2, success]);
    expect(outcome.stderr).toContain(text(later));
    expect(outcome.stderr).toContain("The former copy stays");
    expect(outcome.stdout).toContain("good-ci:latest");
    await expectRestored(`oci:${join(target, "bad-ci+latest")}:latest`, sound);
    expect(await readdir(target)).toHaveLength(5);
  });

  test("is said to be without a copy where there is none", async () => {
    const target = await temporaryDirectory();
    const { exitCode, stderr } = await exportTo(target, "no-such-ci:latest");
    expect([exitCode, await readdir(target)]).toEqual([1, ["metrics.prom"]]);
    expect(stderr).toContain("There is no former copy of it");
  });
});

test("What could not be read or written is not taken for damage, and leaves everything as it was", async () => {
  const target = await temporaryDirectory();
  const content = built("unread");
  await registry.upload(content, "unread-ci", "latest");
  const blob = blobDataPath(registry.directory, digest(child(child(content, 0), 1)));
  await rm(blob);
  await mkdir(blob);
  const { exitCode, stderr, failed } = await exportTo(target, "unread-ci:latest");
  expect([exitCode, failed, await readdir(target)]).toEqual([3, 1, ["metrics.prom"]]);
  expect(stderr).toContain("not a regular file");
  await mkdir(join(target, "busy-ci+latest"));
  await registry.upload(built("busy"), "busy-ci", "latest");
  expect((await exportTo(target, "busy-ci:latest")).exitCode).toBe(3);
  expect(await readdir(join(target, "busy-ci+latest"))).toEqual([]);
});

test("A run that is killed at any time leaves the former copy or the new one, complete, and the next one tidies up", async () => {
  const target = await temporaryDirectory();
  const large = (text: string) =>
    imageOf("linux/amd64", [
      leaf("application/vnd.oci.image.layer.v1.tar", new Uint8Array(8 << 20).fill(text.length)),
    ]);
  const [former, next] = [large("1"), large("22")];
  await registry.upload(former, "killed-ci", "latest");
  await exportTo(target, "killed-ci:latest");
  await registry.upload(next, "killed-ci", "latest");
  const pristine = join(await temporaryDirectory(), "pristine");
  await cp(target, pristine, { recursive: true, verbatimSymlinks: true });
  const copy = join(target, "killed-ci+latest");
  const argv = [program, "export", registry.directory, "--image", "killed-ci:latest", "--to", target];
  const found = new Set<string>();
  for (const marker of ["blobs", "index.json", "version", undefined]) {
    await rm(target, { recursive: true });
    await cp(pristine, target, { recursive: true, verbatimSymlinks: true });
    const slot =
      (await readlink(copy)) === ".killed-ci+latest.a" ? ".killed-ci+latest.b" : ".killed-ci+latest.a";
    const child = spawn(process.execPath, argv, { stdio: "ignore" });
    const exit = once(child, "exit");
    const isThere = async () => {
      if (marker === undefined) return (await readlink(copy)) === slot;
      return (await readdir(join(target, slot)).catch((): string[] => [])).includes(marker);
    };
    while (child.exitCode === null && !(await isThere())) await new Promise(setImmediate);
    child.kill("SIGKILL");
    await exit;
    const { manifests } = JSON.parse(await readFile(join(copy, "index.json"), "utf8"));
    const content = manifests[0].digest === digest(next) ? next : former;
    found.add(manifests[0].digest);
    for (const part of withParts(content)) {
      const bytes = await readFile(join(copy, "blobs", digest(part).replace(":", "/")));
      expect(bytes.equals(part.bytes)).toBe(true);
    }
    expect((await exportTo(target, "killed-ci:latest")).exitCode).toBe(0);
    expect(await readdir(target)).toHaveLength(3);
  }
  expect(found).toContain(digest(former));
});
