import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { UnmanagedKind, UnmanagedPart } from "../../contract/unmanaged.ts";
import { unmanaged } from "../../provider/kinds/unmanaged.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
/** Ports that the host's own sshd and resolver have, whatever these tests do. */
let portsBefore: number[];
const root = "/srv/unmanaged-test";

const declared = () => ({
  directories: [root, `${root}/data`, `${root}/missing`],
  paths: [`${root}/data`, `${root}/nginx.conf`],
  project: "unmanaged-test",
  containers: { declared: ["umt-declared"], prefixes: ["umt-"] },
  units: { declared: ["umt-declared.service"], prefixes: ["umt-"] },
  ports: portsBefore,
  allow: [] as string[],
});

async function parts(changes: Partial<ReturnType<typeof declared>> = {}): Promise<UnmanagedPart[]> {
  const inputs = { ...declared(), ...changes };
  const read = await unmanaged.read(host.root, "unmanaged", { inputs, outputs: {} });
  return read?.outputs.parts as UnmanagedPart[];
}

async function found(kind: UnmanagedKind, changes: Partial<ReturnType<typeof declared>> = {}) {
  const part = (await parts(changes)).find((each) => each.kind === kind);
  expect(part?.unchecked).toBeUndefined();
  return part?.found ?? [];
}

const names = (things: readonly { readonly name: string }[]) => things.map(({ name }) => name);

beforeAll(async () => {
  host = await testHost({ images: true });
  await clear();
  portsBefore = [];
  portsBefore = names(await found("port")).map((name) => Number(name.split("/")[0]));
});
afterEach(async () => clear());

/** Takes away all that these tests put on the host. */
async function clear(): Promise<void> {
  await host.sh(
    `docker ps -aq --filter name=umt- | xargs -r docker rm -f >/dev/null; docker network rm umt-network 2>/dev/null || true
systemctl stop umt-listener.service umt-listener.socket umt-other.socket umt-other.timer 2>/dev/null || true
rm -rf ${root} /etc/cron.d/umt-gc /etc/systemd/system/umt-* /etc/systemd/system/cleanup-umt.* && systemctl daemon-reload`,
  );
}

