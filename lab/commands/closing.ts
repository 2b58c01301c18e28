import { join, relative } from "node:path";
import { registryContainer } from "../../contract/host-names.ts";
import { defaultDirectory, hostPaths } from "../../contract/host-paths.ts";
import { defaultCaches } from "../../contract/registries.ts";
import { urlsOf } from "../cluster/endpoints.ts";
import { hasCluster, kubeconfigFile } from "../cluster/paths.ts";
import { registryHostName } from "../host/certificates.ts";
import { clientFiles } from "../host/client-files.ts";
import type { LabHost } from "../host/host.ts";
import { ciImageReference } from "../images/sample-images.ts";
import { type Instance, ports } from "../machine/instances.ts";
import { projectRoot, stateDirectory } from "../machine/paths.ts";
import { heading, table } from "../machine/screen.ts";

/** A path as a person in the project's directory would type it. */
function shown(path: string): string {
  return relative(projectRoot, path);
}

function addressesText(instance: Instance, host: LabHost): string {
  const { address } = host;
  const caches = defaultCaches.map(({ name, port }) => [`Cache ${name}`, `http://${address}:${port}`]);
  return table([
    [
      "Private registry",
      `https://${address}:${ports.private} (its name in the certificate: ${registryHostName})`,
    ],
    ...caches,
    ["Web page", `https://${address}:${ports.ui}`],
    ["Metrics", `http://${address}:${ports.metrics}/metrics`],
    ...clusterAddresses(instance),
    ["Account", `ci, password in ${shown(join(stateDirectory(instance), "registry-password"))}`],
    ["Account for skopeo", shown(clientFiles(instance).authFile)],
    ["Authority", shown(`${clientFiles(instance).certificateDirectory}/ca.crt`)],
    ["Stack, logs", shown(stateDirectory(instance))],
    ["Shell on the host", shown(clientFiles(instance).sshCommand)],
  ]);
}

function clusterAddresses(instance: Instance): string[][] {
  if (!hasCluster(instance)) return [];
  const { apiServer, prometheus, pushgateway } = urlsOf(instance);
  return [
    ["API server", `${apiServer} (KUBECONFIG=${shown(kubeconfigFile(instance))})`],
    ["Prometheus", `${prometheus} (Pushgateway: ${pushgateway})`],
  ];
}

function commandsText(instance: Instance): string {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const flags = `--authfile ${shown(authFile)} --cert-dir ${shown(certificateDirectory)}`;
  const ssh = shown(clientFiles(instance).sshCommand);
  const own = instance === "lab" ? "" : ` --instance ${instance}`;
  const stack = instance === "lab" ? "" : ` -- --stack ${instance}`;
  const tour: string[][] = hasCluster(instance)
    ? [["Be led through all of it", `npm run lab -- tour${own}`]]
    : [];
  return table([
    ...tour,
    ["Check that nothing differs", `npm run preview${stack}`],
    ["Make drift by hand", `${ssh} docker stop ${registryContainer("quay")}`],
    ["", `${ssh} "echo '# by hand' >>${hostPaths(defaultDirectory).nginxConfig}"`],
    ["See it, heal it", `npm run drift${stack}; npm run up${stack}`],
    ["Inspect an image", `skopeo inspect --raw ${flags} docker://${registry}/${ciImageReference}`],
    hasCluster(instance)
      ? ["Break an image, bring it back, lose none", `npm run lab -- incident${own}`]
      : ["Add Kubernetes and alerts", `npm run lab${own === "" ? "" : ` --${own}`}`],
    ["See what runs", `npm run lab -- status${own}`],
    ["Remove it all", `npm run lab -- down${own}`],
  ]);
}

/** What to print when the lab is up. */
export function closingText(instance: Instance, host: LabHost): string {
  return [
    heading("What runs where"),
    addressesText(instance, host),
    heading("What to try next"),
    commandsText(instance),
  ].join("\n");
}
