import type { FindingCause, FindingKind } from "../../contract/finding.ts";
import { shortDigest } from "../registry/digest.ts";
import type { FaultKind } from "../source/source.ts";
import type { Described, Sentences } from "./describe-finding.ts";
import { brokenBy, buildAgain, listTags } from "./phrases.ts";

/** What is said about a registry that is asked from outside: what its disk still holds cannot be seen from there. */
export function servedSentences(finding: Described): Sentences {
  const { registry, repository, kind, cause, digest, parent, tags, platform, detail } = finding;
  if (cause === "unreadable") return unreadable(finding);
  const again = buildAgain(`${registry}/${repository}`, tags);
  const hint = detail.isPromised
    ? `restart the registry, as a push skips what its cache of descriptors knows; then ${again}`
    : `on the registry's machine, regwarden scan DIR says whether the data survives; else ${again}`;
  if (kind === "tag") {
    const why = cause === "link-invalid" ? ` (${detail.reason})` : "";
    const message = `${listTags(tags)} is listed, but its manifest is not served${why}: it cannot be pulled.`;
    return { message, hint };
  }
  const noun = nouns[detail.referrerPart ?? kind];
  const owner = parent === null ? "" : ` of ${shortDigest(parent)}`;
  const named = platform === null ? "" : ` (${platform})`;
  const trouble = detail.isPromised ? promised : troubles[cause];
  const what = `The ${noun} ${digest}${owner}${named} is broken: ${trouble}.`;
  if (detail.referrerPart)
    return { message: `Of a signature or another artifact about the image: ${what}`, hint };
  return { message: `${what} ${brokenBy(finding)}`, hint };
}

function unreadable({ place, detail: { reason = "", faultKind } }: Described): Sentences {
  // Reasons of the HTTP reader are phrases or codes; phrases go on where the address ends.
  const isPhrase = /^(answers|names|not asked)/.test(reason);
  const trouble = isPhrase ? reason : `could not be checked (${reason})`;
  return { message: `${place} ${trouble}, so nothing is known about it.`, hint: hintForFault(faultKind) };
}

function hintForFault(kind: FaultKind | undefined): string {
  if (kind === "unauthorised")
    return "see that REG_USER and REG_PASS are those of the registry's htpasswd or token server, then try again.";
  if (kind === "unavailable")
    return "see that the registry and its proxy run, and their logs, then try again.";
  return "see what answers there instead of the registry, and that its certificate is trusted (NODE_EXTRA_CA_CERTS).";
}

const promised = "the registry says that it has it, and breaks off its answer when it is asked for it";

const troubles: Partial<Record<FindingCause, string>> = {
  "link-missing": "the registry answers 404 for it",
  "link-invalid": "the registry answers 500 for it, as it can make no sense of what it has",
  "blob-missing": "the registry does not serve it",
  "blob-empty": "the registry serves nothing under its digest",
  "size-mismatch": "the registry serves another length than the manifest says",
  "digest-mismatch": "the registry serves other bytes than its digest stands for",
};

const nouns: Partial<Record<FindingKind, string>> = {
  tag: "manifest",
  manifest: "manifest",
  "index-child": "manifest",
  config: "configuration",
  layer: "layer",
};
