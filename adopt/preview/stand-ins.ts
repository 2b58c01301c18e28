import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { RegistrySettings } from "../../components/host/settings.ts";

/** Secrets of a stack's configuration by key, each with or without the namespace's name. */
export type StandIns = Readonly<Record<string, string>>;

/**
 * A value for each secret that the first update needs and `adopt` does not read: a preview says which resources hold
 * one, and never what it is. Valid for this run alone.
 *
 * Errors: throws where there is no openssl.
 */
export async function standIns(
  { hostname, caches }: Pick<RegistrySettings, "hostname" | "caches">,
  sshPrivateKey: string | undefined,
): Promise<StandIns> {
  const word = () => randomBytes(18).toString("base64url");
  const accounts = caches.filter(({ username }) => username !== undefined);
  const passwords = Object.fromEntries(accounts.map(({ name }) => [name, word()]));
  return {
    ...(sshPrivateKey === undefined ? {} : { sshPrivateKey }),
    registryUser: "builder",
    registryPassword: word(),
    ...(await certificateFor(hostname)),
    ...(accounts.length === 0 ? {} : { cachePasswords: JSON.stringify(passwords) }),
  };
}

async function certificateFor(hostname: string): Promise<{ tlsCertificate: string; tlsPrivateKey: string }> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-"];
  const names = ["-subj", "/CN=stand-in", "-addext", `subjectAltName=DNS:${hostname}`];
  const { stdout } = await promisify(execFile)("openssl", ["req", "-x509", ...key, "-days", "1", ...names]);
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`).exec(stdout)?.[0] ?? "";
  return { tlsCertificate: block("CERTIFICATE"), tlsPrivateKey: block("PRIVATE KEY") };
}
