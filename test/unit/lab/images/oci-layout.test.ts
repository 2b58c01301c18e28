import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeLayout } from "../../../../lab/images/oci-layout.ts";
import { registryOf } from "../../../../lab/machine/network.ts";

const image = { name: "infra-ci", tag: "latest", architectures: ["amd64", "arm64"], attested: true };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-layout-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function blob(digest: string): Buffer {
  return readFileSync(join(directory, "blobs", digest.replace(":", "/")));
}

test("a layout's blobs are what their names say, and everything that is named is there", async () => {
  await writeLayout(image, directory);
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
  await writeLayout(image, directory);
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

test.each([
  ["registry:2.8.3", "registry-1.docker.io"],
  ["joxit/docker-registry-ui:2.5.7", "registry-1.docker.io"],
  ["ghcr.io/owner/image:1.0.0", "ghcr.io"],
  ["localhost:5000/image", "localhost"],
])("%s is pulled from %s", (name, registry) => {
  expect(registryOf(name)).toBe(registry);
});
