import { X509Certificate } from "node:crypto";

/** A certificate that clients of the registry see. */
export interface CertificateFact {
  readonly path: string;
  readonly names: readonly string[];
  readonly notAfter: Date;
  readonly covers: boolean;
}

/** The first certificate of each file; a file whose text is none is left out. `hostname`: what it must name. */
export function certificateFacts(
  texts: ReadonlyMap<string, string>,
  hostname: string | undefined,
): CertificateFact[] {
  return [...texts].flatMap(([path, text]) => {
    try {
      const certificate = new X509Certificate(text);
      const names = [...(certificate.subjectAltName ?? "").matchAll(/DNS:([^,\s]+)/g)].map(
        ([, name = ""]) => name,
      );
      const covers = hostname !== undefined && certificate.checkHost(hostname) !== undefined;
      return [{ path, names, notAfter: certificate.validToDate, covers }];
    } catch {
      return [];
    }
  });
}
