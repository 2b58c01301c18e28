import { beforeAll, beforeEach, expect, test } from "vitest";
import { directory } from "../../provider/kinds/directory.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const path = "/srv/directory-test/data";
const declared = { path, mode: "0750", owner: "deploy", group: "root", type: "directory" };
const recordOf = <T extends object>(inputs: T) => ({ inputs, outputs: { ...inputs } });
const read = async () => (await directory.read(host.root, path, recordOf(declared)))?.inputs;

beforeAll(async () => {
  host = await testHost();
});
beforeEach(async () => {
  await host.sh("rm -rf /srv/directory-test");
});

test("is made with its parents, owner and mode, and read back as declared", async () => {
  await directory.create(host.root, declared);
  expect(await host.sh(`stat -c '%F %a %U:%G' ${path}`)).toBe("directory 750 deploy:root");
  expect(await read()).toEqual(declared);
});

test("is adopted with all that is in it when it is already there", async () => {
  await host.sh(`mkdir -p ${path} && echo image >${path}/blob`);
  await directory.create(host.root, declared);
  expect(await host.sh(`cat ${path}/blob; stat -c %a ${path}`)).toBe("image\n750");
});

test("shows a chmod by name and heals it", async () => {
  await directory.create(host.root, declared);
  await host.sh(`chmod 0777 ${path}`);
  expect(await read()).toMatchObject({ mode: "0777" });
  await directory.update(host.root, path, recordOf({ ...declared, mode: "0777" }), declared);
  expect(await read()).toEqual(declared);
});

test("shows a file in its place, and moves it aside to heal", async () => {
  await host.sh("mkdir -p /srv/directory-test && echo odd >/srv/directory-test/data");
  expect(await read()).toMatchObject({ type: "file" });
  await directory.update(host.root, path, recordOf({ ...declared, type: "file" }), declared);
  expect(await read()).toEqual(declared);
  expect(await host.sh(`cat ${path}.displaced-*`)).toBe("odd");
});

test("is removed when empty, and left with a warning when anything is in it", async () => {
  await directory.create(host.root, declared);
  await host.sh(`echo image >${path}/blob`);
  expect(await directory.remove(host.root, path, recordOf(declared))).toBe(
    `${path}: it is not empty and was left as it is`,
  );
  expect(await host.sh(`cat ${path}/blob`)).toBe("image");
  await host.sh(`rm ${path}/blob`);
  expect(await directory.remove(host.root, path, recordOf(declared))).toBeUndefined();
  expect(await read()).toBeUndefined();
});
