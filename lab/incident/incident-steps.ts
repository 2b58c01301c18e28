import { relative } from "node:path";
import { namespaces, urlsOf } from "../cluster/endpoints.ts";
import { runCronJob } from "../cluster/pods/runner.ts";
import type { LabHost } from "../host/host.ts";
import { ciImageReference, clientFiles, pushCiImage } from "../images/sample-images.ts";
import type { Instance } from "../machine/instances.ts";
import { projectRoot } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { type ScanSummary, scanLine, scanNow } from "../stack/scan.ts";
import { alertFires, alertResolves, alertsNamed } from "./alerts.ts";
import { askTag, type ClientAnswer, pullImage } from "./client-view.ts";
import { damage, damageCommands } from "./damage.ts";
import { type Act, type Fact, fact } from "./incident-step.ts";

/** What the story is about, and what has been found before it begins. */
export interface Stage {
  readonly instance: Instance;
  readonly host: LabHost;
  /** How long the alert waits here, in seconds. */
  readonly waitSeconds: number;
}

export const probeName = "registry-integrity-probe";
const inUseName = "registry-in-use";
export const alertName = "RegistryManifestIntegrityFailure";

/** Several scrapes and evaluations of the lab's Prometheus. */
const noticeSeconds = 60;
const image = ciImageReference;
const architectures = ["amd64", "arm64"] as const;

function shown(path: string): string {
  return relative(projectRoot, path);
}

/** Commands as a person in the project's directory would type them. */
function commandsOf({ instance }: Stage) {
  const { authFile, certificateDirectory, registry, sshCommand } = clientFiles(instance);
  const account = `--authfile ${shown(authFile)}`;
  const own = instance === "lab" ? "" : ` --instance ${instance}`;
  const ssh = shown(sshCommand);
  const certificates = shown(certificateDirectory);
  return {
    ssh,
    tag: `skopeo inspect --raw ${account} --cert-dir ${certificates} docker://${registry}/${image}`,
    pull: `skopeo copy ${account} --src-cert-dir ${certificates} docker://${registry}/${image} dir:/tmp/pulled`,
    push: `skopeo copy --all ${account} --dest-cert-dir ${certificates} oci:.lab/${instance}/images/infra-ci:latest docker://${registry}/${image}`,
    scan: `${ssh} systemctl start regwarden-scan.service`,
    probe: `npm run lab -- run ${namespaces.monitoring}/${probeName}${own}`,
    inUse: `npm run lab -- run ${namespaces.monitoring}/${inUseName}${own}`,
    alerts: `curl -s ${urlsOf(instance).prometheus}/api/v1/alerts`,
  };
}

function answerFact(what: string, answer: ClientAnswer, shouldWork: boolean): Fact {
  return fact(`${what}: ${answer.worked ? "works" : answer.text}`, answer.worked === shouldWork);
}

async function pulls(stage: Stage, shouldWork: boolean, options: StepOptions): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const architecture of architectures) {
    const answer = await pullImage(stage.instance, image, architecture, options);
    facts.push(answerFact(`pull for linux/${architecture}`, answer, shouldWork));
  }
  return facts;
}

function scanFact(summary: ScanSummary, isClean: boolean): Fact {
  return fact(`scan: ${scanLine(summary)}`, summary.complete && (summary.critical === 0) === isClean);
}

/** What matters of a probe's log on a screen: how far it looked, the first things that are broken, and the sum. */
export function logExcerpt(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const broken = lines.filter((line) => /^\s+- /.test(line)).slice(0, 2);
  const ends = lines.length > 1 ? [lines.at(-1) ?? ""] : [];
  return [lines[0] ?? "", ...broken, ...ends].map((line) => line.trim().slice(0, 200)).join("\n");
}

/** Runs the probe's pods. */
async function probe({ instance }: Stage, expectedCode: 0 | 1, options: StepOptions): Promise<Fact[]> {
  const pods = await runCronJob(instance, namespaces.monitoring, probeName, options);
  const worst = Math.max(...pods.map(({ exitCode }) => exitCode));
  const log = pods.map((pod) => logExcerpt(pod.log)).join("\n");
  return [fact(`probe: exit code ${worst}\n${log}`, worst === expectedCode)];
}

/** Of the look at the images in use: who cannot start any more; else its last line. */
export function needsExcerpt(log: string): string {
  const hit = /\S+ \S+ cannot start a new pod/.exec(log)?.[0];
  return hit ?? log.trim().split("\n").at(-1) ?? "";
}

/** Runs the pod that asks the cluster which images it needs. */
async function inUse({ instance }: Stage, expectedCode: 0 | 1, options: StepOptions): Promise<Fact> {
  const [pod] = await runCronJob(instance, namespaces.monitoring, inUseName, options);
  const said = `exit code ${pod?.exitCode}: ${needsExcerpt(pod?.log ?? "")}`;
  return fact(`in-use: ${said}`, pod?.exitCode === expectedCode);
}

