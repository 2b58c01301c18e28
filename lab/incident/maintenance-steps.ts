import { relative } from "node:path";
import type { GcReport } from "../../contract/gc-report.ts";
import type { GcUndoReport } from "../../contract/gc-undo-report.ts";
import { units } from "../../contract/host-names.ts";
import { defaultDirectory, hostPaths } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { RetainReport, RetainUndoReport } from "../../contract/retain-report.ts";
import type { Observation, Step } from "../demonstration/step.ts";
import { clientFiles } from "../host/client-files.ts";
import type { LabHost } from "../host/host.ts";
import {
  type BuildTag,
  buildKinds,
  buildRepository,
  buildsDirectory,
  newBuild,
} from "../images/build-images.ts";
import { LabError } from "../machine/errors.ts";
import type { Instance } from "../machine/instances.ts";
import { projectRoot } from "../machine/paths.ts";
import type { StepOptions } from "../machine/run.ts";
import { waitUntil } from "../machine/wait.ts";
import { type ScanSummary, scanLine, scanNow } from "../stack/scan.ts";
import { pullBuild, pushBuild } from "./build-clients.ts";
import {
  observe,
  observeCollect,
  observeRetain,
  observeScan,
  observeTree,
  observeTurns,
} from "./maintenance-results.ts";
import { readStoreTree, type StoreTree } from "./store-tree.ts";
import { startTraffic } from "./traffic.ts";

/** Oldest first. The rules of the lab keep the newest three tags of these repositories. */
const versions = ["v1", "v2", "v3"] as const;
/** The tag that moves with every build, while the maintenance runs. */
const movingTag = "edge";

/** Longer than a push takes here; two hours where nobody waits for it. */
const graceSeconds = 15;

const { data, retentionRules, registryData } = hostPaths(defaultDirectory);
const repositories = `${registryData(privateRegistry)}/docker/registry/v2/repositories`;

const commands = {
  retain: `regwarden retain ${data} --registry ${privateRegistry} --rules ${retentionRules} --apply`,
  collect: `regwarden gc ${data} --registry ${privateRegistry} --dead-for 0s --grace ${graceSeconds}s --budget 90% --apply`,
  ageSignature: `find ${repositories}/${buildRepository("signed")}/_manifests/tags/sha256-* -type f -exec touch -d "2 days ago" {} +`,
  undoRetain: (run: string) => `regwarden retain ${data} --undo ${run} --apply`,
  undoCollect: (run: string) => `regwarden gc ${data} --undo ${run} --apply`,
};

interface MaintenanceScene {
  readonly instance: Instance;
  readonly host: LabHost;
}

/** What one step leaves for the next ones. */
interface Findings {
  builds: readonly BuildTag[];
  firstVersionAt: number;
  scan: ScanSummary | undefined;
  before: StoreTree;
  after: StoreTree;
  retain: RetainReport | undefined;
  collect: GcReport | undefined;
}

const sshOf = ({ instance }: MaintenanceScene) => relative(projectRoot, clientFiles(instance).sshCommand);

/** A tag that goes: of the version that is too old, or the signature of its image. */
function isDropped(build: BuildTag, { retain }: Findings): boolean {
  const found = retain?.registries
    .flatMap((registry) => registry.repositories)
    .find(({ name }) => name === build.repository)
    ?.tags.find(({ tag }) => tag === build.tag);
  return found?.decision === "drop";
}

/** Runs a program on the host, which prints one document. Errors: E_COMMAND_FAILED. */
async function report<T>(host: LabHost, command: string, options: StepOptions): Promise<T> {
  const settings = { ...options, quiet: true, timeoutSeconds: 300 };
  const { exitCode, stdout, stderr } = await host.exec(`${command} --json`, settings);
  options.reporter?.say(`${command}: exit code ${exitCode}\n${stdout}${stderr}`);
  if (exitCode === 0) return JSON.parse(stdout) as T;
  const reason = stderr.trim() || stdout.trim();
  throw new LabError("E_COMMAND_FAILED", `"${command}" ended with ${exitCode}: ${reason.slice(-300)}`);
}

