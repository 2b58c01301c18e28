import { expect, test } from "vitest";
import { blobDataPath } from "../../../../scripts/registry/paths.ts";
import { rootsOf } from "../../../../scripts/repair/damaged-repository.ts";
import { hintsFor } from "../../../../scripts/repair/hints.ts";
import {
  altered,
  badLink,
  type GivenRepository,
  missing,
  otherLength,
  sampleRepository,
} from "../../../support/store/damaged-repository.ts";
import { d, link, parsed } from "../../../support/store/facts.ts";

const build = "docker buildx build --push --platform linux/amd64 --tag registry.example:5050/app:1 .";
const children = ["linux/amd64", "linux/arm64", "linux/amd64", "unknown/unknown"].map((platform) => ({
  digest: d("b"),
  platform,
  isAttestation: platform === "unknown/unknown",
}));
const subject = `sha256-${"b".repeat(64)}`;

test.each<[string, GivenRepository, readonly string[]]>([
  ["the build of an image with a missing layer", { blobs: { [d("e")]: missing } }, [build]],
  [
    "each platform of an index once, without its attestations",
    { manifests: { [d("a")]: parsed({ type: "index", children }) } },
    [build.replace("linux/amd64", "linux/amd64,linux/arm64")],
  ],
  [
    "to move away what a push would skip, before the build",
    { blobs: { [d("e")]: altered, [d("c")]: missing } },
    [
      "# in the registry's data directory; then restart the registry if it has a descriptor cache:",
      `mv ${blobDataPath("", d("e"))} ${blobDataPath("", d("e"))}.damaged`,
      build,
    ],
  ],
  ["not to move away what has the right bytes", { blobs: { [d("e")]: otherLength } }, [build]],
  [
    "a new signature",
    { tags: [link(`${subject}.sig`, d("a"))] },
    [`cosign sign --yes registry.example:5050/app@${d("b")}`],
  ],
  [
    "what was attached to an image",
    { tags: [link(subject, d("a"))] },
    [
      `# attach again what was attached to registry.example:5050/app@${d("b")} (signature, attestation, SBOM)`,
    ],
  ],
  [
    "the next build for a build cache",
    {
      manifests: {
        [d("a")]: parsed({ type: "index", blobs: [{ digest: d("e"), role: "layer", sizeBytes: 10 }] }),
      },
      revisions: [],
    },
    ["# the next build with --cache-to type=registry,ref=registry.example:5050/app:1 writes it again"],
  ],
  [
    "the option that points a tag at the only manifest that it ever led to, or the build",
    { tags: [badLink("1")], history: new Map([["1", d("a")]]) },
    [`# add --tag-links to point it at ${d("a")}, the only manifest that it ever led to, or:`, build],
  ],
  [
    "the build alone for a tag that can have led to several",
    { tags: [badLink("1")] },
    ["docker buildx build --push --tag registry.example:5050/app:1 ."],
  ],
  [
    "nothing to type for what no tag leads to",
    { tags: [] },
    [`# no tag leads to ${d("a")}; if clients pull it by its digest: build and push it again`],
  ],
])("a hint names %s", (_, given, hints) => {
  const repository = sampleRepository(given);
  const [root] = rootsOf(repository);
  if (!root) throw new Error("the repository has no tag and no manifest");
  expect(hintsFor(root, repository, { instance: "registry.example:5050", tagLinks: false })).toEqual(hints);
});
