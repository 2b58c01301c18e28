/**
 * What the programs find wrong, in the form that all reports share. Keys are always present; what does not apply is null
 * or an empty list.
 */

/** What is bad. */
export const findingKinds = [
  /** A tag, by its own link. */
  "tag",
  /** A manifest that the repository links; with `link-missing`, one that a tag leads to and no link. */
  "manifest",
  /** A manifest that an image index of the repository names: its link, or with `size-mismatch` its length there. */
  "index-child",
  /** An image's configuration blob, by its content. */
  "config",
  /** An image's layer blob, by its content. */
  "layer",
  /**
   * A repository's permission to serve a blob. With tags: an image needs it, the blob is sound, the link is missing or
   * bad. Without: a link that leads to nothing.
   */
  "layer-link",
  /** A signature or another artifact about a manifest; with `subject-missing`, `digest` is that manifest. */
  "referrer",
  /** An unfinished upload. */
  "upload",
  /** A repository as a whole. */
  "repository",
  /** A directory or blob of the store that belongs to no single repository. */
  "store",
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** In which way it is bad. */
export const findingCauses = [
  "link-missing",
  "link-invalid",
  "blob-missing",
  "blob-empty",
  "size-mismatch",
  "digest-mismatch",
  /** It could not be checked: the run ends with exit code 3 and `complete` is false. */
  "unreadable",
  "subject-missing",
  "stale",
  /** The registry takes no request for a repository of this name: nothing in it can be pulled. */
  "name-invalid",
  // The rest only of an image that was asked for by its name, by `verify` and `in-use`.
  /** The registry has nothing under this name: the push went elsewhere, or did not end. */
  "absent",
  /** An expected platform is not offered, or no platform at all. */
  "platform-missing",
  /** The index says another platform than the image's own configuration. */
  "platform-mismatch",
  /** The tag leads to another manifest than the digest beside it. */
  "tag-moved",
] as const;
export type FindingCause = (typeof findingCauses)[number];

/**
 * `critical`: a tag cannot be pulled for a real platform. `warning`: an attestation, something untagged, something to
 * clean up, or something that could not be read. `info`: worth knowing. In order of weight.
 */
export const severities = ["critical", "warning", "info"] as const;
export type Severity = (typeof severities)[number];

/**
 * What heals this one thing. `relink`: its data and everything below it are complete in the store, only links are
 * missing. `recopy`: another registry of the same data root holds what is missing here. `rebuild`: build and push again,
 * or copy from a registry elsewhere, of which the scan cannot know. `remove-link`: the link serves no image.
 */
export const remedies = ["relink", "recopy", "rebuild", "remove-link", "none"] as const;
export type Remedy = (typeof remedies)[number];

/** `authoritative`: the only home of its images. `cache`: a pull-through copy, which lawfully holds only a part. */
export const registryModes = ["authoritative", "cache"] as const;
export type RegistryMode = (typeof registryModes)[number];

/** One bad thing in one repository, however many references lead to it: the data. */
export interface FindingFacts {
  readonly kind: FindingKind;
  readonly cause: FindingCause;
  readonly severity: Severity;
  readonly registry: string;
  /** Null where the store as a whole is concerned. */
  readonly repository: string | null;
  /** Digest of the missing or bad thing, `ALGORITHM:HEX`; null where it has none (a tag, a directory). */
  readonly digest: string | null;
  /** Digest of the manifest that needs it. Of several, one that the most serious tag reaches it by. */
  readonly parent: string | null;
  /** All tags of the repository that it breaks, sorted. */
  readonly tags: readonly string[];
  /** `os/architecture` or `os/architecture/variant`, from the index that names it. */
  readonly platform: string | null;
  /** Path or URL of what is bad in itself, a link or what could not be read; of an upload its id; else null. */
  readonly place: string | null;
  readonly remedy: Remedy;
}

/** A finding with its two sentences. They are for people: no program reads them. */
export interface Finding extends FindingFacts {
  /** What is wrong, and for which tags. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** What is wrong with a registry or cluster as a whole, or could not be checked there. For people. */
export interface Problem {
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}
