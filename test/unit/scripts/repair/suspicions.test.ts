import { expect, test } from "vitest";
import type { FindingFacts } from "../../../../contract/finding.ts";
import { suspicionsOf } from "../../../../scripts/repair/suspicions.ts";
import { d } from "../../../support/store/facts.ts";

const finding = (own: Partial<FindingFacts>): FindingFacts => ({
  kind: "layer",
  cause: "blob-missing",
  severity: "critical",
  registry: "private",
  repository: "app",
  digest: d("e"),
  parent: null,
  tags: [],
  platform: null,
  place: null,
  remedy: "rebuild",
  ...own,
});

const repositoriesOf = (...findings: FindingFacts[]) =>
  suspicionsOf(findings).map(({ repository }) => repository);

test.each<[string, Partial<FindingFacts>]>([
  ["a stale upload", { kind: "upload", cause: "stale", remedy: "none" }],
  ["a signature of an image that is gone", { kind: "referrer", cause: "subject-missing", remedy: "none" }],
  ["what could not be read", { cause: "unreadable", remedy: "none" }],
  ["a link to a blob that no image needs", { kind: "layer-link", remedy: "remove-link" }],
  ["a directory of the store itself", { kind: "store", repository: null }],
])("a repository is not read again for %s", (_, own) => {
  expect(repositoriesOf(finding(own))).toEqual([]);
});

test.each<[string, Partial<FindingFacts>]>([
  ["a link that can be put back", { kind: "index-child", cause: "link-missing", remedy: "relink" }],
  ["a layer that may be copied", { remedy: "rebuild" }],
  ["a layer that may come back for another repository's tag", { remedy: "remove-link" }],
])("a repository is read again for %s", (_, own) => {
  expect(repositoriesOf(finding({ remedy: "none" }), finding(own))).toEqual(["app"]);
});

test("each repository is read once, by name, with its lost tags and altered blobs", () => {
  const findings = [
    finding({ repository: "b", cause: "digest-mismatch" }),
    finding({ repository: "a", kind: "tag", cause: "link-invalid", digest: null, tags: ["1"] }),
    finding({ repository: "b" }),
  ];
  expect(suspicionsOf(findings)).toEqual([
    { repository: "a", lostTags: ["1"], altered: new Set() },
    { repository: "b", lostTags: [], altered: new Set([d("e")]) },
  ]);
});
