import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readText, replaceDirectory } from "../machine/files.ts";
import { type Addresses, addressesOf, type Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import { type Command, run, type StepOptions } from "../machine/run.ts";

/** Name that clients know the registry by. */
export const registryHostName = "registry.lab.test";

const validDays = 397;
const renewBeforeDays = 30;
const millisecondsOfDay = 86_400_000;

/** A certificate authority of the instance's own and a server certificate, all as PEM text. */
export interface Certificates {
  readonly authorityFile: string;
  readonly authority: string;
  /** Server certificate, then the authority. */
  readonly chain: string;
  readonly privateKey: string;
}

/** Every name and address that clients may reach the registry by. */
export function alternativeNames(addresses: Addresses): string[] {
  return [
    `DNS:${registryHostName}`,
    `IP Address:${addresses.address}`,
    "IP Address:127.0.0.1",
    `IP Address:${addresses.hostIp}`,
  ];
}

/** Whether a server certificate must be made again: near its end, unreadable, or for other names. */
export function needsRenewal(pem: string | undefined, names: readonly string[], now: Date): boolean {
  if (!pem) return true;
  try {
    const certificate = new X509Certificate(pem);
    const daysLeft = (certificate.validToDate.getTime() - now.getTime()) / millisecondsOfDay;
    return daysLeft < renewBeforeDays || certificate.subjectAltName !== names.join(", ");
  } catch {
    return true;
  }
}

async function openssl(directory: string, args: readonly string[]): Promise<void> {
  await run(["openssl", ...args] as Command, { cwd: directory, quiet: true });
}

/** One authority and one server certificate, both elliptic curve; the authority's key signs once and is removed. */
async function generate(directory: string, subject: string, names: readonly string[]): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const days = ["-days", String(validDays)];
  const subjects = names.map((name) => name.replace("IP Address:", "IP:")).join(",");
  await writeFile(
    join(directory, "server.ext"),
    `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=${subjects}\n`,
  );
  const authorityUse = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const authority = ["-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=regwarden lab authority"];
  await openssl(directory, ["req", "-x509", ...key, ...days, ...authorityUse, ...authority]);
  const request = ["-keyout", "server-key.pem", "-out", "server.csr", "-subj", `/CN=${subject}`];
  await openssl(directory, ["req", "-new", ...key, ...request]);
  const signer = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "server.ext"];
  await openssl(directory, ["x509", "-req", "-in", "server.csr", ...signer, ...days, "-out", "server.pem"]);
  await run(["rm", "ca-key.pem", "server.csr", "server.ext"], { cwd: directory });
}

/** A server's certificates in a directory of their own; made again when they near their end or the names change. */
export async function ensureServerCertificates(
  directory: string,
  subject: string,
  names: readonly string[],
  options: StepOptions = {},
): Promise<Certificates> {
  if (needsRenewal(readText(join(directory, "server.pem")), names, new Date())) {
    options.reporter?.say(`making certificates for ${names.join(", ")}`);
    await replaceDirectory(directory, (beside) => generate(beside, subject, names));
  }
  const read = (name: string) => readFile(join(directory, name), "utf8");
  const authority = await read("ca.pem");
  return {
    authorityFile: join(directory, "ca.pem"),
    authority,
    chain: `${await read("server.pem")}${authority}`,
    privateKey: await read("server-key.pem"),
  };
}

/** The certificates of the instance's registry. */
export async function ensureCertificates(
  instance: Instance,
  options: StepOptions = {},
): Promise<Certificates> {
  const names = alternativeNames(addressesOf(instance));
  return ensureServerCertificates(join(stateDirectory(instance), "tls"), registryHostName, names, options);
}
