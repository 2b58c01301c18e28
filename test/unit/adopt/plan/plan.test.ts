import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { ContainerFact, HostFacts } from "../../../../adopt/facts.ts";
import { type AdoptionPlan, planAdoption } from "../../../../adopt/plan/plan.ts";
import { composeServices } from "../../../../components/host/render/compose.ts";
import { cacheConfig, privateConfig } from "../../../../components/host/render/registry-config.ts";
import { sha256 } from "../../../../components/host/render/revision.ts";
import { registrySettings } from "../../../../config/registry-settings.ts";
import { settingsSchema } from "../../../../config/settings.ts";
import { revisionLabel } from "../../../../contract/host-names.ts";
import { defaultCaches } from "../../../../contract/registries.ts";
import { formerFacts, movingDigests } from "../../../support/former-vm/facts.ts";
import { HOST_KEY } from "../../../support/program-stack/raw-config.ts";

const target = {
  stack: "home",
  address: "10.0.20.10",
  sshPort: 22,
  sshUser: "root",
  hostKey: HOST_KEY,
  hostname: undefined,
};
const plan = (changes: Partial<HostFacts> = {}) => planAdoption({ ...formerFacts, ...changes }, target);
const changed = (change: (container: ContainerFact) => ContainerFact) =>
  plan({ containers: formerFacts.containers.map(change) });
const of = ({ deviations }: AdoptionPlan, what: RegExp) => deviations.filter((each) => what.test(each.what));

describe("a VM as the former deployment laid it out", () => {
  const former = plan();

  test("is reproduced by a few keys, which the schema takes", () => {
    const { adopt: _, ...values } = former.values;
    expect(values).toEqual({
      host: { address: "10.0.20.10", hostKey: HOST_KEY },
      registry: { hostname: "registry.example.com" },
      caches: defaultCaches.map((cache, at) => ({ ...cache, ...(at === 0 ? { username: "mirror" } : {}) })),
      ui: { title: "example.com" },
    });
    expect(v.safeParse(settingsSchema, former.values).success).toBe(true);
    expect(former.blockers).toEqual([]);
  });

  test("has three ports that are published and that nothing listens on: the caches get them", () => {
    expect(of(former, /^port /).map(({ what, was }) => [what, was])).toEqual([
      ["port 5020, quay", "published, and nothing in nginx listens: connections are reset"],
      ["port 5030, k8s", "published, and nothing in nginx listens: connections are reset"],
      ["port 5040, kyverno", "published, and nothing in nginx listens: connections are reset"],
    ]);
  });

  test("has two tags that move: they are named with the digest that runs", () => {
    expect(of(former, /^image /)).toMatchObject([
      {
        what: "image of registry-nginx",
        was: `nginx:alpine (${movingDigests.nginx})`,
        becomes: "nginx:1.28.0-alpine",
      },
      {
        what: "image of registry-ui",
        was: `joxit/docker-registry-ui:latest (${movingDigests.ui})`,
        becomes: "joxit/docker-registry-ui:2.5.7",
      },
    ]);
  });

  test("has a UI on a cache, without TLS, that deletes", () => {
    expect(of(former, /^UI/).map(({ what, was, becomes }) => [what, was, becomes])).toEqual([
      ["UI on port 8080", "plain HTTP, without an account", "TLS, behind the private registry's account"],
      ["UI's registry", "http://registry-dockerhub:5000", "the private registry"],
      ["UI's deletion of images", "on", "off"],
    ]);
  });

  test("has metrics of one cache only, a limit that limits nothing, a memory of blobs that lies", () => {
    expect(of(former, /http\.debug$/).map(({ what }) => what.split("/config-")[1])).toEqual([
      "private.yml: http.debug",
      "ghcr.yml: http.debug",
      "quay.yml: http.debug",
      "k8s.yml: http.debug",
      "kyverno.yml: http.debug",
    ]);
    expect(of(former, /^metrics/)).toMatchObject([{ was: "/metrics, of registry-dockerhub alone" }]);
    expect(of(former, /maxsize$/)).toMatchObject([{ was: "100GiB", becomes: "left out" }]);
    expect(of(former, /storage\.cache$/)).toHaveLength(1);
  });

  test("has a unit whose restart is an outage", () => {
    expect(of(former, /\.service$/)).toMatchObject([{ what: "docker-compose-registry.service" }]);
  });

  test("has nine cron lines that remove what tags need: all are to be disabled, byte for byte", () => {
    expect(former.jobs.map(({ number }) => number)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { jobs } = former.values.adopt as { jobs: { file: string; line: string }[] };
    expect(jobs[5]).toEqual({
      file: "/var/spool/cron/crontabs/root",
      line: "25 3 * * 0 /usr/bin/docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml >> /var/log/registry-gc.log 2>&1",
    });
    expect(jobs).toHaveLength(9);
  });

  test("keeps no container: each is named with what becomes of it and why", () => {
    expect(former.containers.map(({ name, action }) => [action, name])).toEqual([
      ["recreate", "registry-dockerhub"],
      ["recreate", "registry-ghcr"],
      ["recreate", "registry-quay"],
      ["recreate", "registry-k8s"],
      ["recreate", "registry-kyverno"],
      ["recreate", "registry-private"],
      ["recreate", "registry-nginx"],
      ["put aside", "registry-ui"],
    ]);
    for (const { reasons } of former.containers) expect(reasons).not.toEqual([]);
  });

  test("has things that stay as they are, by name", () => {
    expect(former.unmanaged.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "file /opt/registry/nginx.conf",
      "file /opt/registry/cleanup-tags.sh",
      "file /opt/registry/fix-broken-blobs.sh",
      "file /opt/registry/htpasswd",
      "file /opt/registry/data/private/_breakglass",
      "dns 1.1.1.1, 8.8.8.8",
    ]);
  });

  test("is imported where it is there already, and nothing that holds a secret is", () => {
    const { existing } = former.values.adopt as { existing: string[] };
    expect(existing).toContain("file:/opt/registry/docker-compose.yml");
    expect(existing).toContain("unit:docker-compose-registry.service");
    expect(existing).toContain("image:registry:2.8.3");
    expect(existing).toContain("project:registry");
    expect(
      existing.filter((each) => /dockerhub\.yml|htpasswd|privkey|fullchain|data\/private/.test(each)),
    ).toEqual([]);
    expect(existing.filter((each) => each.includes("nginx/nginx.conf"))).toEqual([]);
  });

  test("needs secrets, each with the command that takes it from where it is", () => {
    const commands = new Map(former.secrets.map(({ key, command }) => [key, command]));
    expect([...commands.keys()]).toEqual([
      "sshPrivateKey",
      "registryUser",
      "registryPassword",
      "tlsCertificate",
      "tlsPrivateKey",
      "cachePasswords.dockerhub",
    ]);
    expect(commands.get("tlsPrivateKey")).toBe(
      'ssh root@10.0.20.10 "cat /opt/registry/tls/privkey.pem" | npx pulumi config set --secret --stack home regwarden:tlsPrivateKey',
    );
  });
});

