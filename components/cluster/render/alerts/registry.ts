import { sources } from "../sources.ts";
import type { Alert, AlertScope } from "./alert.ts";

/** Whether the registries, the caches and the nginx in front of them answer, and how well the caches do. */
export function registryAlerts(scope: AlertScope): Alert[] {
  return [...downAlerts(scope), cacheAlert()];
}

function downAlerts({ instance }: AlertScope): Alert[] {
  const { registries, private: own } = sources;
  return [
    {
      name: "DockerRegistryDown",
      expr: `up{${registries}} == 0`,
      for: "10m",
      severity: "warning",
      summary:
        "The registry {{ $labels.registry }} at {{ $labels.instance }} has not answered for 10 minutes",
      description: "Metrics of this registry or cache cannot be read; pulls through it fail or go elsewhere.",
    },
    {
      name: "RegistryPrivateDown",
      expr: `up{${own}} == 0`,
      for: "5m",
      severity: "critical",
      summary: "The private registry at {{ $labels.instance }} is down",
      description: "Builds cannot push, and no node can pull an image that exists nowhere else.",
    },
    {
      name: "RegistryFrontDown",
      expr: `max by (instance) (up{${registries}}) == 0`,
      for: "5m",
      severity: "critical",
      summary: "Nothing answers at {{ $labels.instance }}: nginx or the whole VM is down",
      description: "All registries are scraped through nginx, and every one of them is silent.",
    },
    {
      name: "RegistryScrapeAbsent",
      expr: `absent(up{${registries}})`,
      for: "15m",
      severity: "warning",
      summary: `Prometheus does not scrape the registries of ${instance}`,
      description: "There is no target: that a registry is down would go unseen.",
    },
  ];
}

function cacheAlert(): Alert {
  const rate = (type: string) =>
    `sum by (registry, instance) (rate(${sources.cacheLookups}{type="${type}"}[15m]))`;
  return {
    name: "RegistryLowCacheHitRate",
    expr: `${rate("Hit")} / ${rate("Request")} * 100 < 25`,
    for: "12h",
    severity: "info",
    summary:
      'Cache hit rate of {{ $labels.registry }} at {{ $labels.instance }} is {{ $value | printf "%.0f" }}%, below 25%',
    description: "Most lookups go to the disk or to the remote registry.",
  };
}
