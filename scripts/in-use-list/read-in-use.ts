import { readFile } from "node:fs/promises";
import { inUseArtifactType } from "../../contract/in-use-report.ts";
import { describeError, systemCode } from "../cli/errors.ts";
import type { Digest } from "../registry/digest.ts";
import { blobDataPath, tagLinkPath } from "../registry/paths.ts";
import { parseReference } from "../registry/reference.ts";
import { readWhole } from "../source/disk/files.ts";
import { readLink } from "../source/disk/link.ts";
import { readManifest } from "../source/disk/manifest.ts";
import { checkInUse, type InUseList, type InUseRules, unusable } from "./check-in-use.ts";
import { parseInUseDocument } from "./in-use-document.ts";

/** A cluster of 100,000 images has some 50 MB of them. */
const sizeLimitBytes = 256 * 1024 * 1024;

const tagPrefix = "tag:";

/** Where the document comes from: a file, or an artifact in one of the stores. */
export type InUseOrigin =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "tag"; readonly registry: string; readonly repository: string; readonly tag: string };

/** What `--in-use` says: FILE, or `tag:REGISTRY/REPOSITORY:TAG`; undefined for neither. */
export function parseInUseOrigin(given: string): InUseOrigin | undefined {
  if (given === "") return undefined;
  if (!given.startsWith(tagPrefix)) return { kind: "file", path: given };
  const [, registry = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(given.slice(tagPrefix.length)) ?? [];
  // With a host before it, so that no part of the repository is taken for one.
  const parsed = parseReference(`registry.local/${rest}`);
  if ("reason" in parsed || parsed.tag === null || parsed.digest !== null) return undefined;
  return { kind: "tag", registry, repository: parsed.repository, tag: parsed.tag };
}

/**
 * What a cluster uses, from the document that `in-use --json` wrote; or why that cannot be used.
 *
 * `dataDirectoryOf`: of a registry of DIR by its name. Errors: none; whatever is wrong makes the list unusable.
 */
export async function readInUseList(
  origin: InUseOrigin,
  dataDirectoryOf: (registry: string) => string | undefined,
  rules: InUseRules,
): Promise<InUseList> {
  const read = origin.kind === "file" ? await readText(origin.path) : readArtifact(origin, dataDirectoryOf);
  if ("fault" in read) return unusable("unreadable", `The list of images in use ${read.fault}.`);
  const document = parseInUseDocument(read.text);
  if ("fault" in document) return unusable("unreadable", `${read.from} ${document.fault}.`);
  return checkInUse(document, read.from, rules);
}

type Text = { readonly text: string; readonly from: string } | { readonly fault: string };

async function readText(path: string): Promise<Text> {
  try {
    return { text: await readFile(path, "utf8"), from: path };
  } catch (error) {
    const reason = systemCode(error) === "ENOENT" ? "it is missing" : describeError(error);
    return { fault: `could not be read from ${path}: ${reason}` };
  }
}

function readArtifact(
  { registry, repository, tag }: Extract<InUseOrigin, { kind: "tag" }>,
  dataDirectoryOf: (registry: string) => string | undefined,
): Text {
  const from = `${registry}/${repository}:${tag}`;
  const fault = (reason: string): Text => ({ fault: `could not be read from ${from}: ${reason}` });
  const dataDirectory = dataDirectoryOf(registry);
  if (dataDirectory === undefined) return fault(`there is no registry ${registry} here`);
  const link = readLink(tagLinkPath(dataDirectory, repository, tag));
  if (!link || link.state === "missing") return fault("there is no such tag");
  if (link.state !== "linked") return fault(`${link.location} ${link.reason}`);
  const state = readManifest(dataDirectory, link.digest);
  if (state.state !== "parsed") return fault(`its manifest ${link.digest} is ${state.state}`);
  const layers = state.manifest.blobs.filter(({ role }) => role === "layer");
  const [layer] = layers;
  if (!layer || layers.length > 1)
    return fault(`it has ${layers.length} layers, and the artifact ${inUseArtifactType} has one`);
  return readLayer(dataDirectory, layer.digest, from, fault);
}

function readLayer(
  dataDirectory: string,
  digest: Digest,
  from: string,
  fault: (reason: string) => Text,
): Text {
  const blob = readWhole(blobDataPath(dataDirectory, digest), sizeLimitBytes);
  if (blob.state === "missing") return fault(`its layer ${digest} is missing`);
  if (blob.state === "unreadable") return fault(`${blob.location}: ${blob.reason}`);
  return { text: blob.content.toString("utf8"), from };
}
