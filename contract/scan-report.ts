/**
 * The document that `regwarden scan --json` and `--report` write, version 1. Programs fill it, alerts, tests and the
 * deployment check read it. Keys are always present; what does not apply is null or an empty list.
 */
export const scanReportSchema = "regwarden/scan/v1";

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
  /** A signature or another artefact about a manifest; `digest` is that manifest, `parent` the artefact. */
  "referrer",
  /** An unfinished upload; only the message names it. */
  "upload",
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
  /** It could not be looked at: the run ends with exit code 3 and `complete` is false. */
  "unreadable",
  "subject-missing",
  "stale",
] as const;
export type FindingCause = (typeof findingCauses)[number];

/**
 * `critical`: a tag cannot be pulled for a real platform. `warning`: an attestation, something untagged, something to
 * clean up, or something that could not be read. `info`: worth knowing. In order of weight.
 */
export const severities = ["critical", "warning", "info"] as const;
export type Severity = (typeof severities)[number];

/**
 * What heals this one thing. `relink`: its data and everything below it are whole in the store, only links are lost.
 * `recopy`: another registry of the same data root holds what is lost here. `rebuild`: build and push again, or copy
 * from a registry elsewhere, which nobody here can know of. `remove-link`: the link serves nobody.
 */
export const remedies = ["relink", "recopy", "rebuild", "remove-link", "none"] as const;
export type Remedy = (typeof remedies)[number];

/** `authoritative`: the only home of its images. `cache`: a pull-through copy, which lawfully holds only a part. */
export const registryModes = ["authoritative", "cache"] as const;
export type RegistryMode = (typeof registryModes)[number];

/** One bad thing in one repository, however many references lead to it. */
export interface Finding {
  readonly kind: FindingKind;
  readonly cause: FindingCause;
  readonly severity: Severity;
  readonly registry: string;
  /** Null where the store as a whole is concerned. */
  readonly repository: string | null;
  /** Digest of the missing or bad thing, `sha256:HEX`; null where it has none (a tag, a directory). */
  readonly digest: string | null;
  /** Digest of the index that needs it. Of several, one that the most serious tag reaches it by. */
  readonly parent: string | null;
  /** All tags of the repository that it breaks, sorted. */
  readonly tags: readonly string[];
  /** `os/architecture` or `os/architecture/variant`, from the index that names it. */
  readonly platform: string | null;
  readonly remedy: Remedy;
  /** What is broken, for whom, and after `Next: ` what to do. */
  readonly message: string;
}

/** What was looked at in one registry. Counts are links or files, a thing in two repositories counts twice. */
export interface RegistrySummary {
  readonly name: string;
  readonly mode: RegistryMode;
  readonly repositories: number;
  readonly tags: number;
  /** Manifests that are image indexes or Docker manifest lists; part of `manifests`. */
  readonly indexes: number;
  readonly manifests: number;
  readonly layerLinks: number;
  /** Blobs in the store, each counted once. */
  readonly blobs: number;
  /** Sum of the blobs' sizes. */
  readonly bytes: number;
}

export interface ScanReport {
  readonly schema: typeof scanReportSchema;
  /** End of the scan, ISO 8601, UTC. */
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** False when anything could not be read; the findings then hold what. */
  readonly complete: boolean;
  readonly registries: readonly RegistrySummary[];
  readonly findings: readonly Finding[];
}
