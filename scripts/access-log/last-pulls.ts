import type { LoggedRequest } from "./parse-line.ts";
import { type LogReading, readRequests } from "./read-requests.ts";
import { parseRegistryRequest } from "./registry-request.ts";

/** When something was pulled last, by what it was pulled: a tag or a digest. Milliseconds since 1970. */
export type PullTimes = ReadonlyMap<string, number>;

export interface LastPulls extends LogReading {
  readonly repositories: ReadonlyMap<string, PullTimes>;
}

/**
 * When each tag and digest was pulled last: GET or HEAD of its manifest, since containerd asks for a tag by HEAD and then
 * for its digest, and by HEAD alone where it has the image. Left out are the agents that pull without need.
 *
 * `since`: milliseconds since 1970; earlier pulls are left out. Errors: none.
 */
export async function lastPulls(
  paths: readonly string[],
  since: number,
  isIgnored: (agent: string) => boolean,
): Promise<LastPulls> {
  const repositories = new Map<string, Map<string, number>>();
  const ignored = new Map<string, boolean>();
  const reading = await readRequests(paths, since, (request) => {
    const pulled = pulledBy(request);
    if (!pulled || memoized(ignored, request.agent, isIgnored)) return;
    const times = repositories.get(pulled.repository) ?? new Map<string, number>();
    repositories.set(pulled.repository, times);
    times.set(pulled.reference, Math.max(times.get(pulled.reference) ?? 0, request.time));
  });
  return { ...reading, repositories };
}

function pulledBy(request: LoggedRequest) {
  const { method, status } = request;
  if ((method !== "GET" && method !== "HEAD") || (status !== 200 && status !== 206 && status !== 304))
    return undefined;
  const asked = parseRegistryRequest(request);
  return asked?.about === "manifest" ? asked : undefined;
}

/** Agents are few, and a pattern for each of millions of lines is not. */
function memoized(known: Map<string, boolean>, agent: string, isIgnored: (agent: string) => boolean) {
  const found = known.get(agent);
  if (found !== undefined) return found;
  const answer = isIgnored(agent);
  // A client that sends another agent with every request must not fill the memory.
  if (known.size < 10_000) known.set(agent, answer);
  return answer;
}
