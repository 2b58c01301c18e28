import type { Described, Sentences } from "./describe-finding.ts";
import { counted } from "./phrases.ts";

/** What is said of a repository whose name is invalid; undefined for any other finding. */
export function nameSentences({ cause, repository, tags }: Described): Sentences | undefined {
  if (cause !== "name-invalid") return undefined;
  const count = tags.length === 0 ? "" : ` Its ${counted(tags.length, "tag")} cannot be pulled.`;
  return {
    message: `The registry takes no request for ${repository}: that is no name of a repository.${count}`,
    hint:
      "move its directory to a name of lower-case letters, digits and single separators (below docker/registry/v2/" +
      "repositories in the registry's data directory), or remove it if it is a copy made by hand.",
  };
}
