import { expect, test } from "vitest";
import { collected } from "../../../../lab/incident/damage.ts";

test("what a collection deletes is counted in its output", () => {
  const output = "infra-ci\nmanifest eligible for deletion: sha256:a\nblob eligible for deletion: sha256:b\n";
  expect(collected(`${output}blob eligible for deletion: sha256:c\n`)).toEqual({ manifests: 1, blobs: 2 });
});
