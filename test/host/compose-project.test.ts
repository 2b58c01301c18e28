import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pinnedImages } from "../../contract/images.ts";
import { composeProject } from "../../provider/kinds/compose-project.ts";
import type { Bag } from "../../provider/kinds/kind.ts";
import { HostPlugin } from "../../provider/plugin.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const file = "/srv/compose-test/docker-compose.yml";
const image = pinnedImages.registry;
const otherImage = pinnedImages.nginx;

/** A compose file of services that sleep, each with its revision label. */
function composeFile(revisions: Record<string, string>, command = "sleep 1000"): string {
  const services = Object.entries(revisions).map(
    ([name, revision]) => `  ${name}:
    image: ${image}
    container_name: test-${name}
    entrypoint: ["/bin/sh", "-c", "trap 'exit 0' TERM; ${command} & wait"]
    restart: always
    labels: { regwarden.revision: "${revision}" }
    healthcheck: { test: ["CMD", "true"], interval: 30s, start_period: 10s, start_interval: 1s }
`,
  );
  return `services:\n${services.join("")}`;
}

/** Inputs as the engine passes them: through the provider's own check. */
function declare(revisions: Record<string, string>) {
  const services = Object.fromEntries(
    Object.entries(revisions).map(([name, revision]) => [
      name,
      { container: `test-${name}`, image, revision },
    ]),
  );
  const plugin = new HostPlugin({ "host:index:ComposeProject": composeProject });
  const news = { project: "compose-test", file, services, dependents: ["proxy"], waitTimeoutSeconds: 60 };
  const { inputs, failures } = plugin.check("host:index:ComposeProject", news);
  expect(failures).toEqual([]);
  return inputs as unknown as Parameters<typeof composeProject.create>[1];
}

const revisions = { quay: "1", ghcr: "1", proxy: "1" };
const writeFile = (content: string) =>
  host.sh(`mkdir -p /srv/compose-test && cat >${file} <<'END'\n${content}END\n`);
const containerIds = async () =>
  (await host.sh("docker inspect -f '{{.Id}}' test-quay test-ghcr test-proxy")).split("\n");
const incarnations = async () =>
  (await host.sh("docker inspect -f '{{.Id}} {{.State.StartedAt}}' test-quay test-ghcr test-proxy")).split(
    "\n",
  );
const deployed = async () => ({ inputs: declare(revisions), outputs: await created });
let created: Promise<Bag>;

const read = async () => (await composeProject.read(host.root, "compose-test", await deployed()))?.inputs;
const heal = async () => {
  const old = await deployed();
  const found = await read();
  created = composeProject.update(
    host.root,
    "compose-test",
    { ...old, inputs: found ?? old.inputs },
    old.inputs,
  );
  await created;
  expect(await read()).toEqual(old.inputs);
};

const cleanUp = () =>
  host
    .sh(
      "docker ps -aq --filter name=test- | xargs -r docker rm -f >/dev/null; docker network rm compose-test_default 2>/dev/null; rm -rf /srv/compose-test; docker rmi registry.invalid/none:1.0.0 2>/dev/null",
    )
    .catch(() => "");

beforeAll(async () => {
  host = await testHost({ images: true });
});
beforeEach(async () => {
  await cleanUp();
  await writeFile(composeFile(revisions));
  created = composeProject.create(host.root, declare(revisions)).then(({ outputs }) => outputs);
  await created;
});
afterAll(cleanUp);

