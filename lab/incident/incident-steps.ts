import { relative } from "node:path";
import { cronJobs } from "../../contract/cluster-names.ts";
import { units } from "../../contract/host-names.ts";
import { defaultDirectory, hostPaths } from "../../contract/host-paths.ts";
import { namespaces, urlsOf } from "../cluster/endpoints.ts";
import { runCronJob } from "../cluster/pods/runner.ts";
import type { Observation, Step } from "../demonstration/step.ts";
import { clientFiles } from "../host/client-files.ts";
import type { LabHost } from "../host/host.ts";
import { ciImage, ciImageReference, layoutDirectory, pushCiImage } from "../images/sample-images.ts";
import type { Instance } from "../machine/instances.ts";
import { projectRoot } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { type ScanSummary, scanLine, scanNow } from "../stack/scan.ts";
import { alertFires, alertResolves, alertsNamed } from "./alerts.ts";
import { type ClientResult, inspectTag, pullImage, shortDigests } from "./client-view.ts";
import { damage, damageCommand } from "./damage.ts";

/** What the incident happens to, and what was read before it begins. */
export interface Scene {
  readonly instance: Instance;
  readonly host: LabHost;
  /** How long the alert waits here, in seconds. */
  readonly waitSeconds: number;
}

export const alertName = "RegistryManifestIntegrityFailure";

/** Several scrapes and evaluations of the lab's Prometheus. */
const noticeSeconds = 60;
const image = ciImageReference;
const architectures = ["amd64", "arm64"] as const;
const repairCommand = `regwarden repair ${hostPaths(defaultDirectory).data}`;

/** Commands as a person in the project's directory would type them. */
function commandsOf({ instance }: Scene) {
  const { authFile, certificateDirectory, registry, sshCommand } = clientFiles(instance);
  const shown = (path: string) => relative(projectRoot, path);
  const account = `--authfile ${shown(authFile)}`;
  const certificates = shown(certificateDirectory);
  const layout = `${shown(layoutDirectory(instance))}:${ciImage.tag}`;
  const option = instance === "lab" ? "" : ` --instance ${instance}`;
  const pods = (cronJob: string) => `npm run lab -- run ${namespaces.monitoring}/${cronJob}${option}`;
  return {
    ssh: shown(sshCommand),
    tag: `skopeo inspect --raw ${account} --cert-dir ${certificates} docker://${registry}/${image}`,
    pull: `skopeo copy ${account} --src-cert-dir ${certificates} docker://${registry}/${image} dir:/tmp/pulled`,
    push: `skopeo copy --all ${account} --dest-cert-dir ${certificates} oci:${layout} docker://${registry}/${image}`,
    scan: `${shown(sshCommand)} systemctl start ${units.scan}`,
    probe: pods(cronJobs.probe),
    inUse: pods(cronJobs.inUse),
    alerts: `curl -s ${urlsOf(instance).prometheus}/api/v1/alerts`,
  };
}

function observe(text: string, isExpected: boolean): Observation {
  return { text, isExpected };
}

function observeClient(what: string, result: ClientResult, shouldWork: boolean): Observation {
  return observe(`${what}: ${result.worked ? "works" : result.text}`, result.worked === shouldWork);
}

async function observePulls(
  { instance }: Scene,
  shouldWork: boolean,
  options: StepOptions,
): Promise<Observation[]> {
  const observations: Observation[] = [];
  for (const architecture of architectures) {
    const result = await pullImage(instance, image, architecture, options);
    observations.push(observeClient(`pull for linux/${architecture}`, result, shouldWork));
  }
  return observations;
}

/** The tag and a pull for each platform. The tag works in every step: that is what hides the damage. */
async function observeImage(scene: Scene, shouldPull: boolean, options: StepOptions): Promise<Observation[]> {
  const tag = observeClient(`tag ${image}`, await inspectTag(scene.instance, image, options), true);
  return [tag, ...(await observePulls(scene, shouldPull, options))];
}

function observeSummary(summary: ScanSummary, isClean: boolean): Observation {
  return observe(`scan: ${scanLine(summary)}`, summary.complete && (summary.critical === 0) === isClean);
}

const longestLine = 190;

/** A line with short digests, cut between words. */
function shortLine(text: string): string {
  const line = shortDigests(text.trim());
  if (line.length <= longestLine) return line;
  return `${line.slice(0, line.lastIndexOf(" ", longestLine))} ...`;
}

/** What a screen shows of a probe's log: its first line, the first findings, and the sum. */
export function logExcerpt(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const findings = lines.filter((line) => /^\s+- /.test(line)).slice(0, 2);
  const ends = lines.length > 1 ? [lines.at(-1) ?? ""] : [];
  return [lines[0] ?? "", ...findings, ...ends].map(shortLine).join("\n");
}

/** What a screen shows of the in-use check's log: the first workload that cannot start; else its last line. */
export function inUseExcerpt(log: string): string {
  const hit = /\S+ \S+ cannot start a new pod/.exec(log)?.[0];
  return hit ?? log.trim().split("\n").at(-1) ?? "";
}

