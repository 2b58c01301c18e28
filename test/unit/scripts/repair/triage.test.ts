import { describe, expect, test } from "vitest";
import type { Finding, Remedy } from "../../../../contract/finding.ts";
import type { RepairImage } from "../../../../contract/repair-report.ts";
import type { PlannedChange } from "../../../../scripts/repair/change.ts";
import type { Plan } from "../../../../scripts/repair/plan.ts";
import { triage } from "../../../../scripts/repair/triage.ts";
import { sha512 } from "../../../support/store/damaged-repository.ts";
import { d } from "../../../support/store/facts.ts";

const finding = (own: Partial<Finding>): Finding => ({
  kind: "layer",
  cause: "blob-missing",
  severity: "critical",
  registry: "private",
  repository: "app",
  digest: d("e"),
  parent: null,
  tags: ["1"],
  platform: null,
  place: null,
  remedy: "rebuild",
  message: "what is wrong",
  hint: "what to do",
  ...own,
});

const change = (own: Partial<PlannedChange>): PlannedChange => {
  const digest = own.digest ?? d("e");
  return {
    kind: "blob",
    registry: "private",
    repository: "app",
    tag: null,
    digest,
    target: digest,
    sizeBytes: 10,
    replaces: null,
    from: "cache",
    copies: [],
    isManifest: false,
    ...own,
  };
};

function planOf({
  changes = [],
  missing = [],
  tag = "1",
}: {
  readonly changes?: readonly PlannedChange[];
  readonly missing?: readonly string[];
  readonly tag?: string | null;
}): Plan {
  const files = missing.map((digest) => ({
    what: "layer" as const,
    digest,
    platform: null,
    cause: "blob-missing" as const,
    reason: "is missing",
    remedy: "rebuild" as const,
  }));
  const image: Omit<RepairImage, "changes"> = {
    registry: "private",
    repository: "app",
    tag,
    digest: d("a"),
    missing: files,
    remedy: "rebuild",
    completeAfterwards: false,
    hints: [],
  };
  const step = { registry: "private", repository: "app", changes, holds: [], needs: [] };
  return { steps: [step], images: [{ ...image, steps: [0] }] };
}

describe("a finding becomes", () => {
  test.each<[Remedy, string, Finding, Plan]>([
    ["recopy", "when a copy brings the blob back", finding({}), planOf({ changes: [change({})] })],
    [
      "recopy",
      "when the blob is brought back for another repository",
      finding({ repository: "other" }),
      planOf({ changes: [change({})] }),
    ],
    [
      "recopy",
      "when the content is brought back under the digest that the store keeps it by",
      finding({ digest: sha512("e") }),
      planOf({ changes: [change({ digest: sha512("e"), target: d("e") })] }),
    ],
    ["relink", "when nothing must be fetched", finding({}), planOf({ changes: [change({ from: null })] })],
    [
      "relink",
      "when the link is written",
      finding({ kind: "layer-link", cause: "link-missing" }),
      planOf({ changes: [change({ kind: "layer-link", from: null })] }),
    ],
    [
      "relink",
      "when the tag's link is written",
      finding({ kind: "tag", cause: "link-invalid", digest: null }),
      planOf({ changes: [change({ kind: "tag-link", tag: "1", from: null })] }),
    ],
    [
      "rebuild",
      "when another repository's link is written",
      finding({ kind: "layer-link", cause: "link-missing", repository: "other", remedy: "relink" }),
      planOf({ changes: [change({ kind: "layer-link", from: null })] }),
    ],
    [
      "rebuild",
      "when a tag needs it and no source has it",
      finding({ remedy: "relink" }),
      planOf({ missing: [d("e")] }),
    ],
    [
      "rebuild",
      "when a tag leads nowhere",
      finding({ kind: "tag", digest: null, remedy: "rebuild" }),
      planOf({}),
    ],
    [
      "remove-link",
      "when no tag needs it and the scan says so",
      finding({ tags: [], remedy: "remove-link" }),
      planOf({ missing: [d("e")], tag: null }),
    ],
    [
      "none",
      "when it could not be checked",
      finding({ cause: "unreadable" }),
      planOf({ changes: [change({})] }),
    ],
    [
      "none",
      "when nothing can be done about it",
      finding({ kind: "upload", digest: null, remedy: "none" }),
      planOf({}),
    ],
  ])("%s %s", (remedy, _, given, plan) => {
    expect(triage([given], plan)).toEqual([{ finding: given, remedy }]);
  });
});
