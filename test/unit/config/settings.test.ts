import { describe, expect, test } from "vitest";
import { faultsText } from "../../../config/faults.ts";
import { registryWarnings } from "../../../config/registry.ts";
import { parseSettings } from "../../../config/settings.ts";
import { faultsOf, type Raw } from "../../support/program-stack/faults.ts";
import {
  CACHE_PASSWORD,
  HOST_KEY,
  RAW_CONFIG,
  REGISTRY_USER,
  SECRET_TEXTS,
  WITH_CACHE_ACCOUNT,
} from "../../support/program-stack/raw-config.ts";
import { OTHER_PRIVATE_KEY } from "../../support/program-stack/tls.ts";

const json = JSON.stringify;
const host = (part: object) => json({ ...JSON.parse(RAW_CONFIG.host ?? ""), ...part });
const noTls = { tlsCertificate: undefined, tlsPrivateKey: undefined };
const onHost = { certificate: "/etc/tls/fullchain.pem", privateKey: "/etc/tls/privkey.pem" };
const pve = {
  name: "proxmox",
  address: "192.0.2.10",
  hostKey: HOST_KEY,
  kind: "resolvConf",
  servers: ["192.0.2.1"],
};
const ghcr = { name: "ghcr", port: 5010, remoteUrl: "https://ghcr.io" };

describe("a configuration without fault", () => {
  test("gets every default", () => {
    const parsed = parseSettings(RAW_CONFIG);
    expect(parsed).toMatchObject({
      settings: {
        host: { sshPort: 22, sshUser: "root", directory: "/opt/registry" },
        private: { port: 5050 },
        blobCache: { size: "1Gi", minFree: "2Gi" },
        limits: { registry: { memory: "1Gi", processes: 1024 }, nginx: { memory: "512Mi" } },
        images: { registry: "registry:2.8.3" },
        ui: { enabled: true, port: 8080 },
        metrics: { port: 5001 },
        listenAddress: "0.0.0.0",
        scan: { onCalendar: "*-*-* 02:30:00" },
        secretsSource: "config",
      },
    });
    const caches = "settings" in parsed ? parsed.settings.caches : [];
    expect(caches.map(({ name, port }) => `${name} ${port}`)).toEqual([
      "dockerhub 5000",
      "ghcr 5010",
      "quay 5020",
      "k8s 5030",
      "kyverno 5040",
    ]);
  });

  test("is frozen, and holds no secret", () => {
    const parsed = parseSettings(WITH_CACHE_ACCOUNT);
    if (!("settings" in parsed)) throw new Error(faultsText(parsed.faults));
    expect(Object.isFrozen(parsed.settings.caches[0])).toBe(true);
    for (const secret of SECRET_TEXTS) expect(json(parsed.settings)).not.toContain(secret);
  });

  test("may come without a key, which an SSH agent then holds", () => {
    expect(faultsOf({ sshPrivateKey: undefined }).keys).toEqual([]);
  });

  test("may name the DNS of other hosts, with and without that of the VM", () => {
    expect(faultsOf({ dns: json({ hosts: [pve] }) }).keys).toEqual([]);
    expect(faultsOf({ dns: json({ servers: ["10.0.20.1"], netplan: "eth0", hosts: [pve] }) }).keys).toEqual(
      [],
    );
  });

  test("needs no certificate where the host itself has one", () => {
    expect(faultsOf({ host: host({ tls: onHost }), ...noTls }).keys).toEqual([]);
  });

  test("needs only the certificate from the configuration when the source is Vault, and not even that with a path", () => {
    const vault = { secretsSource: "vault", registryUser: undefined, registryPassword: undefined };
    const bare = { ...vault, host: json({ address: "10.0.20.10" }), sshPrivateKey: undefined };
    expect(faultsOf(bare).keys).toEqual([]);
    const noTls = { ...bare, tlsCertificate: undefined, tlsPrivateKey: undefined };
    expect(faultsOf(noTls).keys).toEqual(["tlsCertificate", "tlsPrivateKey"]);
    expect(faultsOf({ ...noTls, vault: json({ tls: "registry/tls" }) }).keys).toEqual([]);
  });
});