/** Runs all checks: the scan, the probe's pods and the in-use check's pod. */
async function observeChecks(scene: Scene, isClean: boolean, options: StepOptions): Promise<Observation[]> {
  const { instance, host } = scene;
  const expectedCode = isClean ? 0 : 1;
  const scan = observeSummary(await scanNow(host, options), isClean);
  const pods = await runCronJob(instance, namespaces.monitoring, cronJobs.probe, options);
  const worst = Math.max(...pods.map(({ exitCode }) => exitCode));
  const log = pods.map((pod) => logExcerpt(pod.log)).join("\n");
  const [pod] = await runCronJob(instance, namespaces.monitoring, cronJobs.inUse, options);
  const inUse = `in-use: exit code ${pod?.exitCode}: ${inUseExcerpt(pod?.log ?? "")}`;
  return [
    scan,
    observe(`probe: exit code ${worst}\n${log}`, worst === expectedCode),
    observe(inUse, pod?.exitCode === expectedCode),
  ];
}

function before(scene: Scene, options: StepOptions): Step {
  const { tag, pull, scan, probe, inUse } = commandsOf(scene);
  return {
    title: "Before: all is well",
    commands: [tag, pull, scan, probe, inUse],
    run: async () => [
      ...(await observeImage(scene, true, options)),
      ...(await observeChecks(scene, true, options)),
      observe("no alert", (await alertsNamed(scene.instance, alertName)).length === 0),
    ],
    meaning: `${image} is an image index: a list that names one child image for each platform.`,
  };
}

function collection(scene: Scene, options: StepOptions): Step {
  const { ssh } = commandsOf(scene);
  return {
    title: 'The operator runs "garbage-collect -m"',
    commands: [`${ssh} ${damageCommand}`],
    run: async () => {
      const { manifests, blobs } = await damage(scene.host, options);
      const text = `it deleted the links of ${manifests} manifests, and ${blobs} blobs, without one error`;
      return [observe(text, manifests > 0)];
    },
    meaning:
      'With "-m" (delete untagged), distribution 2.8 takes the children of an index for untagged images, although the ' +
      "index that names them is tagged.",
  };
}

function clientView(scene: Scene, options: StepOptions): Step {
  const { tag, pull } = commandsOf(scene);
  return {
    title: "What a client sees",
    commands: [tag, pull],
    run: () => observeImage(scene, false, options),
    meaning:
      "The tag still answers, so a check of the tags alone finds nothing wrong. No client can pull the image.",
  };
}

function detection(scene: Scene, options: StepOptions): Step {
  const { scan, probe, inUse } = commandsOf(scene);
  return {
    title: "What the checks find",
    commands: [scan, probe, inUse],
    run: () => observeChecks(scene, false, options),
    meaning:
      "The scan follows every reference on the disk, once a day; the probe checks the same over the network, every " +
      "quarter of an hour, and pushes its result to Pushgateway. Both follow a tag down to its layers. in-use lists the " +
      "workloads of the cluster that need the image.",
  };
}

function alert(scene: Scene): Step {
  const { instance, waitSeconds } = scene;
  return {
    title: "The alert",
    commands: [commandsOf(scene).alerts],
    run: async () => {
      const start = performance.now();
      const found = await alertFires(instance, alertName, waitSeconds + noticeSeconds);
      if (found === undefined) return [observe(`${alertName} does not fire`, false)];
      const seconds = Math.round((performance.now() - start) / 1000);
      const summary = found.annotations.summary ?? "(no summary)";
      return [observe(`${alertName} fires after ${seconds} s: ${summary}`, true)];
    },
    meaning: `Prometheus fires it once the fault has lasted ${waitSeconds} s (shortened for this demonstration).`,
  };
}

/** A dry run: it plans and changes nothing. */
function repairPlan(scene: Scene, options: StepOptions): Step {
  return {
    title: "What repair can restore",
    commands: [`${commandsOf(scene).ssh} ${repairCommand}`],
    run: async () => {
      const { exitCode, stdout } = await scene.host.exec(repairCommand, { ...options, quiet: true });
      return [observe(`repair: exit code ${exitCode}\n${stdout.trim()}`, exitCode === 1)];
    },
    meaning:
      "Where all data is still in the store, repair writes the missing links; missing data it copies from a healthy " +
      'registry (--from). It changes nothing without --apply, and --undo takes it back. This "-m" deleted the layers too, ' +
      "and there is no other registry here, so repair lists what to push.",
  };
}

function pushAgain(scene: Scene, options: StepOptions): Step {
  const { push, pull } = commandsOf(scene);
  return {
    title: "The image is pushed again",
    commands: [push, pull],
    run: async () => {
      await pushCiImage(scene.instance, options);
      return [observe(`${image} is pushed`, true), ...(await observePulls(scene, true, options))];
    },
    meaning:
      "Pushing the same image again, with all its platforms, uploads and links what is missing. The digests are the " +
      "same as before, so whatever is pinned to them works again.",
  };
}

function allClear(scene: Scene, options: StepOptions): Step {
  const { scan, probe, inUse, alerts } = commandsOf(scene);
  return {
    title: "All clear",
    commands: [scan, probe, inUse, alerts],
    run: async () => [
      ...(await observeChecks(scene, true, options)),
      observe(`${alertName} is resolved`, await alertResolves(scene.instance, alertName, noticeSeconds)),
    ],
    meaning: 'Until the next "-m": never run it, on any version of the registry.',
  };
}

/** The steps in their order. Each is run whatever the ones before it observed, so that the image always comes back. */
export function incidentSteps(scene: Scene, options: StepOptions): Step[] {
  return [
    before(scene, options),
    collection(scene, options),
    clientView(scene, options),
    detection(scene, options),
    alert(scene),
    repairPlan(scene, options),
    pushAgain(scene, options),
    allClear(scene, options),
  ];
}