describe("another VM", () => {
  test("keeps the ports that it has", () => {
    const ported = plan({
      texts: new Map(
        [...formerFacts.texts].map(([path, text]) => [
          path,
          text.replace("listen 5050 ssl", "listen 443 ssl"),
        ]),
      ),
      containers: formerFacts.containers.map((each) =>
        each.name === "registry-nginx"
          ? { ...each, ports: each.ports.map((port) => (port === "5050:5050" ? "5443:443" : port)) }
          : each,
      ),
    });
    expect(ported.values.private).toEqual({ port: 5443 });
  });

  test("keeps a container that the stack has made, of the same definition, and no other", () => {
    const settings = registrySettings(v.parse(settingsSchema, plan().values));
    const registryConfigs = Object.fromEntries([
      ...settings.caches.map((cache) => [cache.name, sha256(cacheConfig(cache))]),
      ["private", sha256(privateConfig())],
    ]);
    const services = composeServices(settings, { registryConfigs });
    const own = changed((each) => {
      const label = services[each.labels["com.docker.compose.service"] ?? ""]?.labels;
      return { ...each, labels: { ...each.labels, ...label } };
    });
    expect(own.containers.map(({ name, action, reasons: [reason] }) => [name, action, reason])).toEqual([
      ["registry-dockerhub", "recreate", expect.stringContaining("its configuration holds a secret")],
      ["registry-ghcr", "keep", undefined],
      ["registry-quay", "keep", undefined],
      ["registry-k8s", "keep", undefined],
      ["registry-kyverno", "keep", undefined],
      ["registry-private", "keep", undefined],
      ["registry-nginx", "keep", undefined],
      ["registry-ui", "put aside", expect.anything()],
    ]);
    const other = changed((each) => ({ ...each, labels: { ...each.labels, [revisionLabel]: "another" } }));
    expect(other.containers.find(({ name }) => name === "registry-ghcr")?.reasons).toEqual([
      "another definition or configuration than this one",
    ]);
  });

  test("with its registry on a version with another collector keeps no such image", () => {
    const three = changed((each) =>
      each.image === "registry:2.8.3" ? { ...each, image: "registry:3.0.0" } : each,
    );
    expect(three.values.images).toBeUndefined();
    expect(of(three, /^image of registry-private|registry-dockerhub/)[0]?.becomes).toBe("registry:2.8.3");
  });

  test("whose images name one version keeps them", () => {
    const pinned = changed((each) => ({
      ...each,
      image: each.image.replace("nginx:alpine", "nginx:1.29.1-alpine"),
    }));
    expect(pinned.values.images).toEqual({ nginx: "nginx:1.29.1-alpine" });
  });

  test("with its private data elsewhere is not ready: data is not moved by an update", () => {
    const elsewhere = changed((each) => ({
      ...each,
      mounts: each.mounts.map((mount) =>
        mount.source === "/opt/registry/data/private" ? { ...mount, source: "/srv/images" } : mount,
      ),
    }));
    expect(elsewhere.blockers).toEqual([expect.stringContaining("the data of private is in /srv/images")]);
  });

  test("with the data on a disk of its own asks for the mount", () => {
    expect(plan({ dataMount: "/opt/registry/data" }).values.host).toMatchObject({
      dataMount: "/opt/registry/data",
    });
  });

  test("without a name in nginx, or with a certificate for another one, is not ready", () => {
    const unnamed = plan({
      texts: new Map(
        [...formerFacts.texts].map(([path, text]) => [path, text.replace(/server_name .*;/, "")]),
      ),
    });
    expect(unnamed.blockers).toEqual([expect.stringContaining("--hostname")]);
    const other = planAdoption(formerFacts, { ...target, hostname: "images.example.org" });
    expect(other.blockers).toEqual([
      expect.stringContaining("no certificate on the host names images.example.org"),
    ]);
  });

  test("with a timer of the administrator's that removes what tags need has its command disabled", () => {
    const job = {
      file: "/etc/systemd/system/registry-gc.service",
      number: 5,
      line: "ExecStart=/usr/bin/docker exec registry-private registry garbage-collect -m /c.yml",
      isOneLine: true,
      harm: "garbage-collect with -m removes the children of tagged indexes",
    };
    const timed = plan({ otherJobs: [job] });
    expect(timed.blockers).toEqual([]);
    const { jobs } = timed.values.adopt as { jobs: { file: string; line: string }[] };
    expect(jobs.at(-1)).toEqual({ file: job.file, line: job.line });
    expect(v.safeParse(settingsSchema, timed.values).success).toBe(true);
  });

  test("with such a command over several lines, or in a script, is not ready: both are named", () => {
    const harm = "garbage-collect with -m removes the children of tagged indexes";
    const job = { number: 2, line: "registry garbage-collect -m", isOneLine: true, harm };
    const { blockers, values } = plan({
      otherJobs: [
        { ...job, file: "/etc/cron.weekly/registry" },
        { ...job, file: "/etc/systemd/system/registry-gc.service", isOneLine: false },
      ],
    });
    expect(blockers).toEqual([
      expect.stringContaining("/etc/cron.weekly/registry:2 is scheduled"),
      expect.stringContaining("/etc/systemd/system/registry-gc.service:2 is scheduled"),
    ]);
    expect((values.adopt as { jobs: unknown[] }).jobs).toHaveLength(9);
  });

  test("whose registry was started by hand, in a volume, names what must be settled", () => {
    const byHand = {
      ...(formerFacts.containers[0] as ContainerFact),
      name: "images",
      image: "registry:2",
      labels: {},
      mounts: [{ source: "images", target: "/var/lib/registry", isReadOnly: false }],
      ports: ["5000:5000"],
      networks: ["bridge"],
    };
    const facts = { ...formerFacts, containers: [byHand], cronLines: [] };
    const { blockers, containers } = planAdoption(facts, { ...target, hostname: "registry.example.com" });
    expect(blockers).toEqual([
      expect.stringContaining("the data of private is in Docker's volume images, and the stack looks"),
      expect.stringContaining("the container images publishes port 5000, which the stack needs"),
    ]);
    expect(containers.map(({ name, action }) => [name, action])).toContainEqual(["registry-private", "make"]);
  });

  test("without any registry is nothing to adopt", () => {
    expect(plan({ containers: [] }).blockers[0]).toContain("no private registry was found");
  });

  test("with a container that the compose project has and the stack has not loses it, which is said", () => {
    const [first] = formerFacts.containers;
    const more = plan({
      containers: [...formerFacts.containers, ...(first ? [{ ...first, name: "registry-mirror" }] : [])],
    });
    expect(more.containers).toContainEqual(
      expect.objectContaining({ name: "registry-mirror", action: "remove" }),
    );
  });
});