describe("a compose project", () => {
  test("is up and healthy after its creation, and reads back as declared", async () => {
    expect(await read()).toEqual(declare(revisions));
  });

  test("is imported as it runs: what has the same definition is neither recreated nor restarted", async () => {
    const imported = await composeProject.read(host.root, "compose-test", {});
    const before = await incarnations();
    if (imported === undefined) throw new Error("nothing was found");
    const wanted = declare(revisions);
    const plugin = new HostPlugin({ "host:index:ComposeProject": composeProject });
    const differences = (inputs: object) => [
      ...plugin.diff("host:index:ComposeProject", imported.inputs as never, inputs as never).changes.keys(),
    ];
    expect(differences(wanted)).toEqual([]);
    expect(differences(declare({ ...revisions, ghcr: "2" }))).toEqual(["services.ghcr.revision"]);
    await composeProject.update(host.root, "compose-test", imported, wanted);
    expect(await incarnations()).toEqual(before);
  });

  test("shows a stopped, a paused and a missing service by name, and heals them", async () => {
    await host.sh("docker stop test-quay; docker pause test-proxy; docker rm -f test-ghcr");
    const services = (await read())?.services;
    expect(services?.quay).toMatchObject({ state: "exited" });
    expect(services?.proxy).toMatchObject({ state: "paused" });
    expect(services?.ghcr).toBeUndefined();
    await heal();
  });

  test("shows a container that was recreated by hand from another image, and heals it without losing that container", async () => {
    await host.sh(
      `docker rm -f test-ghcr && docker run -d --name test-ghcr --entrypoint sleep ${otherImage} 1000`,
    );
    expect((await read())?.services.ghcr).toMatchObject({
      image: expect.stringContaining(otherImage),
      revision: "(none)",
      definition: "not made by this project",
    });
    await heal();
    expect(await host.sh("docker ps -a --filter name=test-ghcr.displaced --format '{{.State}}'")).toBe(
      "exited",
    );
  });

  test("shows that a pinned name was given to another image, and gives it its meaning back", async () => {
    await host.sh(
      `docker tag ${image} kept:1 && docker tag ${otherImage} ${image} && docker compose -f ${file} -p compose-test up -d`,
    );
    expect((await read())?.services.quay?.image).toMatch(
      /registry:2\.8\.3 \(image sha256:.*, deployed sha256:/,
    );
    await heal();
    expect(
      await host.sh(
        `docker image inspect -f '{{.Id}}' ${image} kept:1 | uniq | wc -l; docker rmi kept:1 >/dev/null`,
      ),
    ).toBe("1");
  });

  test("shows a container that was recreated from an edited file, also after the file is healed", async () => {
    await writeFile(composeFile(revisions, "sleep 2000"));
    await host.sh(`docker compose -f ${file} -p compose-test up -d`);
    await writeFile(composeFile(revisions));
    expect((await read())?.services.quay?.definition).toContain("another definition");
    await heal();
  });

  test("shows a foreign container of the project, and takes it away as an orphan", async () => {
    const orphan = `${composeFile(revisions)}${composeFile({ extra: "1" }).replace("services:\n", "")}`;
    await writeFile(orphan);
    await host.sh(`docker compose -f ${file} -p compose-test up -d`);
    await writeFile(composeFile(revisions));
    expect((await read())?.services["test-extra (foreign)"]).toMatchObject({ definition: "foreign" });
    await heal();
  });

  test("shows a container that still sees a file that was replaced, and restarts that one", async () => {
    await host.sh("echo good >/srv/compose-test/conf");
    await writeFile(
      composeFile(revisions).replace(
        "    restart: always\n",
        "    restart: always\n    volumes: [/srv/compose-test/conf:/conf:ro]\n",
      ),
    );
    created = composeProject.update(host.root, "compose-test", await deployed(), declare(revisions));
    await created;
    const [quay, ...others] = await incarnations();
    await host.sh("echo good >/srv/compose-test/next && mv /srv/compose-test/next /srv/compose-test/conf");
    expect((await read())?.services.quay?.staleMounts).toEqual(["/srv/compose-test/conf"]);
    await heal();
    const [newQuay, ...newOthers] = await incarnations();
    expect(newQuay).not.toBe(quay);
    expect(newOthers).toEqual(others);
  });

  test("restarts a service whose mounted files were written while it ran", async () => {
    const [quay, ...others] = await incarnations();
    const old = await deployed();
    const next = declare(revisions);
    if (next.services.quay) next.services.quay.mounted = ["2026-11-21T00:00:00Z"];
    expect(composeProject.preview(next, old).bounce).not.toBe(old.outputs.bounce);
    await composeProject.update(host.root, "compose-test", old, next);
    const [newQuay, ...newOthers] = await incarnations();
    expect(newQuay).not.toBe(quay);
    expect(newOthers).toEqual(others);
  });

  test("recreates the one service whose revision changed, nothing else, and calls that a bounce", async () => {
    const [quay, ghcr, proxy] = await containerIds();
    const next = { ...revisions, quay: "2" };
    await writeFile(composeFile(next));
    const old = await deployed();
    expect(composeProject.preview(declare(next), old).bounce).not.toBe(old.outputs.bounce);
    const outputs = await composeProject.update(host.root, "compose-test", old, declare(next));
    const [newQuay, newGhcr, newProxy] = await containerIds();
    expect([newGhcr, newProxy]).toEqual([ghcr, proxy]);
    expect(newQuay).not.toBe(quay);
    expect(outputs.bounce).not.toBe(old.outputs.bounce);
  });

  test("does not call the recreation of a dependent a bounce", async () => {
    const next = { ...revisions, proxy: "2" };
    await writeFile(composeFile(next));
    const old = await deployed();
    expect(composeProject.preview(declare(next), old).bounce).toBe(old.outputs.bounce);
    const outputs = await composeProject.update(host.root, "compose-test", old, declare(next));
    expect(outputs.bounce).toBe(old.outputs.bounce);
  });

  test("takes up a new password file at once, while another service does not get healthy", async () => {
    await host.sh("echo old >/srv/compose-test/conf");
    const withFile = (text: string) =>
      text.replace(
        "    restart: always\n",
        "    restart: always\n    volumes: [/srv/compose-test/conf:/conf:ro]\n",
      );
    await writeFile(withFile(composeFile(revisions)));
    created = composeProject.update(host.root, "compose-test", await deployed(), declare(revisions));
    await created;
    await host.sh("echo new >/srv/compose-test/next && mv /srv/compose-test/next /srv/compose-test/conf");
    const next = { ...revisions, ghcr: "2" };
    const text = composeFile(next).replace(/(test-ghcr\n.*?)sleep 1000/s, "$1exit 3");
    await writeFile(withFile(text));
    const update = composeProject.update(host.root, "compose-test", await deployed(), {
      ...declare(next),
      waitTimeoutSeconds: 5,
    });
    await expect(update).rejects.toThrow(/test-ghcr is /);
    expect(await host.sh("docker exec test-quay cat /conf")).toBe("new");
  });

  test("that is not healthy at its creation is recorded as partly created, is drift, and can be removed", async () => {
    await composeProject.remove(host.root, "compose-test", await deployed());
    await writeFile(
      composeFile(revisions).replace("sleep 1000", "echo 'panic: no remote'; echo goroutine 1; exit 2"),
    );
    const inputs = { ...declare(revisions), waitTimeoutSeconds: 5 };
    const failure = await composeProject.create(host.root, inputs).catch((error: unknown) => error);
    expect(failure).toMatchObject({ id: "compose-test", outputs: { isIncomplete: true } });
    expect(String(failure)).toMatch(/test-quay is \w+.*: panic: no remote/);
    expect(String(failure)).not.toContain("goroutine 1");
    const { outputs } = failure as { outputs: Bag };
    const found = await composeProject.read(host.root, "compose-test", { inputs, outputs });
    expect(found?.inputs.services.ghcr?.definition).toBe("of a deployment that failed");
    await composeProject.remove(host.root, "compose-test", { inputs, outputs });
    expect(await host.sh("docker ps -aq --filter name=test- | wc -l")).toBe("0");
  });

  test("is not started while data that it serves is not in place", async () => {
    const data = [{ path: "/srv/compose-test/data", name: "compose-test" }];
    const inputs = { ...declare(revisions), data };
    const before = await containerIds();
    await expect(composeProject.update(host.root, "compose-test", await deployed(), inputs)).rejects.toThrow(
      /the data of compose-test is not where it was: .* is gone/,
    );
    await expect(composeProject.create(host.root, inputs)).rejects.toMatchObject({ code: "E_DATA" });
    expect(await containerIds()).toEqual(before);
  });

  test("that does not get healthy fails with the service, its state and its last lines, and holds clients no longer", async () => {
    const [before] = await containerIds();
    await writeFile(composeFile({ ...revisions, quay: "2" }, "echo cannot open config; exit 3"));
    const log = "docker inspect -f '{{.Id}}' test-quay >>/srv/compose-test/held";
    const update = composeProject.update(host.root, "compose-test", await deployed(), {
      ...declare({ ...revisions, quay: "2" }),
      waitTimeoutSeconds: 5,
      hold: { begin: log, end: log },
    });
    await expect(update).rejects.toThrow(/test-quay is .*\n\s+cannot open config/s);
    const [after] = await containerIds();
    expect((await host.sh("cat /srv/compose-test/held")).trim().split("\n")).toEqual([before, after]);
    expect(after).not.toBe(before);
  });

  test("with an image that cannot be had names the image and what to do, and changes nothing", async () => {
    const before = await containerIds();
    const services = { ...declare(revisions).services };
    const missing = { container: "test-quay", image: "registry.invalid/none:1.0.0", revision: "1" };
    await writeFile(composeFile(revisions).replace(image, missing.image));
    const inputs = {
      ...declare(revisions),
      services: { ...services, quay: { ...services.quay, ...missing } },
    } as never;
    await expect(composeProject.update(host.root, "compose-test", await deployed(), inputs)).rejects.toThrow(
      /image registry\.invalid\/none:1\.0\.0 is not on the host and could not be pulled; load it/,
    );
    expect(await containerIds()).toEqual(before);
  });

  test("that cannot be checked because the engine is down is an error, not a missing project", async () => {
    await host.sh("systemctl stop docker.socket docker.service");
    await expect(read()).rejects.toThrow(/Docker daemon/);
    await host.sh("systemctl start docker.service");
  });

  test("leaves nothing of its containers when it is removed, and the file as it is", async () => {
    await composeProject.remove(host.root, "compose-test", await deployed());
    expect(
      await host.sh("docker ps -aq --filter label=com.docker.compose.project=compose-test | wc -l"),
    ).toBe("0");
    expect(await read()).toBeUndefined();
    expect(await host.sh(`test -f ${file} && echo there`)).toBe("there");
  });
});
