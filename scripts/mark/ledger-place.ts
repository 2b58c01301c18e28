import { readFile, stat } from "node:fs/promises";
import { uptime } from "node:os";
import { join, resolve } from "node:path";
import { ownDirectory, repositoriesPath, storePath } from "../registry/paths.ts";
import type { Share } from "../source/source.ts";
import { exists } from "../store-change/paths.ts";
import { type LedgerHead, ledgerSchema } from "./ledger.ts";

/** The file of a registry's ledger, below the directory that the program was given. */
export function ledgerPath(directory: string, registry: string, shard: Share | undefined): string {
  const part = shard && shard.count > 1 ? `.${shard.index + 1}-of-${shard.count}` : "";
  return join(resolve(directory), ownDirectory, "ledger", `${registry}${part}.jsonl`);
}

/** The head of the ledger of a mark that begins now. Errors: those of the file system. */
export async function ledgerHead(
  { name, dataDirectory }: { readonly name: string; readonly dataDirectory: string },
  shard: Share | undefined,
  markedAt: number,
): Promise<LedgerHead> {
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
  return {
    schema: ledgerSchema,
    registry: name,
    store: await identityOf(dataDirectory),
    shard: shard ? `${shard.index + 1}/${shard.count}` : "1/1",
    markedAt,
    boot,
    uptimeSeconds: uptime(),
  };
}

/** The number of a device may change with each start of a machine; that of a file, and its birth, do not. */
async function identityOf(dataDirectory: string): Promise<string> {
  const repositories = repositoriesPath(dataDirectory);
  const path = (await exists(repositories)) ? repositories : storePath(dataDirectory);
  const { ino, birthtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${birthtimeNs}`;
}
