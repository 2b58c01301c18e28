import { describe, expect, test } from "vitest";
import type { RawFinding } from "../../../../scripts/graph/raw-finding.ts";
import { describeFinding } from "../../../../scripts/report/describe-finding.ts";

const digest = `sha256:${"a".repeat(64)}`;
const parent = `sha256:${"b".repeat(64)}`;
const signatureTag = `sha256-${"c".repeat(64)}.sig`;
const layer: RawFinding = {
  kind: "layer",
  cause: "blob-missing",
  severity: "critical",
  registry: "r.example",
  repository: "app",
  digest,
  parent,
  tags: ["1"],
  platform: "linux/amd64",
  place: null,
  remedy: "rebuild",
};
const tag: RawFinding = {
  ...layer,
  kind: "tag",
  cause: "link-missing",
  digest: null,
  parent: null,
  platform: null,
};
const attestation: Partial<RawFinding> = { severity: "warning", platform: "unknown/unknown" };
const fault = { place: "https://r.example/v2/", severity: "warning", cause: "unreadable" } as const;

const of = (finding: RawFinding) => describeFinding(finding, "registry");

describe("a finding about a registry that is asked from outside says", () => {
  test.each<[string, RawFinding, string]>([
    [
      "which tag it breaks",
      layer,
      `The layer ${digest} of sha256:bbbbbbbbbbbb (linux/amd64) is broken: the registry does not serve it. Tag 1 cannot be pulled for linux/amd64.`,
    ],
    [
      "that an image which was asked for by its digest is broken",
      { ...layer, tags: [] },
      `The layer ${digest} of sha256:bbbbbbbbbbbb (linux/amd64) is broken: the registry does not serve it. The image cannot be pulled by its digest for linux/amd64.`,
    ],
    [
      "that an attestation hinders no pull",
      { ...layer, ...attestation },
      `The layer ${digest} of sha256:bbbbbbbbbbbb (attestation) is broken: the registry does not serve it. Tag 1 can be pulled, but not an attestation or signature of it.`,
    ],
    [
      "that an attestation hinders no pull by digest",
      { ...layer, ...attestation, tags: [] },
      `The layer ${digest} of sha256:bbbbbbbbbbbb (attestation) is broken: the registry does not serve it. The image can be pulled by its digest, but not an attestation or signature of it.`,
    ],
    [
      "that a signature's own tag is no image",
      { ...layer, severity: "warning", platform: null, tags: [signatureTag] },
      `The layer ${digest} of sha256:bbbbbbbbbbbb is broken: the registry does not serve it. Tag ${signatureTag} cannot be read; the image that it is about can be pulled.`,
    ],
    [
      "that a manifest is not there",
      { ...layer, kind: "manifest", cause: "link-missing", parent: null, platform: null },
      `The manifest ${digest} is broken: the registry answers 404 for it. Tag 1 cannot be pulled.`,
    ],
    [
      "that a tag leads nowhere",
      tag,
      "Tag 1 is listed, but the registry answers 404 for it: it cannot be pulled.",
    ],
    [
      "why a tag cannot be read",
      { ...tag, cause: "link-invalid", detail: { reason: "answers 500, as for a link that is no digest" } },
      "Tag 1 is there, but the registry answers 500, as for a link that is no digest: it cannot be pulled.",
    ],
    [
      "what of a signature is broken",
      {
        ...layer,
        kind: "referrer",
        severity: "warning",
        platform: null,
        detail: { referrer: { part: "layer" } },
      },
      `A signature or another artifact about the image is broken. The layer ${digest} of sha256:bbbbbbbbbbbb is broken: the registry does not serve it.`,
    ],
    [
      "which tag of a signature leads nowhere",
      {
        ...tag,
        kind: "referrer",
        severity: "warning",
        detail: { referrer: { part: "tag", tag: signatureTag } },
      },
      `A signature or another artifact about the image cannot be read: its tag ${signatureTag} is listed, but the registry answers 404 for it.`,
    ],
    [
      "what could not be checked",
      { ...layer, ...fault, detail: { reason: "ECONNREFUSED", faultKind: "unavailable" } },
      "https://r.example/v2/ could not be checked (ECONNREFUSED), so nothing is known about it.",
    ],
  ])("%s", (_what, finding, message) => expect(of(finding).message).toBe(message));

  test.each<[string, RawFinding, RegExp]>([
    [
      "how the image comes back",
      layer,
      /scan DIR.*; else build and push again: docker buildx .* r\.example\/app:1 \.$/,
    ],
    ["that each tag is to be pushed", { ...layer, tags: ["1", "2"] }, /push again, for each tag: docker/],
    [
      "that a pushed image has a new digest",
      { ...layer, tags: [] },
      /use the new digest: docker .*app:TAG \.$/,
    ],
    [
      "that a signature is not built",
      { ...tag, tags: [signatureTag] },
      /; else make the signature or artifact again/,
    ],
    [
      "what to do about a refused account",
      { ...layer, ...fault, detail: { faultKind: "unauthorised" } },
      /REG_USER/,
    ],
  ])("in its hint %s", (_what, finding, hint) => expect(of(finding).hint).toMatch(hint));
});
