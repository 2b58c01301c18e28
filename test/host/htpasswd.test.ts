import { beforeAll, beforeEach, expect, test } from "vitest";
import { htpasswd } from "../../provider/kinds/htpasswd.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const path = "/srv/htpasswd-test";
const declared = {
  path,
  users: { ci: "correct horse" },
  mode: "0600",
  owner: "root",
  group: "root",
  type: "file",
};
const recordOf = <T extends object>(inputs: T) => ({ inputs, outputs: { ...inputs } });
const read = async () => (await htpasswd.read(host.root, path, recordOf(declared)))?.inputs;

beforeAll(async () => {
  host = await testHost();
});
beforeEach(async () => {
  await htpasswd.create(host.root, declared);
});

test("holds a bcrypt entry, no password, and reads back as declared", async () => {
  expect(await host.sh(`cat ${path}; stat -c %a ${path}`)).toMatch(/^ci:\$2[aby]\$05\$\S{53}\n600$/);
  expect(await read()).toEqual(declared);
});

test("shows another password, a further user and a missing one as a difference", async () => {
  const entry = await host.sh(`cat ${path}`);
  await host.sh(`echo 'ci:$2y$05$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' >${path}`);
  expect((await read())?.users).toEqual({ ci: "(an entry with another password)" });
  await host.sh(`printf '%s\\nguest:x\\n' '${entry}' >${path}`);
  expect((await read())?.users).toEqual({ ci: "correct horse", guest: "(an entry with another password)" });
  await host.sh(`: >${path}`);
  expect((await read())?.users).toEqual({});
});

test("keeps its salt when only the mode is healed", async () => {
  const entry = await host.sh(`cat ${path}; chmod 0666 ${path}`);
  await htpasswd.update(host.root, path, recordOf({ ...declared, mode: "0666" }), declared);
  expect(await host.sh(`cat ${path}`)).toBe(entry);
  expect(await read()).toEqual(declared);
});
