import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** Makes a certificate for 127.0.0.1 that vouches for itself, valid for 30 days; gives both as PEM text. */
export async function selfSigned(
  directory: string,
  names = { certificate: "certificate.pem", privateKey: "key.pem" },
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const [key, certificate] = [join(directory, names.privateKey), join(directory, names.certificate)];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30"];
  await promisify(execFile)("openssl", [...kind, ...subject, "-keyout", key, "-out", certificate]);
  return { certificate: await readFile(certificate, "utf8"), privateKey: await readFile(key, "utf8") };
}