describe("one fault", () => {
  test.each<[string, Raw, string]>([
    ["an unknown key", { hosts: "10.0.20.10" }, "hosts"],
    ["an unknown key inside an object", { host: host({ adress: "a" }) }, "host.adress"],
    ["text that is no object", { private: "5050" }, "private"],
    ["broken JSON", { caches: "[{" }, "caches"],
    [
      "a missing address",
      { host: json({ hostKey: JSON.parse(RAW_CONFIG.host ?? "").hostKey }) },
      "host.address",
    ],
    ["a bad address", { host: host({ address: "10.0.20.300" }) }, "host.address"],
    ["a missing host key", { host: json({ address: "10.0.20.10" }) }, "host.hostKey"],
    [
      "a host key with a name before it",
      { host: host({ hostKey: "10.0.20.10 ssh-ed25519 AAAA" }) },
      "host.hostKey",
    ],
    ["a host key of type ssh-rsa", { host: host({ hostKey: "ssh-rsa AAAAB3NzaC1yc2E=" }) }, "host.hostKey"],
    [
      "break glass copies in a directory of the system",
      { breakGlass: json({ images: ["infra-ci:latest"], directory: "/var/backups" }) },
      "breakGlass.directory",
    ],
    ["a data mount that is relative", { host: host({ dataMount: "data" }) }, "host.dataMount"],
    ["a data mount without the data on it", { host: host({ dataMount: "/srv/other" }) }, "host.dataMount"],
    ["a data mount beside the data", { host: host({ dataMount: "/opt/registry/dat" }) }, "host.dataMount"],
    ["a proxy without host key", { host: host({ proxy: { address: "10.0.20.1" } }) }, "host.proxy.hostKey"],
    [
      "a proxy's bad port",
      { host: host({ proxy: { address: "10.0.20.1", hostKey: HOST_KEY, sshPort: 0 } }) },
      "host.proxy.sshPort",
    ],
    ["a directory that needs quoting", { host: host({ directory: "/opt/my registry" }) }, "host.directory"],
    ["a directory with dots", { host: host({ directory: "/opt/../etc" }) }, "host.directory"],
    ["a relative directory", { host: host({ directory: "registry" }) }, "host.directory"],
    ["a user name with a space", { host: host({ sshUser: "the admin" }) }, "host.sshUser"],
    ["a port that is text", { private: json({ port: "5050" }) }, "private.port"],
    ["a port too high", { private: json({ port: 65_536 }) }, "private.port"],
    ["a port of 0", { metrics: json({ port: 0 }) }, "metrics.port"],
    ["a port that is no whole number", { ui: json({ port: 80.5 }) }, "ui.port"],
    ["the SSH port published", { private: json({ port: 22 }) }, "private.port"],
    ["a port twice", { metrics: json({ port: 5050 }) }, "metrics.port"],
    ["a cache's port twice", { caches: json([ghcr, { ...ghcr, name: "quay" }]) }, "caches[1].port"],
    ["a cache's name twice", { caches: json([ghcr, { ...ghcr, port: 5020 }]) }, "caches[1].name"],
    ["a cache called private", { caches: json([{ ...ghcr, name: "private" }]) }, "caches[0].name"],
    ["a cache's name with a dot", { caches: json([{ ...ghcr, name: "ghcr.io" }]) }, "caches[0].name"],
    [
      "a remote with a path",
      { caches: json([{ ...ghcr, remoteUrl: "https://ghcr.io/v2" }]) },
      "caches[0].remoteUrl",
    ],
    ["a remote without scheme", { caches: json([{ ...ghcr, remoteUrl: "ghcr.io" }]) }, "caches[0].remoteUrl"],
    ["an unknown key in a cache", { caches: json([{ ...ghcr, ttl: 0 }]) }, "caches[0].ttl"],
    [
      "a hostname with a scheme",
      { registry: json({ hostname: "https://registry.example.com" }) },
      "registry.hostname",
    ],
    ["a title for sed", { ui: json({ title: "a~b" }) }, "ui.title"],
    ["an IPv6 listen address", { listenAddress: "::" }, "listenAddress"],
    ["a calendar with a second line", { scan: json({ onCalendar: "daily\nUser=root" }) }, "scan.onCalendar"],
    [
      "a network with bits beyond its length",
      { caches: json([{ ...ghcr, allowFrom: ["10.0.20.1/8"] }]) },
      "caches[0].allowFrom[0]",
    ],
    [
      "an address for a network",
      { caches: json([{ ...ghcr, allowFrom: ["10.0.20.1"] }]) },
      "caches[0].allowFrom[0]",
    ],
    [
      "a network that is too long",
      { caches: json([{ ...ghcr, allowFrom: ["10.0.0.0/33"] }]) },
      "caches[0].allowFrom[0]",
    ],
    ["a cache that answers no client", { caches: json([{ ...ghcr, allowFrom: [] }]) }, "caches[0].allowFrom"],
    ["a size without unit", { blobCache: json({ size: "1000000000" }) }, "blobCache.size"],
    ["a size in powers of ten", { blobCache: json({ minFree: "2G" }) }, "blobCache.minFree"],
    ["memory without unit", { limits: json({ nginx: { memory: "512" } }) }, "limits.nginx.memory"],
    ["a limit for what there is not", { limits: json({ redis: {} }) }, "limits.redis"],
    ["too few processes", { limits: json({ registry: { processes: 1 } }) }, "limits.registry.processes"],
    [
      "a proxy with credentials",
      { host: host({ outboundProxy: { url: "http://a:b@proxy:3128" } }) },
      "host.outboundProxy.url",
    ],
    [
      "a certificate of the host without its key",
      { host: host({ tls: { certificate: "/a.pem" } }) },
      "host.tls.privateKey",
    ],
    [
      "a relative path of a certificate",
      { host: host({ tls: { ...onHost, certificate: "a.pem" } }), ...noTls },
      "host.tls.certificate",
    ],
    ["two sources of the certificate", { host: host({ tls: onHost }) }, "host.tls"],
    [
      "a proxy with a path",
      { host: host({ outboundProxy: { url: "http://proxy:3128/a" } }) },
      "host.outboundProxy.url",
    ],
    [
      "a proxy without scheme",
      { host: host({ outboundProxy: { url: "proxy:3128" } }) },
      "host.outboundProxy.url",
    ],
    [
      "no proxy for two names in one",
      { host: host({ outboundProxy: { url: "http://proxy:3128", noProxy: ["a,b"] } }) },
      "host.outboundProxy.noProxy[0]",
    ],
    [
      "a pulling user with a space",
      { private: json({ pullUser: "a b" }), pullPassword: "c" },
      "private.pullUser",
    ],
    ["a pulling user without password", { private: json({ pullUser: "reader" }) }, "pullPassword"],
    [
      "a pulling user that is the one that pushes",
      { private: json({ pullUser: REGISTRY_USER.toUpperCase() }), pullPassword: "c" },
      "private.pullUser",
    ],
    ["no DNS server", { dns: json({ servers: [] }) }, "dns.servers"],
    ["DNS of no host", { dns: json({}) }, "dns.servers"],
    [
      "search domains of a VM without servers",
      { dns: json({ searchDomains: ["a.lan"], hosts: [pve] }) },
      "dns.servers",
    ],
    ["a device with a slash", { dns: json({ servers: ["10.0.20.1"], netplan: "eth0/1" }) }, "dns.netplan"],
    [
      "a DNS host without host key",
      { dns: json({ hosts: [{ ...pve, hostKey: undefined }] }) },
      "dns.hosts[0].hostKey",
    ],
    [
      "a DNS host that is the VM",
      { dns: json({ hosts: [{ ...pve, address: "10.0.20.10" }] }) },
      "dns.hosts[0].address",
    ],
    [
      "two DNS hosts of one name",
      { dns: json({ hosts: [pve, { ...pve, address: "192.0.2.11" }] }) },
      "dns.hosts[1].name",
    ],
    [
      "a DNS host under two names",
      { dns: json({ hosts: [pve, { ...pve, name: "pve-2" }] }) },
      "dns.hosts[1].address",
    ],
    ["the same DNS server twice", { dns: json({ servers: ["10.0.20.1", "10.0.20.1"] }) }, "dns.servers[1]"],
    [
      "a DNS host's server twice",
      { dns: json({ hosts: [{ ...pve, servers: ["192.0.2.1", "192.0.2.2", "192.0.2.1"] }] }) },
      "dns.hosts[0].servers[2]",
    ],
    ["a DNS server by IPv6", { dns: json({ servers: ["2606:4700:4700::1111"] }) }, "dns.servers[0]"],
    [
      "a DNS host of another kind",
      { dns: json({ hosts: [{ ...pve, kind: "dnsmasq" }] }) },
      "dns.hosts[0].kind",
    ],
    [
      "netplan without resolved",
      { dns: json({ hosts: [{ ...pve, netplan: "eth0" }] }) },
      "dns.hosts[0].netplan",
    ],
    [
      "more servers than the C library reads",
      { dns: json({ hosts: [{ ...pve, servers: ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] }] }) },
      "dns.hosts[0].servers",
    ],
    [
      "a scheduled job that is allowed",
      { drift: json({ allow: ["job:/etc/cron.d/gc:1"] }) },
      "drift.allow[0]",
    ],
    ["an allowed thing without a kind", { drift: json({ allow: ["/opt/registry/x"] }) }, "drift.allow[0]"],
    ["a DNS server by name", { dns: json({ servers: ["10.0.20.1", "dns.lan"] }) }, "dns.servers[1]"],
    ["another source of secrets", { secretsSource: "env" }, "secretsSource"],
    ["a Vault path with a slash before it", { vault: json({ sshKey: "/a" }) }, "vault.sshKey"],
    ["no user", { registryUser: undefined }, "registryUser"],
    ["a user with a colon", { registryUser: "a:b" }, "registryUser"],
    ["an empty password", { registryPassword: "" }, "registryPassword"],
    ["a password that bcrypt cuts", { registryPassword: "ä".repeat(37) }, "registryPassword"],
    ["a password with a line end", { registryPassword: "secret\n" }, "registryPassword"],
    ["no certificate", { tlsCertificate: undefined }, "tlsCertificate"],
    ["a certificate that is none", { tlsCertificate: "fullchain.pem" }, "tlsCertificate"],
    ["a private key that is none", { tlsPrivateKey: "privkey.pem" }, "tlsPrivateKey"],
    ["the key of another certificate", { tlsPrivateKey: OTHER_PRIVATE_KEY }, "tlsPrivateKey"],
    [
      "a certificate for another name",
      { registry: json({ hostname: "docker.example.com" }) },
      "tlsPrivateKey",
    ],
    ["an SSH key that is none", { sshPrivateKey: "id_ed25519" }, "sshPrivateKey"],
    ["an authority that is none", { tlsAuthority: "ca.pem" }, "tlsAuthority"],
  ])("is reported with its key: %s", (_, change, key) => {
    expect(faultsOf(change).keys).toEqual([key]);
  });

  const jwt = { audiences: ["vault"], claims: ["sub=a"] };
  const kubernetes = { serviceAccounts: ["ci"], namespaces: ["ci"] };
  const policy = "regwarden";
  test.each<[string, object, string]>([
    ["a role without policy", { ciRole: { jwt } }, "vault.policy"],
    ["a role without method", { policy, ciRole: {} }, "vault.ciRole"],
    ["a role of two methods", { policy, ciRole: { jwt, kubernetes } }, "vault.ciRole"],
    ["a policy of Vault's own", { policy: "root" }, "vault.policy"],
    ["a policy that would be written in lower case", { policy: "Regwarden" }, "vault.policy"],
    [
      "tokens of any audience",
      { policy, ciRole: { jwt: { ...jwt, audiences: [] } } },
      "vault.ciRole.jwt.audiences",
    ],
    ["tokens of any project", { policy, ciRole: { jwt: { ...jwt, claims: [] } } }, "vault.ciRole.jwt.claims"],
    [
      "two values of one claim",
      { policy, ciRole: { jwt: { ...jwt, claims: ["ref=a", "ref=b"] } } },
      "vault.ciRole.jwt.claims",
    ],
    [
      "a claim without value",
      { policy, ciRole: { jwt: { ...jwt, claims: ["ref="] } } },
      "vault.ciRole.jwt.claims[0]",
    ],
    [
      "any service account",
      { policy, ciRole: { kubernetes: { ...kubernetes, serviceAccounts: ["*"] } } },
      "vault.ciRole.kubernetes.serviceAccounts[0]",
    ],
    [
      "no namespace",
      { policy, ciRole: { kubernetes: { ...kubernetes, namespaces: [] } } },
      "vault.ciRole.kubernetes.namespaces",
    ],
    [
      "a token that lives for days",
      { policy, ciRole: { jwt, tokenMinutes: 1441 } },
      "vault.ciRole.tokenMinutes",
    ],
  ])("of what is made in Vault is reported with its key: %s", (_, vault, key) => {
    expect(faultsOf({ secretsSource: "vault", vault: json(vault) }).keys).toEqual([key]);
  });

  test.each([
    "registry",
    "registry:latest",
    "registry:2",
    "nginx:1.28",
    "nginx:alpine",
    "nginx:stable",
    "a.b:5000/nginx",
    "nginx@sha256:12",
  ])("is an image that can move: %s", (image) => {
    expect(faultsOf({ images: json({ nginx: image }) }).keys).toEqual(["images.nginx"]);
  });

  test.each([
    "nginx:1.28.0",
    "a.b:5000/c/nginx:v1.28.0-alpine3.21",
    `nginx@sha256:${"0a".repeat(32)}`,
    `nginx:stable@sha256:${"0a".repeat(32)}`,
  ])("is no image that is pinned: %s", (image) => {
    expect(faultsOf({ images: json({ nginx: image }) }).keys).toEqual([]);
  });

  test.each<[string, Raw, string]>([
    ["a missing password", { cachePasswords: undefined }, "cachePasswords.dockerhub"],
    [
      "the password of no cache",
      { cachePasswords: json({ dockerhub: "a", gcr: "b" }) },
      "cachePasswords.gcr",
    ],
    [
      "the password of a cache without account",
      { cachePasswords: json({ dockerhub: "a", ghcr: "b" }) },
      "cachePasswords.ghcr",
    ],
    ["passwords that are no object", { cachePasswords: CACHE_PASSWORD }, "cachePasswords"],
    ["a password that is a number", { cachePasswords: json({ dockerhub: 7421 }) }, "cachePasswords"],
    [
      "a password that only a Vault which is not asked would have",
      { cachePasswords: undefined, vault: json({ cachePasswords: "infra" }) },
      "cachePasswords.dockerhub",
    ],
    ["an empty password", { cachePasswords: json({ dockerhub: "" }) }, "cachePasswords.dockerhub"],
  ])("of a cache's account is reported with its key: %s", (_, change, key) => {
    expect(faultsOf(change, WITH_CACHE_ACCOUNT).keys).toEqual([key]);
  });
});

describe("what is allowed and hardly ever meant", () => {
  const warningsOf = (changes: Raw) => {
    const raw = Object.entries({ ...WITH_CACHE_ACCOUNT, ...changes }).filter(
      ([, value]) => value !== undefined,
    );
    const parsed = parseSettings(Object.fromEntries(raw) as Record<string, string>);
    if (!("settings" in parsed)) throw new Error(faultsText(parsed.faults));
    return registryWarnings(parsed.settings);
  };

  test("is a cache that lets every client use its account", () => {
    const [{ allowFrom: _, ...open }] = JSON.parse(WITH_CACHE_ACCOUNT.caches ?? "");
    const warnings = warningsOf({ caches: json([open]) });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("regwarden:caches[0].allowFrom");
  });

  test("is no cache that names the networks that it answers", () => {
    expect(warningsOf({})).toEqual([]);
  });
});
