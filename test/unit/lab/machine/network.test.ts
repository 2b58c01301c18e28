import { expect, test } from "vitest";
import { registryOf } from "../../../../lab/machine/network.ts";

test.each([
  ["registry:2.8.3", "registry-1.docker.io"],
  ["joxit/docker-registry-ui:2.5.7", "registry-1.docker.io"],
  ["ghcr.io/owner/image:1.0.0", "ghcr.io"],
  ["localhost:5000/image", "localhost"],
])("%s is pulled from %s", (name, registry) => {
  expect(registryOf(name)).toBe(registry);
});
