import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeLayout } from "../../../../lab/images/oci-content.ts";
import { ciImage } from "../../../../lab/images/sample-images.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-layout-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function blob(digest: string): Buffer {
  return readFileSync(join(directory, "blobs", digest.replace(":", "/")));
}

test("a layout's blobs are what their names say, and everything that is named is there", async () => {
  await writeLayout(directory, ciImage.content, ciImage.tag);
  for (const name of readdirSync(join(directory, "blobs/sha256"))) {
    expect(
      createHash("sha256")
        .update(blob(`sha256:${name}`))
        .digest("hex"),
    ).toBe(name);
  }
  const top = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  const index = JSON.parse(blob(top.manifests[0].digest).toString());
  const manifests = index.manifests.map(({ digest }: { digest: string }) =>
    JSON.parse(blob(digest).toString()),
  );
  for (const { config, layers } of manifests) {
    for (const { digest, size } of [config, ...layers]) expect(blob(digest).length).toBe(size);
  }
});

test("an attested image has a child for each platform and one attestation of the first", async () => {
  await writeLayout(directory, ciImage.content, ciImage.tag);
  const top = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  const { manifests } = JSON.parse(blob(top.manifests[0].digest).toString());
  expect(
    manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture),
  ).toEqual(["amd64", "arm64", "unknown"]);
  expect(manifests[2].annotations).toEqual({
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": manifests[0].digest,
  });
});
