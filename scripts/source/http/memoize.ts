import type { HttpRegistry } from "./registry.ts";

/** The same registry, asked for each digest, tag and list of names once, however many images share it. */
export function memoize(source: HttpRegistry): HttpRegistry {
  const manifests = createMemo(source.manifest);
  const tags = createMemo(async (repository: string, tag: string) => {
    const fact = await source.tag(repository, tag);
    if (fact.link.state === "linked" && fact.manifest)
      manifests.put(repository, fact.link.digest, fact.manifest);
    return fact;
  });
  const names = createMemo((repository: string, _all: "") => source.tagNames(repository));
  return {
    ...source,
    tag: tags.get,
    tagNames: (repository) => names.get(repository, ""),
    manifest: manifests.get,
    blob: createMemo(source.blob).get,
    fetch: createMemo(source.fetch).get,
    hash: createMemo(source.hash).get,
  };
}

function createMemo<D extends string, T>(ask: (repository: string, name: D) => Promise<T>) {
  const asked = new Map<string, Promise<T>>();
  const keyOf = (repository: string, name: D) => `${repository}@${name}`;
  return {
    get: (repository: string, name: D): Promise<T> => {
      const key = keyOf(repository, name);
      const answer = asked.get(key) ?? ask(repository, name);
      asked.set(key, answer);
      return answer;
    },
    /** For an answer that came with another question. */
    put: (repository: string, name: D, answer: T) => {
      const key = keyOf(repository, name);
      if (!asked.has(key)) asked.set(key, Promise.resolve(answer));
    },
  };
}
