import { isRepositoryName } from "../registry/reference.ts";
import type { RepositoryFacts } from "../source/facts.ts";
import type { RawFinding } from "./raw-finding.ts";

/**
 * A repository whose name no client can ask for: a directory that was copied or renamed by hand. The catalogue lists it,
 * and each request for it ends with 404 before the registry reads anything.
 *
 * Source: distribution v2.8.3, registry/api/v2/routes.go (RouteDescriptors), reference/regexp.go.
 */
export function findBadName({ registry, repository, tags }: RepositoryFacts): readonly RawFinding[] {
  if (isRepositoryName(repository)) return [];
  return [
    {
      kind: "repository",
      cause: "name-invalid",
      severity: "critical",
      registry,
      repository,
      digest: null,
      parent: null,
      tags: tags.flatMap(({ name }) => name ?? []).sort(),
      platform: null,
      place: null,
      remedy: "none",
    },
  ];
}
