import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { scrapeName } from "../../contract/cluster-names.ts";
import { labelsOf, metadata } from "./render/metadata.ts";
import { type ScrapeScope, scrapeConfigSpec, scrapeFile, scrapeJobs } from "./render/scrape.ts";
import type { ClusterSettings } from "./settings.ts";

/** Arguments of {@link RegistryScrape}. */
export interface RegistryScrapeArgs {
  readonly settings: ClusterSettings;
}

/** What Prometheus must scrape for the rules, in the form that the cluster's Prometheus reads. */
export class RegistryScrape extends pulumi.ComponentResource {
  constructor(name: string, { settings }: RegistryScrapeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("registry:cluster:RegistryScrape", name, {}, opts);
    const { namespace, scrape, pushgatewayUrl } = settings;
    const scope: ScrapeScope = {
      metricsAddress: scrape.metricsAddress,
      registries: scrape.registries,
      backsUp: scrape.backsUp,
      breaksGlass: scrape.breaksGlass,
      pushgatewayUrl: scrape.pushgateway ? pushgatewayUrl : undefined,
    };
    const labels = labelsOf(scrape.labels);
    const own = { parent: this };
    if (scrape.as === "scrapeConfig") {
      for (const job of scrapeJobs(scope))
        new k8s.apiextensions.CustomResource(
          `${name}-${job.job}`,
          {
            apiVersion: "monitoring.coreos.com/v1alpha1",
            kind: "ScrapeConfig",
            metadata: metadata(scrapeName(job.job), namespace, labels),
            spec: scrapeConfigSpec(job),
          },
          own,
        );
    } else if (scrape.as === "configMap") {
      new k8s.core.v1.ConfigMap(
        `${name}-config-map`,
        {
          metadata: metadata(scrapeName("jobs"), namespace, labels),
          data: { "regwarden.scrape.yaml": scrapeFile(scope) },
        },
        own,
      );
    }
    this.registerOutputs({});
  }
}
