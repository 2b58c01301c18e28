import fc from "fast-check";
import { describeHistory, type History, type Step } from "./history.ts";
import {
  type ArtifactShape,
  artifactKinds,
  type ImageShape,
  type IndexShape,
  type LayerShape,
  type Shape,
} from "./shapes.ts";

// Few texts, so that images, indexes and repositories share what they hold.
// A cache of BuildKit has two layers, named by its text: those with a number lie in images too.
const text = fc.constantFrom("a", "b", "a 1", "b 2");
const repository = fc.constantFrom("one", "two", "team", "team/three");
const tag = fc.constantFrom("1", "2", "v1.0-rc_1", "latest");
const generation = fc.constantFrom("oci" as const, "docker" as const);
const platform = fc.constantFrom("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64");

const kinds = { plain: 6, sha512: 1, empty: 1, foreign: 1 } as const;
const layerOf = (...allowed: readonly LayerShape["layer"][]): fc.Arbitrary<LayerShape> =>
  fc.record({
    layer: fc.oneof(...allowed.map((kind) => ({ arbitrary: fc.constant(kind), weight: kinds[kind] }))),
    text,
  });
// A layer stands in an image of its own, or beside those that many images have.
const layers = fc.array(layerOf("plain", "sha512", "empty", "foreign"), { minLength: 1, maxLength: 3 });
const held = layerOf("plain", "sha512", "empty");

const image: fc.Arbitrary<ImageShape> = fc.record({
  shape: fc.constant("image" as const),
  generation,
  platform,
  layers: fc.oneof(
    layers,
    layerOf("plain").map((one) => [one]),
  ),
  configUnder: often("sha256" as const, "sha512" as const),
});

const indexOf = (entry: fc.Arbitrary<IndexShape["of"][number]>): fc.Arbitrary<IndexShape> =>
  fc.record({
    shape: fc.constant("index" as const),
    generation,
    of: fc.array(entry, { minLength: 1, maxLength: 3 }),
    saysMediaType: often(true, false),
    entries: often("typed" as const, "untyped" as const, "unknown" as const),
    attested: often(null, "both" as const, "platform" as const, "annotations" as const),
  });
const index = indexOf(image);
const mixed = indexOf(fc.oneof(image, held));
const artifact: fc.Arbitrary<ArtifactShape> = fc.record({
  shape: fc.constant("artifact" as const),
  of: fc.constantFrom(...artifactKinds),
  text: fc.constantFrom("a", "b"),
});
const nested = indexOf(fc.oneof(image, index, artifact));

/** Everything that can be pushed. */
export const shapes: fc.Arbitrary<Shape> = fc.oneof(
  { arbitrary: image, weight: 3 },
  { arbitrary: index, weight: 3 },
  nested,
  mixed,
  { arbitrary: artifact, weight: 2 },
);

/** The first three times as often as all others together. */
function often<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  const rare = others.map((one) => ({ arbitrary: fc.constant(one), weight: 1 }));
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 3 * others.length }, ...rare);
}

const pick = fc.nat({ max: 1000 });
const push = fc.record({
  step: fc.constant("push" as const),
  repository,
  tag,
  shape: shapes,
  by: often("requests" as const, "skopeo" as const),
});

const removeTag = fc.record({ step: fc.constant("remove tag" as const), pick });
const deleteManifest = fc.record({ step: fc.constant("delete" as const), pick });
const pushAgain = fc.record({ step: fc.constant("push again" as const), pick });
const retag = fc.record({ step: fc.constant("retag" as const), pick, tag });
const copy = fc.record({ step: fc.constant("copy" as const), pick, repository, tag });
const attach = fc.record({
  step: fc.constant("attach" as const),
  pick,
  below: fc.nat({ max: 3 }),
  form: fc.constantFrom("cosign" as const, "signature" as const, "artifact" as const),
  under: fc.constantFrom(
    "sig" as const,
    "att" as const,
    "sbom" as const,
    "list" as const,
    "nothing" as const,
  ),
});
const beginUpload = fc.record({
  step: fc.constant("begin upload" as const),
  repository,
  sizeBytes: fc.integer({ min: 1, max: 2000 }),
});

const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: push, weight: 8 },
  pushAgain,
  retag,
  { arbitrary: copy, weight: 2 },
  { arbitrary: attach, weight: 4 },
  removeTag,
  deleteManifest,
  beginUpload,
);

/** Histories of a healthy registry, with a tag at the end. They shrink, and print a line for each action. */
export const randomHistories: fc.Arbitrary<History> = historiesOf(steps);

/** Of a registry in which tags and pushes come to nothing as often as not, so that there is much to collect. */
export const wastefulHistories: fc.Arbitrary<History> = historiesOf(
  fc.oneof(
    { arbitrary: push, weight: 9 },
    pushAgain,
    { arbitrary: fc.record({ step: fc.constant("push former" as const), pick }), weight: 2 },
    retag,
    { arbitrary: copy, weight: 2 },
    { arbitrary: attach, weight: 4 },
    { arbitrary: removeTag, weight: 4 },
    { arbitrary: deleteManifest, weight: 2 },
    fc.record({
      step: fc.constant("abandon" as const),
      repository,
      shape: shapes,
      after: fc.constantFrom("blobs" as const, "manifests" as const),
    }),
    fc.record({ step: fc.constant("mount" as const), pick, repository }),
    beginUpload,
  ),
);

function historiesOf(step: fc.Arbitrary<Step>): fc.Arbitrary<History> {
  return fc.tuple(fc.array(step, { maxLength: 20, size: "max" }), push).map(([others, last]) => {
    const history: History = [...others, last];
    return Object.assign(history, { [fc.toStringMethod]: () => describeHistory(history) });
  });
}
