import type { HttpRegistry } from "./registry.ts";

/** The same registry, asked for each digest and tag of a repository once, however many images share it. */
export function memoize(source: HttpRegistry): HttpRegistry {
  return {
    ...source,
    tag: once(source.tag),
    manifest: once(source.manifest),
    blob: once(source.blob),
    fetch: once(source.fetch),
    hash: once(source.hash),
  };
}

function once<D extends string, T>(ask: (repository: string, name: D) => Promise<T>) {
  const asked = new Map<string, Promise<T>>();
  return (repository: string, name: D): Promise<T> => {
    const key = `${repository}@${name}`;
    const answer = asked.get(key) ?? ask(repository, name);
    asked.set(key, answer);
    return answer;
  };
}