/** Pushes of one kind after each other, of different kinds at the same time. Errors: E_COMMAND_FAILED. */
async function pushBuilds(
  { instance }: MaintenanceScene,
  tag: string,
  options: StepOptions,
): Promise<readonly BuildTag[]> {
  const pushed = buildKinds.map(async (kind) => {
    const builds = newBuild(kind, tag);
    for (const build of builds) {
      const { worked, text } = await pushBuild(instance, build, options);
      if (!worked) throw new LabError("E_COMMAND_FAILED", `${build.repository}:${build.tag}: ${text}`);
    }
    return builds;
  });
  return (await Promise.all(pushed)).flat();
}

/** Pulls some tags, two at a time. */
async function observePulls(
  { instance }: MaintenanceScene,
  what: string,
  builds: readonly BuildTag[],
  options: StepOptions,
): Promise<Observation> {
  const left = [...builds];
  const failures: string[] = [];
  const work = async () => {
    for (let build = left.shift(); build !== undefined; build = left.shift()) {
      const { worked, text } = await pullBuild(instance, build, options);
      if (!worked) failures.push(`${build.repository}:${build.tag}: ${text}`);
    }
  };
  await Promise.all([work(), work()]);
  const count = `${what}: ${builds.length - failures.length} of ${builds.length} pulled with all platforms`;
  return observe([count, ...failures].join("\n"), failures.length === 0);
}

function builds(scene: MaintenanceScene, found: Findings, options: StepOptions): Step {
  return {
    title: "Builds push more images, of the kinds that -m breaks",
    commands: [
      `skopeo copy --all ... docker://${clientFiles(scene.instance).registry}/${buildsDirectory}/...`,
    ],
    run: async () => {
      await removeBuilds(scene.host);
      for (const tag of [...versions, movingTag]) {
        found.builds = [...found.builds, ...(await pushBuilds(scene, tag, options))];
        if (tag !== versions[0]) continue;
        found.firstVersionAt = Date.now();
        await scene.host.exec(commands.ageSignature, { quiet: true });
      }
      found.scan = await scanNow(scene.host, options);
      found.before = await readStoreTree(scene.host);
      return [
        observe(`${found.builds.length} tags pushed to ${buildsDirectory}/{${buildKinds.join(",")}}`, true),
        observe(
          `scan: ${scanLine(found.scan)}; ${found.before.size} files in the store`,
          found.scan.critical === 0,
        ),
      ];
    },
    meaning:
      "Images for one platform, image indexes with an attestation, Docker manifest lists, indexes of indexes, and signed " +
      "images. The oldest signature is made two days old: a younger one stays, because its image may get a tag still.",
  };
}

async function applyMaintenance(
  { host }: MaintenanceScene,
  found: Findings,
  options: StepOptions,
): Promise<readonly Observation[]> {
  found.retain = await report<RetainReport>(host, commands.retain, options);
  const isOver = async () => Date.now() > found.firstVersionAt + (graceSeconds + 1) * 1000;
  await waitUntil("the end of the grace", graceSeconds + 2, isOver);
  found.collect = await report<GcReport>(host, commands.collect, options);
  return [...observeRetain(found.retain), ...observeCollect(found.collect)];
}

/** The moving tags get new content, and what stays is pulled, until the maintenance is over. */
function startClients({ instance }: MaintenanceScene, found: Findings, options: StepOptions) {
  const stays = found.builds.filter(({ tag }) => tag === movingTag || tag === versions[2]);
  const kinds = buildKinds.filter((kind) => kind !== "signed");
  return startTraffic(
    async (turn) => {
      const [build] = newBuild(kinds[turn % kinds.length] ?? "index", movingTag);
      if (!build) return { worked: false, text: "no build" };
      const result = await pushBuild(instance, build, options);
      const isReplaced = (one: BuildTag) => one.repository === build.repository && one.tag === build.tag;
      if (result.worked) found.builds = found.builds.map((one) => (isReplaced(one) ? build : one));
      return result;
    },
    async (turn) => {
      const build = stays[turn % stays.length];
      return build ? pullBuild(instance, build, options) : { worked: false, text: "no tag" };
    },
  );
}