describe("on the host beside what is declared", () => {
  test("there is nothing where nothing else is, and reading changes nothing", async () => {
    await host.sh(`mkdir -p ${root}/data && touch ${root}/nginx.conf`);
    const mark = `find ${root} /etc/systemd/system -printf '%p %T@ %C@\\n' | sort | sha256sum`;
    const before = await host.sh(mark);
    expect((await parts()).map(({ kind, found, unchecked }) => [kind, found, unchecked])).toEqual([
      ["file", [], undefined],
      ["container", [], undefined],
      ["unit", [], undefined],
      ["job", [], undefined],
      ["port", [], undefined],
    ]);
    expect(await host.sh(mark)).toBe(before);
  });

  test("files are found in managed directories, with odd names too, and not deeper", async () => {
    await host.sh(
      `mkdir -p ${root}/data/deeper/still && cd ${root} && touch nginx.conf 'by hand' data/"$(printf 'a\\nb')" && ln -s /etc link`,
    );
    expect(await found("file")).toEqual([
      { name: `${root}/by hand`, detail: "file" },
      { name: `${root}/data/a\nb`, detail: "file" },
      { name: `${root}/data/deeper`, detail: "directory" },
      { name: `${root}/link`, detail: "symbolic link" },
    ]);
  });

  test("containers are found by a name like ours and in the project's network, stopped ones too; the project's own are not", async () => {
    const run = "docker run -d --pull never --entrypoint sleep";
    const image = await host.sh("docker images --format '{{.Repository}}:{{.Tag}}' | grep nginx | head -n 1");
    await host.sh(
      `docker network create --label com.docker.compose.project=unmanaged-test umt-network >/dev/null
${run} --name umt-by-hand ${image} 1000 >/dev/null
${run} --name other-umt-inside --network umt-network ${image} 1000 >/dev/null && docker stop -t 0 other-umt-inside >/dev/null
${run} --name other-umt-outside ${image} 1000 >/dev/null
${run} --name umt-of-project --label com.docker.compose.project=unmanaged-test ${image} 1000 >/dev/null
${run} --name umt-declared ${image} 1000 >/dev/null`,
    );
    expect(await found("container")).toEqual([
      { name: "other-umt-inside", detail: `${image}, exited, in the network of unmanaged-test` },
      { name: "umt-by-hand", detail: `${image}, running` },
    ]);
  });

  test("units are found by a name like ours, installed or only running", async () => {
    await host.sh(
      `printf '[Timer]\\nOnCalendar=daily\\n' >/etc/systemd/system/umt-other.timer
printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/umt-declared.service
systemctl daemon-reload && systemd-run --quiet --unit umt-listener sleep 1000`,
    );
    expect(names(await found("unit"))).toEqual(["umt-listener.service", "umt-other.timer"]);
  });

  test("a crontab line and a unit that remove what tags need are found with file and line", async () => {
    await host.sh(
      `mkdir -p /etc/cron.d
printf '# nightly\\n25 3 * * 0 root docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml\\n' >/etc/cron.d/umt-gc
printf '[Service]\\nExecStart=/usr/bin/python3 /opt/registry/cleanup-tags.sh 10\\n' >/etc/systemd/system/cleanup-umt.service`,
    );
    const jobs = await found("job", { allow: ["job:*"] });
    expect(names(jobs)).toEqual(["/etc/cron.d/umt-gc:2", "/etc/systemd/system/cleanup-umt.service:2"]);
    expect(jobs[0]?.detail).toContain("registry garbage-collect -m /etc/docker/registry/config.yml");
  });

  test("a port that listens to other machines is found with its program, one on the loopback is not", async () => {
    const listen = (unit: string, address: string) =>
      host.sh(`systemd-run --quiet --unit ${unit} --socket-property=ListenStream=${address} sleep 1000`);
    await listen("umt-listener", "0.0.0.0:39100");
    expect(await found("port")).toEqual([{ name: "39100/tcp", detail: "systemd on 0.0.0.0" }]);
    expect(await found("port", { allow: ["port:391*/tcp"] })).toEqual([]);
    await host.sh("systemctl stop umt-listener.socket");
    await listen("umt-other", "127.0.0.1:39101");
    expect(await found("port")).toEqual([]);
  });

  test("what is allowed is passed over, by name or by pattern", async () => {
    await host.sh(
      `mkdir -p ${root}/data && touch ${root}/nginx.conf ${root}/notes.txt ${root}/notes.txt.bak`,
    );
    expect(names(await found("file", { allow: [`file:${root}/notes.txt`] }))).toEqual([
      `${root}/notes.txt.bak`,
    ]);
    expect(await found("file", { allow: [`file:${root}/notes.*`] })).toEqual([]);
    expect(names(await found("file", { allow: [`file:${root}/notesXtxt`, "container:*"] }))).toHaveLength(2);
  });

  test("a part that cannot be checked says why, and hides no other", async () => {
    await host.sh(
      `mkdir -p ${root}/data && touch ${root}/by-hand && systemctl stop docker.socket docker.service`,
    );
    const all = await parts().finally(() => host.sh("systemctl start docker.service"));
    expect(all.find(({ kind }) => kind === "container")?.unchecked).toMatch(/list the containers failed/);
    expect(names(all.find(({ kind }) => kind === "file")?.found ?? [])).toEqual([`${root}/by-hand`]);
  });
});

test("an update passes over it: nothing on the host is changed, and no earlier reading is lost", async () => {
  const inputs = declared();
  const old = { inputs, outputs: { parts: [{ kind: "file", found: [] }] } };
  const updated = await unmanaged.update(host.root, "unmanaged", old, inputs);
  expect(updated.parts).toEqual(old.outputs.parts);
  expect(await unmanaged.remove(host.root, "unmanaged", old)).toBeUndefined();
});
