import { type AlertCase, always } from "./case.ts";

const up = (registry: string, job = "registry") =>
  `up{job="${job}",instance="10.0.20.10:5001",registry="${registry}"}`;
const lookups = (type: string) =>
  `registry_storage_cache_total{job="registry",registry="dockerhub",instance="10.0.20.10:5001",type="${type}"}`;
const at = { instance: "10.0.20.10:5001" };

export const registryCases: readonly AlertCase[] = [
  {
    title: "a cache is down",
    alert: "DockerRegistryDown",
    input: { [up("ghcr")]: always(0), [up("private")]: always(1) },
    holdsFromMinute: 0,
    labels: { ...at, job: "registry", registry: "ghcr" },
    quiet: { [up("ghcr")]: always(1), [up("", "scan")]: always(0), [up("", "node")]: always(0) },
  },
  {
    title: "the private registry is down",
    alert: "RegistryPrivateDown",
    input: { [up("private")]: always(0) },
    holdsFromMinute: 0,
    labels: { ...at, job: "registry", registry: "private" },
    quiet: { [up("private")]: always(1), [up("ghcr")]: always(0) },
  },
  {
    title: "nothing behind nginx answers",
    alert: "RegistryFrontDown",
    input: { [up("private")]: always(0), [up("ghcr")]: always(0) },
    holdsFromMinute: 0,
    labels: at,
    quiet: { [up("private")]: always(0), [up("ghcr")]: always(1) },
  },
  {
    title: "no registry is scraped",
    alert: "RegistryScrapeAbsent",
    input: { [up("", "node")]: always(1) },
    holdsFromMinute: 0,
    labels: {},
    quiet: { [up("private")]: always(0) },
  },
  {
    title: "one lookup of ten hits",
    alert: "RegistryLowCacheHitRate",
    input: { [lookups("Hit")]: "0+6x3000", [lookups("Request")]: "0+60x3000" },
    holdsFromMinute: 1,
    labels: { ...at, registry: "dockerhub" },
    value: "10",
    // No client asks at night: no rate is not a low one.
    quiet: { [lookups("Hit")]: always(5), [lookups("Request")]: always(50) },
  },
];
