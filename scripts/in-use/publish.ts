import { type InUseReport, inUseArtifactType } from "../../contract/in-use-report.ts";
import { ProgramError } from "../cli/errors.ts";
import type { Send } from "../http/client.ts";
import type { Account } from "../http/exchange.ts";
import { type Pushed, pushImage } from "../push/push-image.ts";
import { digestOf } from "../registry/digest.ts";
import { mediaTypes } from "../registry/media-types.ts";

/** A repository and a tag of the registry that is asked. */
export interface PublishTarget {
  readonly repository: string;
  readonly tag: string;
}

/**
 * Puts the list into the registry itself, where the programs on its host read it from the store.
 *
 * An incomplete list is not put there: it would replace one that can be used until it is a day old.
 *
 * Errors: E_REGISTRY_UNREACHABLE; E_REGISTRY_ANSWER when the registry refuses.
 */
export async function publish(
  report: InUseReport,
  target: PublishTarget & { readonly origin: string; readonly account: Account },
  send: Send,
): Promise<void> {
  if (!report.complete)
    throw new ProgramError("E_REGISTRY_ANSWER", "An incomplete list of the images in use is not published.");
  await pushImage({ ...target, send }, artifactOf(report));
}

/** Source: OCI image spec, manifest.md, "Guidelines for Artifact Usage". */
export function artifactOf(report: InUseReport): Pushed {
  const layer = encode(report);
  const config = encode({});
  const manifest = encode({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: inUseArtifactType,
    config: descriptor("application/vnd.oci.empty.v1+json", config),
    layers: [descriptor(inUseArtifactType, layer)],
  });
  return { manifest, mediaType: mediaTypes.ociManifest, blobs: [config, layer] };
}

function encode(document: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}

function descriptor(mediaType: string, content: Uint8Array): object {
  return { mediaType, digest: digestOf(content), size: content.byteLength };
}
