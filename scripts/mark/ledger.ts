import * as v from "valibot";

/**
 * The ledger of death: what marks found unreached, and since when. One file a registry, JSON lines:
 *
 *   first   the head: which store, which mark
 *   middle  a line a repository with its links, sorted by name, then lines of blobs; times in milliseconds since 1970
 *   last    how many things, and the SHA-256 of all lines before it
 *
 * Times are those of this machine's clock at the last mark: see {@link creditOf}.
 */
export const ledgerSchema = "regwarden/ledger/v1";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const headSchema = v.strictObject({
  schema: v.literal(ledgerSchema),
  registry: v.string(),
  /** Of the store's directory of repositories: another store under the same name begins anew. */
  store: v.string(),
  /** `INDEX/COUNT`: which digests it is about. */
  shard: v.string(),
  /** Begin of the mark, and what the machine knew of time then. */
  markedAt: v.pipe(v.number(), v.finite(), v.minValue(0)),
  boot: v.string(),
  uptimeSeconds: v.pipe(v.number(), v.finite(), v.minValue(0)),
});

export type LedgerHead = v.InferOutput<typeof headSchema>;

/** Since when, by digest. A schema takes several times as long as to parse a line, and these are nearly all lines. */
type SinceByDigest = Readonly<Record<string, number>>;

/** The links of one repository, each since when. */
export interface RepositoryLine {
  readonly repository: string;
  readonly revisions: SinceByDigest;
  readonly layers: SinceByDigest;
}

function isSinceByDigest(value: unknown): value is SinceByDigest {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const since of Object.values(value)) if (!Number.isFinite(since)) return false;
  return true;
}

function hasKeys(document: object, count: number): boolean {
  return Object.keys(document).length === count;
}
const endLine = v.strictObject({ entries: count, sha256: v.string() });

/** A line of a ledger; undefined when it is none. */
export function parseLedgerLine(
  text: string,
):
  | { readonly line: "head"; readonly head: LedgerHead }
  | { readonly line: "repository"; readonly repository: RepositoryLine }
  | { readonly line: "blobs"; readonly blobs: SinceByDigest }
  | { readonly line: "end"; readonly entries: number; readonly sha256: string }
  | undefined {
  const document = parseJson(text);
  if (typeof document !== "object" || document === null) return undefined;
  if ("repository" in document) {
    const { repository, revisions, layers } = document as Partial<Record<string, unknown>>;
    const isUsable = typeof repository === "string" && isSinceByDigest(revisions) && isSinceByDigest(layers);
    if (!isUsable || !hasKeys(document, 3)) return undefined;
    return { line: "repository", repository: { repository, revisions, layers } };
  }
  if ("blobs" in document) {
    const { blobs } = document;
    return isSinceByDigest(blobs) && hasKeys(document, 1) ? { line: "blobs", blobs } : undefined;
  }
  if ("entries" in document) {
    const parsed = v.safeParse(endLine, document);
    return parsed.success ? { line: "end", ...parsed.output } : undefined;
  }
  const parsed = v.safeParse(headSchema, document);
  return parsed.success ? { line: "head", head: parsed.output } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a ledger of another store, registry or shard is of no use; undefined when it is this mark's own. */
export function foreignReason(
  head: LedgerHead,
  own: Pick<LedgerHead, "registry" | "store" | "shard">,
): string | undefined {
  if (head.registry !== own.registry) return `is that of the registry ${head.registry}`;
  if (head.store !== own.store) return "is that of another store, which lay here before";
  if (head.shard !== own.shard) return `is that of the shard ${head.shard}`;
  return undefined;
}

/** What a machine knows of time. */
export type Moment = Pick<LedgerHead, "markedAt" | "boot" | "uptimeSeconds">;

/**
 * Milliseconds that have surely gone by from one mark to the next: by the clock, but never more than the machine was up
 * for meanwhile, which no change of the clock touches. What was dead for a while at the first is so for this much longer
 * at the second; a clock that was set forth makes nothing dead earlier.
 */
export function creditOf(last: Moment, now: Moment): number {
  const byClock = now.markedAt - last.markedAt;
  const isSameBoot = last.boot === now.boot && now.uptimeSeconds >= last.uptimeSeconds;
  // Of the time before this start of the machine nothing is sure.
  const byUptime = (now.uptimeSeconds - (isSameBoot ? last.uptimeSeconds : 0)) * 1000;
  return Math.max(0, Math.min(byClock, byUptime));
}

/**
 * Milliseconds by which the clock was set forth from one mark to the next: what was written or logged before seems older by
 * that than it is. 0 where the machine was started meanwhile, as of that time nothing is known.
 */
export function setForthOf(last: Moment, now: Moment): number {
  if (last.boot !== now.boot || now.uptimeSeconds < last.uptimeSeconds) return 0;
  return Math.max(0, now.markedAt - last.markedAt - (now.uptimeSeconds - last.uptimeSeconds) * 1000);
}

/** Since when something is unreached, by the clock of now. A time after its own mark is not trusted. */
export function sinceOf(recorded: number, last: Moment, now: Moment): number {
  const ageMs = Math.max(0, last.markedAt - recorded);
  return now.markedAt - creditOf(last, now) - ageMs;
}
