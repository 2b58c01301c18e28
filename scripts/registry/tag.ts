import type { Digest } from "./digest.ts";
import { digestFromNames } from "./paths.ts";

/**
 * Whether clients can ask for a tag of this name.
 *
 * Source: OCI distribution spec, "Pulling manifests"; distribution reference/regexp.go.
 */
export function isTagName(name: string): boolean {
  return /^\w[\w.-]{0,127}$/.test(name);
}

const referrerTag = /^(sha256|sha384|sha512)-([0-9a-f]+)(?:\.(?:sig|att|sbom))?$/;

/**
 * The manifest that a tag's content is about, when the tag is one of those that stand in for the referrers API, which
 * 2.8 lacks: `sha256-HEX` for the list of referrers, `sha256-HEX.sig`, `.att`, `.sbom` as cosign writes them. Nobody runs
 * what lies behind such a tag.
 *
 * Source: OCI distribution spec, "Referrers Tag Schema"; cosign, SIGNATURE_SPEC.md.
 */
export function subjectOfTag(name: string): Digest | undefined {
  const [, algorithm, hex] = referrerTag.exec(name) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : digestFromNames(algorithm, hex);
}
