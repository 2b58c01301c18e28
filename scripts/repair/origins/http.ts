import type { Account } from "../../http/exchange.ts";
import { type Digest, isDigestOf } from "../../registry/digest.ts";
import { collect } from "../../source/bounded.ts";
import { type HttpRegistry, httpRegistry } from "../../source/http/registry.ts";
import type { BlobState, ManifestState } from "../../source/source.ts";
import type { ManifestBytes, Origin, Size } from "./origin.ts";

interface Options {
  /** Scheme, host and port. */
  readonly url: string;
  /** The only repository to ask; null: the one of the same name. */
  readonly repository: string | null;
  readonly account: Account | undefined;
  readonly timeoutSeconds: number;
}

/** A healthy registry, over HTTP, one request at a time. Nothing that it says is believed before it is hashed. */
export function httpOrigin({ url, repository, account, timeoutSeconds }: Options): Origin {
  const source = httpRegistry({ name: url, origin: url, account, concurrency: 1, timeoutSeconds });
  return {
    label: repository === null ? url : `${url}/${repository}`,
    repositoryFor: (name) => repository ?? name,
    sizeOf: async (name, digest) => toSize(await source.blob(name, digest)),
    manifest: (name, digest) => readManifest(source, `${url}/v2/${name}/manifests/${digest}`, name, digest),
    read: (name, digest, isManifest) => source.content(name, digest, isManifest ? "manifest" : "blob"),
  };
}

function toSize(blob: BlobState): Size {
  if (blob.state === "invalid") return { ...blob, state: "unreadable", kind: "unexpected" };
  return blob.state === "present" ? { state: "present", sizeBytes: blob.sizeBytes } : blob;
}

async function readManifest(
  source: HttpRegistry,
  location: string,
  name: string,
  digest: Digest,
): Promise<ManifestBytes> {
  const fault = faultOf(await source.manifest(name, digest), location);
  if (fault) return fault;
  const content = Buffer.concat(await collect(source.content(name, digest, "manifest")));
  // Docker's first schema comes with signatures that its digest leaves out: these bytes are not those of the store.
  return isDigestOf(digest, content) ? { state: "read", content } : { state: "missing" };
}

function faultOf(state: ManifestState, location: string): ManifestBytes | undefined {
  if (state.state === "parsed") return undefined;
  if (state.state === "invalid") return { ...state, state: "unreadable", kind: "unexpected" };
  if (state.state !== "altered" && state.state !== "empty") return state;
  const reason = "answers with other bytes than the digest stands for";
  return { state: "unreadable", kind: "unexpected", location, reason };
}
