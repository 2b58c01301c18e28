import type { ContainerFact, EntryFact, HostFacts } from "../../../adopt/facts.ts";
import { cronLinesOf } from "../../../adopt/read/jobs.ts";
import { LISTING_END } from "../../../contract/harmful-jobs.ts";
import { defaultCaches, privateRegistry } from "../../../contract/registries.ts";
import { CERTIFICATE } from "../program-stack/tls.ts";
import { formerCrontab, formerFiles } from "./files.ts";

/** Digests of the images whose tags move. */
export const movingDigests = { nginx: `sha256:${"a".repeat(64)}`, ui: `sha256:${"b".repeat(64)}` };

const root = "/opt/registry";
const crontab = "/var/spool/cron/crontabs/root";
const names = [...defaultCaches.map(({ name }) => name), privateRegistry];
const account = { username: "mirror", password: "(hidden)" };
const files = formerFiles({ hostname: "registry.example.com", account });

function entry(path: string, type = "f", mode = "0644"): EntryFact {
  return { path: `${root}/${path}`, type, mode, owner: "root", sizeBytes: 100 };
}

function container(
  name: string,
  service: string,
  image: string,
  more: Partial<ContainerFact>,
): ContainerFact {
  return {
    name,
    image,
    imageId: `id of ${image}`,
    state: "running",
    labels: { "com.docker.compose.project": "registry", "com.docker.compose.service": service },
    mounts: [],
    ports: [],
    isReadOnly: false,
    droppedCapabilities: [],
    memoryBytes: 0,
    networks: ["registry_registry"],
    environment: {},
    ...more,
  };
}

const mount = (source: string, target: string, isReadOnly = true) => ({
  source: `${root}/${source}`,
  target,
  isReadOnly,
});

function registry(name: string): ContainerFact {
  const id = `registry-${name}`;
  return container(id, id, "registry:2.8.3", {
    ports: name === "dockerhub" ? ["5001:5001"] : [],
    mounts: [
      mount(`data/${name}`, "/var/lib/registry", false),
      mount(`config-${name}.yml`, "/etc/docker/registry/config.yml"),
      ...(name === privateRegistry ? [mount("htpasswd", "/auth/htpasswd")] : []),
    ],
  });
}

/** What is read of a VM that the former deployment laid out. */
export const formerFacts: HostFacts = {
  directory: root,
  dataMount: undefined,
  system: {
    os: "Ubuntu 24.04.2 LTS",
    hostname: "docker-registry",
    timeZone: "UTC",
    engine: "28.1.1",
    compose: "2.35.1",
  },
  entries: [
    ...["docker-compose.yml", "nginx.conf", ...names.map((name) => `config-${name}.yml`)].map((path) =>
      entry(path),
    ),
    ...["cleanup-tags.sh", "fix-broken-blobs.sh"].map((path) => entry(path, "f", "0755")),
    entry("htpasswd"),
    entry("tls", "d", "0755"),
    entry("tls/fullchain.pem"),
    entry("tls/privkey.pem", "f", "0600"),
    entry("data", "d", "0755"),
    ...names.map((name) => entry(`data/${name}`, "d", "0755")),
    entry("data/private/_breakglass", "d", "0755"),
  ],
  texts: new Map(Object.entries(files).filter(([path]) => /\.(yml|conf)$/.test(path))),
  users: new Map([[`${root}/htpasswd`, ["builder"]]]),
  certificates: new Map([[`${root}/tls/fullchain.pem`, CERTIFICATE]]),
  containers: [
    ...names.map(registry),
    container("registry-nginx", "nginx", "nginx:alpine", {
      ports: ["5000:5000", "5010:5010", "5020:5020", "5030:5030", "5040:5040", "5050:5050"],
      mounts: [
        mount("nginx.conf", "/etc/nginx/nginx.conf"),
        mount("tls", "/etc/nginx/tls"),
        { source: "registry_nginx-cache", target: "/var/cache/nginx", isReadOnly: false },
      ],
    }),
    container("registry-ui", "registry-ui", "joxit/docker-registry-ui:latest", {
      ports: ["8080:80"],
      environment: {
        NGINX_PROXY_PASS_URL: "http://registry-dockerhub:5000",
        DELETE_IMAGES: "true",
        SINGLE_REGISTRY: "true",
        REGISTRY_TITLE: "example.com",
      },
    }),
  ],
  images: [
    { id: "id of registry:2.8.3", tags: ["registry:2.8.3"], digests: [`registry@sha256:${"c".repeat(64)}`] },
    { id: "id of nginx:alpine", tags: ["nginx:alpine"], digests: [`nginx@${movingDigests.nginx}`] },
    {
      id: "id of joxit/docker-registry-ui:latest",
      tags: ["joxit/docker-registry-ui:latest"],
      digests: [`joxit/docker-registry-ui@${movingDigests.ui}`],
    },
  ],
  cronLines: cronLinesOf(
    Buffer.from(
      `${formerCrontab
        .trimEnd()
        .split("\n")
        .map((line, at) => `${crontab}\0${at + 1}:${line}\n`)
        .join("")}${LISTING_END}\n`,
    ),
  ),
  otherJobs: [],
  units: [
    {
      name: "docker-compose-registry.service",
      text: files["/etc/systemd/system/docker-compose-registry.service"] ?? "",
      isEnabled: true,
      isActive: true,
    },
  ],
  timers: ["fstrim.timer", "apt-daily.timer"],
  ports: [
    { port: 22, program: "sshd" },
    ...[5000, 5001, 5010, 5020, 5030, 5040, 5050, 8080].map((port) => ({ port, program: "docker-proxy" })),
  ],
  dns: { servers: ["1.1.1.1", "8.8.8.8"], searchDomains: ["example.lan"], files: ["/etc/resolv.conf"] },
};
