import { CLUSTER_RULES } from "./cluster-rules.ts";

/** What a key must hold, in words, with a value that would do. */
export interface Rule {
  readonly rule: string;
  readonly example: string;
}

const port: Rule = { rule: "a TCP port: a whole number from 1 to 65535", example: "5050" };
const image: Rule = {
  rule: "an image reference that cannot move: a tag with a full x.y.z version, or an @sha256: digest",
  example: "registry:2.8.3",
};
const vaultPath: Rule = {
  rule: "a path below the mount, without leading or trailing slash",
  example: "woodpecker/registry_ssh_key",
};

/** By key; `[]` stands for any position in a list. */
export const RULES: Readonly<Record<string, Rule>> = {
  host: { rule: "an object", example: '{"address": "10.0.20.10"}' },
  "host.address": { rule: "the DNS name or IPv4 address of the VM", example: "10.0.20.10" },
  "host.sshPort": { ...port, example: "22" },
  "host.sshUser": { rule: "a Unix user name; anybody but root needs passwordless sudo", example: "root" },
  "host.hostKey": {
    rule: "the VM's public host key, `TYPE BASE64`, compared with what the VM itself shows",
    example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...",
  },
  "host.agentSocketPath": {
    rule: "the absolute path of an SSH agent's socket",
    example: "/run/user/1000/agent",
  },
  "host.directory": {
    rule: "an absolute path of plain letters, digits, dots, dashes and underscores, without trailing slash",
    example: "/opt/registry",
  },
  registry: { rule: "an object", example: '{"hostname": "registry.example.com"}' },
  "registry.hostname": { rule: "the registry's DNS name, in lower case", example: "registry.example.com" },
  private: { rule: "an object", example: '{"port": 5050}' },
  "private.port": port,
  caches: {
    rule: "a list of objects",
    example: '[{"name": "ghcr", "port": 5010, "remoteUrl": "https://ghcr.io"}]',
  },
  "caches[]": {
    rule: "an object",
    example: '{"name": "ghcr", "port": 5010, "remoteUrl": "https://ghcr.io"}',
  },
  "caches[].name": { rule: "a DNS label, other than private, nginx, ui and scan", example: "ghcr" },
  "caches[].port": { ...port, example: "5010" },
  "caches[].remoteUrl": {
    rule: "the remote registry's URL: http or https, no path, no trailing slash, no credentials",
    example: "https://ghcr.io",
  },
  "caches[].username": { rule: "the account at the remote registry", example: "octocat" },
  images: { rule: "an object", example: '{"registry": "registry:2.8.3"}' },
  "images.registry": image,
  "images.nginx": { ...image, example: "nginx:1.28.0-alpine" },
  "images.ui": { ...image, example: "joxit/docker-registry-ui:2.5.7" },
  "images.node": { ...image, example: "node:24.21.0-bookworm-slim" },
  ui: { rule: "an object", example: '{"enabled": true, "port": 8080}' },
  "ui.enabled": { rule: "true or false", example: "true" },
  "ui.port": { ...port, example: "8080" },
  "ui.title": { rule: "letters, digits, spaces and . , : ( ) - only", example: "Docker registry" },
  metrics: { rule: "an object", example: '{"port": 5001}' },
  "metrics.port": { ...port, example: "5001" },
  listenAddress: { rule: "an IPv4 address of the VM; 0.0.0.0 means all of them", example: "0.0.0.0" },
  scan: { rule: "an object", example: '{"onCalendar": "*-*-* 02:30:00"}' },
  "scan.onCalendar": { rule: "a calendar expression of systemd", example: "*-*-* 02:30:00" },
  dns: { rule: "an object", example: '{"servers": ["10.0.20.1", "94.140.14.14"]}' },
  "dns.servers": { rule: "at least one IPv4 address", example: '["10.0.20.1", "94.140.14.14"]' },
  "dns.servers[]": { rule: "an IPv4 address", example: "10.0.20.1" },
  "dns.searchDomains": { rule: "a list of DNS names", example: '["example.lan"]' },
  "dns.searchDomains[]": { rule: "a DNS name, in lower case", example: "example.lan" },
  secretsSource: { rule: "where the secrets come from: config or vault", example: "config" },
  vault: { rule: "an object", example: '{"mount": "secret"}' },
  "vault.address": { rule: "the URL of Vault, without path", example: "https://vault.example.com:8200" },
  "vault.mount": { rule: "the mount of a KV version 2 engine", example: "secret" },
  "vault.sshKey": vaultPath,
  "vault.account": { ...vaultPath, example: "viktor" },
  "vault.tls": { ...vaultPath, example: "registry/tls" },
  "vault.cachePasswords": { ...vaultPath, example: "infra" },
  "vault.driveSync": { ...vaultPath, example: "drive-sync" },
  ...CLUSTER_RULES,
};