function before(stage: Stage, options: StepOptions): Act {
  const { tag, pull, scan, probe: runProbe } = commandsOf(stage);
  return {
    title: "Before: all is well",
    commands: [tag, pull, scan, runProbe],
    play: async () => [
      answerFact(`tag ${image}`, await askTag(stage.instance, image, options), true),
      ...(await pulls(stage, true, options)),
      scanFact(await scanNow(stage.host, options), true),
      ...(await probe(stage, 0, options)),
      fact("no alert", (await alertsNamed(stage.instance, alertName)).length === 0),
    ],
    meaning: `${image} is an image index: a list that names one child image for each platform.`,
  };
}

function theDamage(stage: Stage, options: StepOptions): Act {
  const { ssh } = commandsOf(stage);
  return {
    title: "Somebody cleans up",
    commands: damageCommands.map((command) => `${ssh} ${command}`),
    play: async () => {
      const { manifests, blobs } = await damage(stage.host, options);
      const text = `the collection deleted the links of ${manifests} manifests, and ${blobs} blobs, without one error`;
      return [fact(text, manifests > 0)];
    },
    meaning:
      'With "-m" (delete untagged), distribution 2.8 takes children of an index for untagged images, though the ' +
      "index that names them is tagged. The restart makes the registry forget what it still holds in memory.",
  };
}

function clientView(stage: Stage, options: StepOptions): Act {
  const { tag, pull } = commandsOf(stage);
  return {
    title: "What a client sees",
    commands: [tag, pull],
    play: async () => [
      answerFact(`tag ${image}`, await askTag(stage.instance, image, options), true),
      ...(await pulls(stage, false, options)),
    ],
    meaning:
      "The tag still answers, so a check that asks for tags alone is content. Nobody can pull the image.",
  };
}

function detection(stage: Stage, options: StepOptions): Act {
  const { scan, probe: runProbe, inUse: runInUse } = commandsOf(stage);
  return {
    title: "What the scan and the probe see",
    commands: [scan, runProbe, runInUse],
    play: async () => [
      scanFact(await scanNow(stage.host, options), false),
      ...(await probe(stage, 1, options)),
      await inUse(stage, 1, options),
    ],
    meaning:
      "The scan follows every reference on the disk, once a day; the probe asks the same over the network, every " +
      "quarter of an hour, and pushes what it found to Pushgateway. Both follow a tag down to its layers. in-use asks the " +
      "cluster who needs the image.",
  };
}

function alarm(stage: Stage): Act {
  const { instance, waitSeconds } = stage;
  return {
    title: "The alert",
    commands: [commandsOf(stage).alerts],
    play: async () => {
      const start = performance.now();
      const alert = await alertFires(instance, alertName, waitSeconds + noticeSeconds);
      if (alert === undefined) return [fact(`${alertName} does not fire`, false)];
      const seconds = Math.round((performance.now() - start) / 1000);
      const said = alert.annotations.summary ?? "(no summary)";
      return [fact(`${alertName} fires after ${seconds} s: ${said}`, true)];
    },
    meaning: `Prometheus waits until a fault has lasted: ${waitSeconds} s here, so that nobody must wait as long as in earnest.`,
  };
}

const repairCommand = "regwarden repair /opt/registry/data";

/** A dry run: it plans and changes nothing. */
function triage(stage: Stage, options: StepOptions): Act {
  return {
    title: "What can be brought back",
    commands: [`${commandsOf(stage).ssh} ${repairCommand}`],
    play: async () => {
      const { exitCode, stdout } = await stage.host.exec(repairCommand, { ...options, quiet: true });
      return [fact(`repair: exit code ${exitCode}\n${stdout.trim()}`, exitCode === 1)];
    },
    meaning:
      "Where all data survives, repair writes the links back; what is gone it copies from a healthy registry (--from), " +
      'with --apply and an undo journal. This "-m" took the layers too, and there is no other registry here, so it says ' +
      "what to push.",
  };
}

function comeback(stage: Stage, options: StepOptions): Act {
  const { push, pull } = commandsOf(stage);
  return {
    title: "The image comes back",
    commands: [push, pull],
    play: async () => {
      await pushCiImage(stage.instance, options);
      return [fact(`${image} is pushed again`, true), ...(await pulls(stage, true, options))];
    },
    meaning:
      "Pushing the same image again, with all its platforms, uploads what is missing and links it anew. The digests " +
      "are the same as before, so whatever is pinned to them works again.",
  };
}

function allClear(stage: Stage, options: StepOptions): Act {
  const { scan, probe: runProbe, inUse: runInUse, alerts } = commandsOf(stage);
  return {
    title: "All clear",
    commands: [scan, runProbe, runInUse, alerts],
    play: async () => [
      scanFact(await scanNow(stage.host, options), true),
      ...(await probe(stage, 0, options)),
      await inUse(stage, 0, options),
      fact(`${alertName} is resolved`, await alertResolves(stage.instance, alertName, noticeSeconds)),
    ],
    meaning: 'Until the next "-m". Plain "garbage-collect" loses nothing; with "-m" it never should be run.',
  };
}

/** The acts in their order. Each is played whatever came of the ones before, so that the image always comes back. */
export function storyOf(stage: Stage, options: StepOptions): Act[] {
  return [
    before(stage, options),
    theDamage(stage, options),
    clientView(stage, options),
    detection(stage, options),
    alarm(stage),
    triage(stage, options),
    comeback(stage, options),
    allClear(stage, options),
  ];
}
