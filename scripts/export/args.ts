import * as v from "valibot";
import { onePositional, parseArguments } from "../cli/command.ts";
import { path } from "../cli/options/path.ts";
import { isRepositoryName } from "../registry/reference.ts";
import { isTagName } from "../registry/tag.ts";

/** An image of the store by its tag. */
export interface TaggedImage {
  readonly repository: string;
  readonly tag: string;
}

/** What is to be copied, and where to. */
export interface ExportArguments {
  /** A data root or one store. */
  readonly directory: string;
  /** Name of the registry; undefined: the only one there is. */
  readonly registry: string | undefined;
  /** Each once. */
  readonly images: readonly TaggedImage[];
  /** Directory of the copies. */
  readonly target: string;
  /** Where to put the metrics, if anywhere. */
  readonly metricsPath: string | undefined;
}

export const exportHelp = `Usage: regwarden export DIR --image REPOSITORY:TAG... --to DIRECTORY [OPTION]...

Copies images with all their platforms and attestations out of the storage of a registry, so that they can be had while the
registry cannot serve them. Every manifest and blob is compared with its digest. The registry may serve meanwhile, and its
storage is only read. Signatures, which have tags of their own, are copied when their tags are named.

Each image becomes DIRECTORY/REPOSITORY+TAG, with a + for each slash of the repository: an OCI image layout, and the same
files under the names of skopeo's dir: transport, which also takes images with Docker's own media types:
  skopeo copy --all dir:DIRECTORY/REPOSITORY+TAG docker://HOST/REPOSITORY:TAG

A copy takes the place of the former one of the same image in one step, when it is complete; the former one is removed then,
and nothing else is. What is not complete in the storage is not copied: the former copy stays. What did not change since is
not stored twice meanwhile. One run at a time for a DIRECTORY.

DIR is a data root with one directory a registry (DIR/private/docker/registry/v2), or one store (DIR/docker/registry/v2).

Options:
  --image REPOSITORY:TAG  an image to copy; may be repeated
  --to DIRECTORY          where the copies are; it must be there
  --registry NAME         the registry that has them, where DIR has several
  --metrics FILE          also writes Prometheus metrics to FILE, completely or not at all

Exit status: 0 all are copied, 1 an image is damaged or missing, 2 wrong usage, 3 something could not be read or written.
`;

const image = v.pipe(
  v.string(),
  v.transform((text) => {
    const colon = text.lastIndexOf(":");
    return { repository: text.slice(0, Math.max(0, colon)), tag: text.slice(colon + 1), text };
  }),
  v.check(
    ({ repository, tag }) => isRepositoryName(repository) && isTagName(tag),
    ({ input }) => `--image ${input.text}: REPOSITORY:TAG is expected, without the registry's address.`,
  ),
);

const schema = v.object({
  positionals: onePositional("DIR"),
  registry: v.optional(v.pipe(v.string(), v.nonEmpty("--registry needs a name."))),
  image: v.pipe(v.optional(v.array(image), []), v.minLength(1, "--image is missing: what is to be copied?")),
  to: v.pipe(v.optional(v.string(), ""), v.nonEmpty("--to is missing: the directory of the copies.")),
  metrics: path("--metrics"),
});

const text = { type: "string" } as const;
const options = {
  registry: text,
  image: { type: "string", multiple: true },
  to: text,
  metrics: text,
} as const;

/** Errors: E_USAGE. */
export function parseExportArguments(argv: readonly string[]): ExportArguments {
  const given = parseArguments(argv, options, schema);
  const images = new Map(given.image.map(({ repository, tag, text }) => [text, { repository, tag }]));
  return {
    directory: given.positionals,
    registry: given.registry,
    images: [...images.values()],
    target: given.to,
    metricsPath: given.metrics,
  };
}