function maintenance(scene: MaintenanceScene, found: Findings, options: StepOptions): Step {
  const ssh = sshOf(scene);
  return {
    title: "Retention and collection, while skopeo pushes and pulls",
    commands: [`${ssh} ${commands.retain}`, `${ssh} ${commands.collect}`],
    run: async () => {
      const traffic = startClients(scene, found, options);
      const applied = await applyMaintenance(scene, found, options).finally(traffic.stop);
      const { pushes, pulls } = await traffic.stop();
      return [...applied, observeTurns("pushes", pushes), observeTurns("pulls", pulls)];
    },
    meaning:
      `retain drops tags by rules (here: all but the newest three), gc moves what no tag needs out of the store. A ` +
      `demonstration does not wait: --dead-for and --grace are a day and two hours else. nginx holds writes, not reads, ` +
      "for the last moment of it.",
  };
}

function nothingLost(scene: MaintenanceScene, found: Findings, options: StepOptions): Step {
  return {
    title: "Nothing is lost",
    commands: [`${sshOf(scene)} systemctl start ${units.scan}`],
    run: async () => {
      const kept = found.builds.filter((build) => !isDropped(build, found));
      found.after = await readStoreTree(scene.host);
      return [
        await observePulls(scene, "tags that stay", kept, options),
        observeScan(await scanNow(scene.host, options), found.scan),
      ];
    },
    meaning:
      'The same kinds of images as those that "-m" breaks, and every child, layer and signature is there.',
  };
}

function undo(scene: MaintenanceScene, found: Findings, options: StepOptions): Step {
  const { host } = scene;
  const ssh = sshOf(scene);
  return {
    title: "Undo, byte for byte",
    commands: [`${ssh} ${commands.undoCollect("RUN")}`, `${ssh} ${commands.undoRetain("RUN")}`],
    run: async () => {
      const runs = { collect: found.collect?.run, retain: found.retain?.run };
      if (!runs.collect || !runs.retain) return [observe("there is nothing to undo", false)];
      const back = await report<GcUndoReport>(host, commands.undoCollect(runs.collect), options);
      const tags = await report<RetainUndoReport>(host, commands.undoRetain(runs.retain), options);
      const left = back.left.length + tags.left.length;
      const dropped = found.builds.filter((build) => isDropped(build, found));
      return [
        observe(
          `${back.putBack.blobs} blobs and ${tags.back.length} tags are back, ${left} are not`,
          left === 0,
        ),
        observeTree(found, await readStoreTree(host)),
        await observePulls(scene, "tags that had been dropped", dropped, options),
        observeScan(await scanNow(host, options), found.scan),
      ];
    },
    meaning:
      "Until a purge removes the quarantine (after seven days), whatever was dropped by mistake comes back by one command.",
  };
}

/** So that another incident breaks one image again. What they hold is collected one day. */
async function removeBuilds(host: LabHost): Promise<void> {
  await host.exec(`rm -rf ${repositories}/${buildsDirectory}`, { quiet: true });
}

/** Our own maintenance where "-m" lost an image: with clients that go on, and back again. */
export function maintenanceSteps(scene: MaintenanceScene, options: StepOptions): Step[] {
  const found: Findings = {
    builds: [],
    firstVersionAt: 0,
    scan: undefined,
    before: new Map(),
    after: new Map(),
    retain: undefined,
    collect: undefined,
  };
  const last = undo(scene, found, options);
  return [
    builds(scene, found, options),
    maintenance(scene, found, options),
    nothingLost(scene, found, options),
    { ...last, run: () => last.run().finally(() => removeBuilds(scene.host)) },
  ];
}
