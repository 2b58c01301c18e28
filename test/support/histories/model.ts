import { type Digest, parseDigest } from "../../../scripts/registry/digest.ts";
import { subjectOfTag } from "../../../scripts/registry/tag.ts";
import { type Content, digest, isManifest, withParts } from "../images/oci-content.ts";

/** What a registry holds after some actions, by a model that knows no file and no request. */
export interface Model {
  readonly repositories: ReadonlyMap<string, RepositoryModel>;
}

export interface RepositoryModel {
  readonly tags: ReadonlyMap<string, Content>;
  /** Manifests that are served, tagged or not. */
  readonly manifests: ReadonlyMap<Digest, Content>;
  /** Blobs that are served. */
  readonly blobs: ReadonlySet<Digest>;
}

/** What is done to a registry. */
export type Action =
  | {
      readonly act: "push";
      readonly repository: string;
      /** Null: by its digest alone. */
      readonly tag: string | null;
      readonly content: Content;
      /** `manifest`: what it needs is there already, and the client knows it. */
      readonly sends: "everything" | "manifest";
      readonly by: "requests" | "skopeo";
      /** Repository whose blobs are mounted instead of sent. */
      readonly mountsFrom: string | null;
      /** What it is, for people. */
      readonly about: string;
    }
  /** The blobs below a manifest, and no manifest. */
  | {
      readonly act: "push blobs";
      readonly repository: string;
      readonly content: Content;
      readonly mountsFrom: string | null;
      readonly about: string;
    }
  /** The tag's directory is removed: registry 2.8.3 has no request for that. */
  | { readonly act: "remove tag"; readonly repository: string; readonly tag: string }
  /** The request for a digest, which takes the tags along that lead to it. */
  | { readonly act: "delete"; readonly repository: string; readonly digest: Digest }
  /** Some bytes of a blob that never ends. */
  | { readonly act: "begin upload"; readonly repository: string; readonly sizeBytes: number };

export const emptyModel: Model = { repositories: new Map() };

const emptyRepository: RepositoryModel = { tags: new Map(), manifests: new Map(), blobs: new Set() };

/** A repository as it is now; empty when it is not there. */
export function repositoryOf({ repositories }: Model, repository: string): RepositoryModel {
  return repositories.get(repository) ?? emptyRepository;
}

/** What an action leaves. */
export function afterAction(model: Model, action: Action): Model {
  if (action.act === "begin upload") return model;
  const { tags, manifests, blobs } = repositoryOf(model, action.repository);
  const put = (changed: Partial<RepositoryModel>): Model => ({
    repositories: new Map(model.repositories).set(action.repository, { tags, manifests, blobs, ...changed }),
  });
  const without = (isGone: (tag: string, content: Content) => boolean) =>
    new Map([...tags].filter(([tag, content]) => !isGone(tag, content)));
  if (action.act === "remove tag") return put({ tags: without((tag) => tag === action.tag) });
  if (action.act === "delete")
    return put({
      tags: without((_, content) => digest(content) === action.digest),
      manifests: new Map([...manifests].filter(([key]) => key !== action.digest)),
    });
  const all = withParts(action.content);
  const ownBlobs = new Set([...blobs, ...all.filter((one) => !isManifest(one)).map(digest)]);
  if (action.act === "push blobs") return put({ blobs: ownBlobs });
  const { content, tag } = action;
  return put({
    ...(tag !== null && { tags: new Map(tags).set(tag, content) }),
    manifests: new Map([...manifests, ...all.filter(isManifest).map((one) => [digest(one), one] as const)]),
    blobs: ownBlobs,
  });
}

/** All tags, sorted. */
export function tagsOf({ repositories }: Model): readonly Tagged[] {
  const all = [...repositories].flatMap(([repository, { tags }]) =>
    [...tags].map(([tag, content]) => ({ repository, tag, content })),
  );
  return all.sort((a, b) => compareText(nameOf(a), nameOf(b)));
}

export interface Tagged {
  readonly repository: string;
  readonly tag: string;
  readonly content: Content;
}

/** `REPOSITORY:TAG` */
export function nameOf({ repository, tag }: Omit<Tagged, "content">): string {
  return `${repository}:${tag}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The manifest that one is about, as it says itself. */
export function subjectOf({ bytes }: Content): Digest | undefined {
  const { subject } = JSON.parse(new TextDecoder().decode(bytes)) as { subject?: { digest: string } };
  return parseDigest(subject?.digest ?? "");
}

/**
 * Manifests that must go with one, so that nothing is left that names what is gone: what is about them, and untagged
 * indexes that list them. Undefined where a tag that leads elsewhere needs any of them.
 */
export function removable(
  { tags, manifests }: RepositoryModel,
  start: Digest,
): ReadonlySet<Digest> | undefined {
  const gone = new Set([start]);
  const isGone = (one: Digest | undefined) => one !== undefined && gone.has(one);
  for (let size = 0; size < gone.size; ) {
    size = gone.size;
    for (const [key, content] of manifests)
      if (isGone(subjectOf(content)) || content.parts.some((part) => isGone(digest(part)))) gone.add(key);
    for (const [tag, content] of tags) if (isGone(subjectOfTag(tag))) gone.add(digest(content));
  }
  const others = [...tags].filter(
    ([tag, content]) => digest(content) !== start && !isGone(subjectOfTag(tag)),
  );
  return others.some(([, content]) => isGone(digest(content))) ? undefined : gone;
}

/** The manifests that a manifest and those below it are about, and what these are about, the last first. */
export function subjectsOf(repository: RepositoryModel, content: Content): readonly Content[] {
  const own = withParts(content).filter(isManifest);
  return own.flatMap((one) => {
    const digest = subjectOf(one);
    const subject = digest && repository.manifests.get(digest);
    return subject ? [...subjectsOf(repository, subject), subject] : [];
  });
}
