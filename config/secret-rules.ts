import { createPrivateKey, X509Certificate } from "node:crypto";
import { load } from "js-yaml";
import * as v from "valibot";

/**
 * What is wrong with a secret, in words that never hold any of it; undefined when nothing is.
 * The same checks stand at both doors: Pulumi configuration and Vault.
 */
export type SecretCheck = (value: string) => string | undefined;

// bcrypt reads no further: two passwords that differ only after that would be the same.
const BCRYPT_LIMIT_BYTES = 72;

export const checkNotEmpty: SecretCheck = (value) => (value === "" ? "not empty" : undefined);

export const checkRegistryUser: SecretCheck = (value) =>
  /^[^\s:]+$/.test(value) ? undefined : "a user name without spaces and colons, not empty";

export const checkRegistryPassword: SecretCheck = (value) => {
  if (value === "") return "not empty";
  if (/[\r\n\0]/.test(value)) return "one line, without line end";
  return Buffer.byteLength(value) > BCRYPT_LIMIT_BYTES ? `at most ${BCRYPT_LIMIT_BYTES} bytes` : undefined;
};

export const checkCertificate: SecretCheck = (value) =>
  isPem(value, "CERTIFICATE") ? undefined : "PEM text that begins with -----BEGIN CERTIFICATE-----";

export const checkPrivateKey: SecretCheck = (value) =>
  isPem(value, "[A-Z ]*PRIVATE KEY") ? undefined : "PEM text that begins with -----BEGIN PRIVATE KEY-----";

export const checkRcloneConfig: SecretCheck = (value) =>
  /^\[[^\]\n]+\]\s*$/m.test(value) ? undefined : "a configuration of rclone, with a [remote] section";

const named = v.array(v.looseObject({ name: v.string() }));
const kubeconfig = v.looseObject({ clusters: named, contexts: named, users: named });

/** The names of a kubeconfig's contexts; undefined for a text that is no kubeconfig. */
export function kubeconfigContexts(text: string): string[] | undefined {
  try {
    const parsed = v.safeParse(kubeconfig, load(text));
    return parsed.success ? parsed.output.contexts.map(({ name }) => name) : undefined;
  } catch {
    // The cause is dropped on purpose: it quotes what could not be read.
    return undefined;
  }
}

export const checkKubeconfig: SecretCheck = (value) =>
  kubeconfigContexts(value) === undefined
    ? "a kubeconfig: YAML with clusters, contexts and users"
    : undefined;

/** Whether a kubeconfig has the context that is named. */
export function checkContext(value: string, context: string): string | undefined {
  const contexts = kubeconfigContexts(value);
  if (contexts === undefined || contexts.includes(context)) return undefined;
  return `a kubeconfig with the context ${context}; it has ${contexts.join(", ") || "none"}`;
}

/** Whether key, certificate and name belong together: nginx would refuse the first, every client the second. */
export function checkTlsPair(certificate: string, privateKey: string, hostname: string): string | undefined {
  try {
    const leaf = new X509Certificate(certificate);
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) return "the private key of the certificate";
    return leaf.checkHost(hostname) === undefined ? `of a certificate that names ${hostname}` : undefined;
  } catch {
    // The cause is dropped on purpose: OpenSSL's messages may quote what they could not read.
    return "a certificate (leaf first) and private key that OpenSSL can read";
  }
}

function isPem(value: string, label: string): boolean {
  return new RegExp(`^\\s*-----BEGIN ${label}-----\\s[\\s\\S]+-----END ${label}-----\\s*$`).test(value);
}
