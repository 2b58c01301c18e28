import * as v from "valibot";
import { type Digest, parseDigest } from "../../registry/digest.ts";
import type { Unreadable } from "../source.ts";
import { listOf, readPages } from "./pages.ts";
import type { Requests } from "./requests.ts";

/** One manifest about another, such as a signature; or that the list could not be had. */
export type ReferrerFact = { readonly state: "listed"; readonly digest: Digest } | Unreadable;

const schema = v.pipe(
  v.object({ manifests: listOf(v.object({ digest: v.string() })) }),
  v.transform(({ manifests }) => manifests.flatMap(({ digest }) => parseDigest(digest) ?? [])),
);

/** All manifests that a registry knows to be about another; null where it keeps no such list. Source: OCI distribution spec, "Listing Referrers". */
export async function listReferrers(
  requests: Requests,
  repository: string,
  subject: Digest,
): Promise<readonly ReferrerFact[] | null> {
  const url = new URL(`/v2/${repository}/referrers/${subject}`, requests.origin);
  const scope = `repository:${repository}:pull`;
  const facts: ReferrerFact[] = [];
  // Registries before OCI 1.1 answer 404, and clients keep the list under a tag.
  let isKept = true;
  const onMissing = () => {
    isKept = false;
  };
  for await (const listed of readPages<Digest>(requests, { url, scope, schema, onMissing }))
    facts.push(typeof listed === "string" ? { state: "listed", digest: listed } : listed);
  return isKept ? facts : null;
}
