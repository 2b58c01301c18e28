import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pinnedImages } from "../../contract/images.ts";
import { image } from "../../provider/kinds/image.ts";
import type { Bag } from "../../provider/kinds/kind.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const reference = "image-test.invalid/node:1.0.0";
const declared = { reference, found: "present" };
let outputs: Bag;
const read = async () => (await image.read(host.root, reference, { inputs: declared, outputs }))?.inputs;

beforeAll(async () => {
  host = await testHost({ images: true });
});
beforeEach(async () => {
  await host.sh(`docker tag ${pinnedImages.registry} ${reference}`);
  outputs = (await image.create(host.root, declared)).outputs;
});
afterAll(() => host.sh(`docker rmi ${reference} >/dev/null 2>&1 || true`));

describe("an image", () => {
  test("that was loaded is taken as it is, without its registry, and reads back as declared", async () => {
    expect(outputs.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await read()).toEqual(declared);
  });

  test("that was pruned is gone, and got again by the next update or named with what to do", async () => {
    await host.sh(`docker rmi ${reference}`);
    expect(await read()).toBeUndefined();
    await expect(image.create(host.root, declared)).rejects.toThrow(
      /image-test\.invalid\/node:1\.0\.0 is not on the host and could not be pulled; load it there/,
    );
  });

  test("whose name was given to another one is drift, and gets its meaning back", async () => {
    await host.sh(`docker tag ${pinnedImages.nginx} ${reference}`);
    expect((await read())?.found).toMatch(/^another image \(sha256:.*, was sha256:/);
    expect((await image.update(host.root, reference, { inputs: declared, outputs }, declared)).imageId).toBe(
      outputs.imageId,
    );
    expect(await read()).toEqual(declared);
  });

  test("that cannot be checked because the engine is down is an error, not a missing image", async () => {
    await host.sh("systemctl stop docker.socket docker.service");
    try {
      await expect(read()).rejects.toThrow(/Docker daemon/);
    } finally {
      await host.sh("systemctl start docker.service");
    }
  });

  test("stays when its resource goes", async () => {
    await image.remove(host.root, reference, { inputs: declared, outputs });
    expect(await read()).toEqual(declared);
  });
});
