import type { FindingCause, FindingKind } from "../../contract/finding.ts";
import { shortDigest } from "../registry/digest.ts";
import { subjectOfTag } from "../registry/tag.ts";
import type { FaultKind } from "../source/source.ts";
import type { Described, Sentences } from "./describe-finding.ts";
import { brokenBy, brokenByDigest, buildAgain, listTags } from "./phrases.ts";

/** What is said about a registry that is asked from outside: what its disk still holds cannot be seen from there. */
export function servedSentences(finding: Described): Sentences {
  const { registry, repository, kind, cause, tags, detail } = finding;
  if (cause === "unreadable") return unreadable(finding);
  const isReferrer = kind === "referrer" || (tags.length > 0 && tags.every((tag) => subjectOfTag(tag)));
  const again = isReferrer ? signAgain : buildAgain(`${registry}/${repository}`, tags);
  const hint = detail.isPromised
    ? `restart the registry, as a push skips what its cache of descriptors knows; then ${again}`
    : `on the registry's machine, regwarden scan DIR says whether the data survives; else ${again}`;
  if (kind === "tag") return { message: badTag(finding), hint };
  if (kind === "referrer") return { message: badReferrer(finding), hint };
  const effect = tags.length > 0 ? brokenBy(finding) : brokenByDigest(finding);
  return { message: `${brokenThing(finding, nouns[kind])} ${effect}`, hint };
}

const signAgain = "make the signature or artifact again, such as with cosign sign.";

function badTag({ cause, tags, detail }: Described): string {
  const pull = "it cannot be pulled";
  if (cause === "link-missing")
    return `${listTags(tags)} is listed, but the registry answers 404 for it: ${pull}.`;
  return `${listTags(tags)} is there, but the registry ${detail.reason}: ${pull}.`;
}

function badReferrer(finding: Described): string {
  const { cause, detail } = finding;
  const { part, tag } = detail.referrer ?? {};
  const what = "A signature or another artifact about the image";
  if (part !== "tag") return `${what} is broken. ${brokenThing(finding, nouns[part ?? "referrer"])}`;
  const trouble = cause === "link-missing" ? "answers 404 for it" : detail.reason;
  return `${what} cannot be read: its tag ${tag} is listed, but the registry ${trouble}.`;
}

function brokenThing({ cause, digest, parent, platform, detail }: Described, noun = "manifest"): string {
  const owner = parent === null ? "" : ` of ${shortDigest(parent)}`;
  const named = platform === null ? "" : ` (${platform === unknownPlatform ? "attestation" : platform})`;
  const trouble = detail.isPromised ? promised : troubles[cause];
  return `The ${noun} ${digest}${owner}${named} is broken: ${trouble}.`;
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
  "link-invalid": "the registry answers 500 for it, as for a link that is no digest",
  "blob-missing": "the registry does not serve it",
  "blob-empty": "the registry serves nothing under its digest",
  "size-mismatch": "the registry serves another length than the manifest says",
  "digest-mismatch": "the registry serves other bytes than its digest stands for",
};

/** Of what is no manifest. */
const nouns: Partial<Record<FindingKind, string>> = { config: "configuration", layer: "layer" };

/** As indexes have it for an attestation. */
const unknownPlatform = "unknown/unknown";
