import type { FindingCause } from "../../contract/finding.ts";
import { faultOfBlob } from "../graph/defects.ts";
import type { BlobDescriptor } from "../registry/manifest.ts";
import type { BlobState, LinkState, ManifestState } from "../source/source.ts";

/** Why a blob or a link is of no use. */
export interface Fault {
  readonly cause: FindingCause;
  /** Half a sentence about it. */
  readonly reason: string;
  /** Whether a file is there, which a change replaces. */
  readonly isThere: boolean;
  /** Whether another file in its place would help. */
  readonly canReplace: boolean;
}

const missing: Fault = { cause: "blob-missing", reason: "is missing", isThere: false, canReplace: true };

/** The digest under which the store would keep it can be seen from the content alone. */
export const notInStore: Fault = { ...missing, canReplace: false };

export function unreadable(reason: string): Fault {
  const text = `could not be read (${reason})`;
  return { cause: "unreadable", reason: text, isThere: true, canReplace: false };
}

export function faultOfContent(state: BlobState, blob: BlobDescriptor): Fault | undefined {
  const cause = faultOfBlob(state, blob);
  if (cause === undefined) return undefined;
  if (state.state === "unreadable" || state.state === "invalid") return unreadable(state.reason);
  if (state.state === "missing") return missing;
  const there = { cause, isThere: true, canReplace: true } as const;
  if (cause === "blob-empty") return { ...there, reason: "is empty" };
  if (cause === "digest-mismatch") return { ...there, reason: "has other bytes" };
  const { sizeBytes, isAltered } = state;
  if (isAltered !== false) return { ...there, reason: `has ${sizeBytes} bytes instead of ${blob.sizeBytes}` };
  // A client compares the length with the manifest's, and refuses it: no copy has another.
  const reason = `has ${sizeBytes} bytes, as its digest says, but the manifest promises ${blob.sizeBytes}`;
  return { ...there, reason, canReplace: false };
}

export function faultOfManifest(state: ManifestState): Fault | undefined {
  if (state.state === "parsed") return undefined;
  if (state.state === "missing") return missing;
  const there = { isThere: true, canReplace: true } as const;
  if (state.state === "empty") return { ...there, cause: "blob-empty", reason: "is empty" };
  if (state.state === "altered") return { ...there, cause: "digest-mismatch", reason: "has other bytes" };
  const fault = unreadable(state.reason);
  const isUnparsable = state.state === "unreadable" && state.isUnparsable === true;
  return isUnparsable ? { ...fault, reason: state.reason } : fault;
}

export function faultOfLink(link: LinkState | undefined): Fault | undefined {
  switch (link?.state) {
    case "linked":
      return undefined;
    case "unreadable":
      return unreadable(link.reason);
    case "invalid":
      return { cause: "link-invalid", reason: link.reason, isThere: true, canReplace: true };
    default:
      return { ...missing, cause: "link-missing" };
  }
}
