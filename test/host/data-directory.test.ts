import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { directory } from "../../provider/kinds/directory.ts";
import type { Bag, Recorded } from "../../provider/kinds/kind.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const root = "/srv/data-test";
const path = `${root}/data/private`;
const declared = {
  path,
  mode: "0755",
  owner: "root",
  group: "root",
  type: "directory",
  data: { name: "test-store", mount: root },
  found: "in place",
};
type Inputs = typeof declared;
const stateOf = (inputs: Inputs, outputs: Bag): Recorded<Inputs> => ({ inputs, outputs });
let state: Recorded<Inputs>;
const read = async () => (await directory.read(host.root, path, state))?.inputs;
const up = async (inputs: Inputs = declared) => {
  const found = await directory.read(host.root, path, state);
  return directory.update(host.root, path, (found ?? state) as Recorded<Inputs>, inputs);
};
const list = () => host.sh(`find ${root} -mindepth 1 ! -name lost+found | sort`);
const unmount = (target = root) => host.sh(`umount ${target}`);
const mount = () => host.sh(`mkdir -p ${root} && mount --bind /srv/data-test-disk ${root}`);

beforeAll(async () => {
  host = await testHost();
});
beforeEach(async () => {
  await host.sh(
    `while umount ${root} 2>/dev/null; do :; done; rm -rf ${root} ${root}-* /etc/regwarden/data; mkdir /srv/data-test-disk`,
  );
  await mount();
  const { outputs } = await directory.create(host.root, declared);
  state = stateOf(declared, outputs);
  await host.sh(`echo image >${path}/blob`);
});

describe("a data directory", () => {
  test("is made once, marked and recorded, and reads back as declared", async () => {
    expect(await read()).toEqual(declared);
    const id = await host.sh(`cat ${path}/.regwarden-data`);
    expect(state.outputs.dataId).toBe(id);
    expect(await host.sh("cat /etc/regwarden/data/test-store")).toBe(`${path}\n${id}`);
  });

  test("on a disk that is not mounted any more fails the update, and nothing is made in its place", async () => {
    await unmount();
    expect(await read()).toMatchObject({ found: "not mounted" });
    await expect(up()).rejects.toThrow(/\/srv\/data-test is no mount point. Nothing was created/);
    await expect(directory.create(host.root, declared)).rejects.toThrow(/no mount point/);
    expect(await list()).toBe("");
    await mount();
    expect(await read()).toEqual(declared);
    expect(await host.sh(`cat ${path}/blob`)).toBe("image");
  });

  test("whose mount point is the directory itself is not taken for the empty one below", async () => {
    const { mount: _, ...data } = declared.data;
    const unchecked = { ...declared, data } as Inputs;
    await host.sh(
      `mkdir /srv/data-test-below && cp -a ${path}/. /srv/data-test-below && rm -r ${path}/* ${path}/.regwarden-data`,
    );
    await host.sh(`mount --bind /srv/data-test-below ${path}`);
    state = stateOf(unchecked, { ...state.outputs });
    expect(await read()).toEqual(unchecked);
    await unmount(path);
    expect(await read()).toMatchObject({ found: "another directory" });
    await expect(up(unchecked)).rejects.toThrow(/has no .regwarden-data/);
    expect(await host.sh(`ls -A ${path}`)).toBe("");
  });

  test.each([
    ["gone", `rm -r ${path}`, /is gone. Nothing was created/],
    ["replaced by an empty one", `rm -r ${path} && mkdir ${path}`, /has no .regwarden-data/],
    ["replaced by another registry's", `echo other >${path}/.regwarden-data`, /is another one/],
    ["replaced by a link", `mv ${path} ${path}.moved && ln -s ${path}.moved ${path}`, /is a symbolic link/],
  ])("that is %s is drift, and fails the update without a change", async (_, command, message) => {
    await host.sh(command);
    const before = await list();
    expect((await read())?.found).not.toBe("in place");
    await expect(up()).rejects.toThrow(message);
    await expect(directory.create(host.root, declared)).rejects.toThrow(message);
    expect(await list()).toBe(before);
  });

  test("that is gone is known by the state alone, where the host has lost its record", async () => {
    await host.sh(`rm -r ${path} /etc/regwarden/data`);
    await expect(up()).rejects.toThrow(/is gone/);
    expect(await list()).toBe(`${root}/data`);
  });

  test("under another path is refused, and taken up there once it was moved", async () => {
    const moved = { ...declared, path: `${root}/new/data/private` };
    const before = await list();
    await expect(directory.create(host.root, moved)).rejects.toThrow(
      /it is in \/srv\/data-test\/data\/private, and no data is moved by itself; .*type: mv /,
    );
    expect(await list()).toBe(before);
    await host.sh(`mkdir -p ${root}/new/data && mv ${path} ${moved.path}`);
    const { outputs } = await directory.create(host.root, moved);
    expect(outputs.dataId).toBe(state.outputs.dataId);
    expect(await directory.remove(host.root, path, state)).toBeUndefined();
    expect(await host.sh(`cat ${moved.path}/blob; head -n 1 /etc/regwarden/data/test-store`)).toBe(
      `image\n${moved.path}`,
    );
  });

  test("is made empty only by the operator's own hand, and then is other data", async () => {
    await host.sh(`rm -r ${path}`);
    const hint = await up().catch(String);
    const [, command = ""] = /on the host: (.*)$/s.exec(String(hint)) ?? [];
    await host.sh(command);
    expect(await read()).toMatchObject({ found: "not marked" });
    const outputs = await up();
    expect(outputs.dataId).not.toBe(state.outputs.dataId);
    state = stateOf(declared, outputs);
    expect(await read()).toEqual(declared);
  });

  test("from before there were ids is marked, and keeps what is in it", async () => {
    await host.sh(`rm -r ${path}/.regwarden-data /etc/regwarden/data`);
    const { data: _, found: __, ...plain } = declared;
    const outputs = await directory.update(host.root, path, { inputs: plain, outputs: plain }, declared);
    state = stateOf(declared, outputs);
    expect(await read()).toEqual(declared);
    expect(await host.sh(`cat ${path}/blob`)).toBe("image");
  });

  test("keeps its id when only its mode is healed", async () => {
    await host.sh(`chmod 0700 ${path}`);
    expect(await read()).toMatchObject({ mode: "0700", found: "in place" });
    expect((await up()).dataId).toBe(state.outputs.dataId);
    expect(await read()).toEqual(declared);
  });

  test("stays with its record when it is removed with data in it, and goes with both when it holds none", async () => {
    expect(await directory.remove(host.root, path, state)).toBe(
      `${path}: it holds data and was left as it is`,
    );
    expect(await host.sh(`cat ${path}/blob`)).toBe("image");
    expect(await read()).toEqual(declared);
    await host.sh(`rm ${path}/blob`);
    expect(await directory.remove(host.root, path, state)).toBeUndefined();
    expect(await host.sh(`ls ${path} /etc/regwarden/data/test-store 2>&1 | grep -c 'No such file'`)).toBe(
      "2",
    );
  });
});

test("a directory that is a link to another one is not replaced by an empty one", async () => {
  const link = `${root}/data-link`;
  await host.sh(`ln -s ${root}/data ${link}`);
  const plain = { path: link, mode: "0755", owner: "root", group: "root", type: "directory" };
  await expect(directory.create(host.root, plain)).rejects.toThrow(/symbolic link to the directory .*mount/);
  expect(await host.sh(`cat ${link}/private/blob`)).toBe("image");
});
