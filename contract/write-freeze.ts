/** What nginx, the programs and the units agree on about the freeze: for seconds nginx holds every write to the registry. */

/** On the host, in memory, so that a boot ends every freeze; nginx has it mounted read-only under the same path. */
export const freezeDirectory = "/run/regwarden/freeze";

/** While it is there and its lease lasts, nginx holds writes. Its content is a {@link FreezeLease}. */
export const freezeFlag = `${freezeDirectory}/flag`;

/** In nginx's container, in memory, where its workers may write: a file for each write that is on its way or held. */
export const writeRecords = "/tmp/regwarden-writes";

/** File name of the handler that holds writes, beside nginx's configuration. */
export const freezeHandler = "write-freeze.js";

/**
 * nginx's module for JavaScript, where both the official images and Debian's package have it. The handler needs version
 * 0.7.9 or newer.
 */
export const jsModule = "/usr/lib/nginx/modules/ngx_http_js_module.so";

/** Where the metrics port serves the state of the freeze. */
export const freezePaths = {
  /** A {@link FreezeStatus}. */
  status: "/freeze",
  /** Held like a write, whatever is asked: an answer means that nginx holds no writes. */
  probe: "/freeze/probe",
  metrics: "/metrics/freeze",
} as const;

/** JSON of the flag file. A lease that ends later than {@link freezeLimits} allow counts as none: a clock was set back. */
export interface FreezeLease {
  /** Unix time in milliseconds. */
  readonly until: number;
}

/** JSON that nginx serves. */
export interface FreezeStatus {
  readonly frozen: boolean;
  /** End of the lease, Unix time in milliseconds; null without one that counts. */
  readonly until: number | null;
  /** Writes that are held. */
  readonly held: number;
  /** Requests of {@link freezePaths.probe} that are held. */
  readonly probes: number;
  /** Manifests that clients put, and whose answer is not there yet. */
  readonly manifestPuts: number;
  /** Ends of uploads and mounts, which link a blob, and whose answer is not there yet. */
  readonly commits: number;
}

export const freezeLimits = {
  /** What a freeze should take at most. */
  budgetSeconds: 5,
  /** What it never exceeds, and for how long one write is held: containerd gives up after 30 s without a header. */
  hardStopSeconds: 20,
  /** Writes that are held at once; more get an answer at once. */
  heldAtMost: 256,
  /** What a write that was held for too long is told to wait. */
  retryAfterSeconds: 5,
} as const;
