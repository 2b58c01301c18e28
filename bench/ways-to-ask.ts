import { join } from "node:path";
import { execa } from "execa";
import { nodeBinary, projectRoot } from "../lab/machine/paths.ts";
import { medianOf } from "./measure.ts";
import type { ServedStore } from "./served-store.ts";

const runs = 5;

export interface WayToAsk {
  readonly requestsPerSecond: number;
  /** Of the client, a request. */
  readonly processorMilliseconds: number;
}

/** All blobs of a store by HEAD and by one byte of each, in turns, 32 in flight: the medians of each. */
export async function measureWays(
  store: ServedStore,
): Promise<{ readonly head: WayToAsk; readonly byte: WayToAsk }> {
  const measured = { head: [] as WayToAsk[], byte: [] as WayToAsk[] };
  for (let run = 0; run < runs; run++)
    for (const way of ["head", "byte"] as const) measured[way].push(await measureWay(store, way));
  return { head: medians(measured.head), byte: medians(measured.byte) };
}

function medians(measured: readonly WayToAsk[]): WayToAsk {
  return {
    requestsPerSecond: medianOf(measured.map(({ requestsPerSecond }) => requestsPerSecond)),
    processorMilliseconds: medianOf(measured.map(({ processorMilliseconds }) => processorMilliseconds)),
  };
}

async function measureWay({ host, tags }: ServedStore, way: "head" | "byte"): Promise<WayToAsk> {
  const lines = tags.flatMap(({ repository, content }) =>
    content.parts.flatMap(({ parts }) =>
      parts.map(({ descriptor }) => `${repository} ${descriptor.digest}\n`),
    ),
  );
  const program = join(import.meta.dirname, "blob-client.ts");
  const { stdout } = await execa(nodeBinary, [program, `http://${host}`, way, "32"], {
    cwd: projectRoot,
    input: lines.join(""),
  });
  return JSON.parse(stdout) as WayToAsk;
}
