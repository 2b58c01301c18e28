import { chmod, chown, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { LabError } from "../../machine/errors.ts";
import type { ObjectSource, PodObjects, Volume } from "./template.ts";

/** A file of a volume. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  /** User id. */
  readonly owner: number;
}

/** Mode of files for which neither volume nor item names one. Source: Kubernetes API, SecretVolumeSource. */
const usualMode = 0o644;

/** What a group gets on top with `fsGroup`, so that it may read. Source: Kubernetes, pkg/volume/volume_linux.go. */
const groupReads = 0o440;

function filesOf(
  name: string,
  source: ObjectSource & { readonly defaultMode?: number },
  data: ReadonlyMap<string, Buffer> | undefined,
): VolumeFile[] {
  if (data === undefined && !source.optional) throw new LabError("E_MISSING", `there is no ${name}`);
  const all = [...(data?.keys() ?? [])].map((key) => ({ key, path: key, mode: undefined, owner: undefined }));
  return (source.items ?? all).flatMap(({ key, path, mode, owner = 0 }) => {
    const content = data?.get(key);
    if (normalize(`/${path}`) !== `/${path}`) throw new LabError("E_UNSUPPORTED", `${name}: path ${path}`);
    if (content !== undefined)
      return [{ path, content, mode: mode ?? source.defaultMode ?? usualMode, owner }];
    if (source.optional) return [];
    throw new LabError("E_MISSING", `${name} has no key ${key}`);
  });
}

/** The files that a volume starts with; none for an empty directory. Errors: E_MISSING, as a kubelet would wait for it. */
export function volumeFiles(volume: Volume, objects: PodObjects): VolumeFile[] {
  const { configMap, secret, serviceAccount } = volume;
  if (configMap !== undefined) {
    return filesOf(`configMap ${configMap.name}`, configMap, objects.get(`configMap/${configMap.name}`));
  }
  if (serviceAccount !== undefined) {
    const { name } = serviceAccount;
    return filesOf(`service account ${name}`, serviceAccount, objects.get(`serviceAccount/${name}`));
  }
  if (secret === undefined) return [];
  return filesOf(`secret ${secret.secretName}`, secret, objects.get(`secret/${secret.secretName}`));
}

/** Makes a volume's directory with its files, owned as by a kubelet: by root or the item's owner, and by the pod's group. */
export async function makeVolume(
  directory: string,
  volume: Volume,
  objects: PodObjects,
  fsGroup: number | undefined,
): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const { path, content, mode, owner } of volumeFiles(volume, objects)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
    await chown(file, owner, fsGroup ?? 0);
    await chmod(file, fsGroup === undefined ? mode : mode | groupReads);
  }
  await chown(directory, 0, fsGroup ?? 0);
  await chmod(directory, volume.emptyDir === undefined ? 0o755 : 0o777);
}
