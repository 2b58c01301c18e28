import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { registryContainer } from "../../contract/host-names.ts";
import { defaultDirectory, hostPaths } from "../../contract/host-paths.ts";
import type { Observation, Step } from "../demonstration/step.ts";
import { clientFiles } from "../host/client-files.ts";
import type { LabHost } from "../host/host.ts";
import type { Instance } from "../machine/instances.ts";
import { nodeBinary, projectRoot, stateDirectory } from "../machine/paths.ts";
import { type RunResult, run, type StepOptions } from "../machine/run.ts";
import { pulumiBinary } from "../machine/tools/pulumi.ts";
import { pulumiEnvironment } from "../stack/environment.ts";

/** Where the tour is, and what its commands print goes to. */
export interface TourScene {
  readonly instance: Instance;
  readonly host: LabHost;
  readonly options: StepOptions;
}

/** The container that is stopped by hand. */
const stopped = registryContainer("quay");
const editedFile = hostPaths(defaultDirectory).nginxConfig;
const title = "regwarden:ui.title";
/** Of the comment on a pull request: its table, and the first property that changes. */
const shownLines = 24;

/** `npm run OPERATION` on the lab's stack. Its exit code is a result. */
function engine({ instance, options }: TourScene, operation: string, ...args: string[]): Promise<RunResult> {
  return run([nodeBinary, "engine/main.ts", operation, "--stack", instance, ...args], {
    ...options,
    cwd: projectRoot,
    env: pulumiEnvironment(instance),
    accept: [0, 1, 2, 3, 4, 5, 6, 7],
    timeoutSeconds: 1200,
    dieWithParent: true,
  });
}

async function pulumi({ instance, options }: TourScene, ...args: string[]): Promise<string> {
  const settings = { cwd: projectRoot, env: pulumiEnvironment(instance), timeoutSeconds: 120 };
  const { stdout } = await run([pulumiBinary(), ...args, "--stack", instance, "--non-interactive"], {
    ...options,
    ...settings,
  });
  return stdout.trim();
}

function observeExit(
  operation: string,
  { exitCode, stdout }: RunResult,
  expected: number,
  lines: RegExp,
): Observation {
  const shown = stdout.split("\n").filter((line) => lines.test(line));
  return {
    text: [`${operation}: exit code ${exitCode}`, ...shown].join("\n"),
    isExpected: exitCode === expected,
  };
}

const stackOption = ({ instance }: TourScene) => (instance === "lab" ? "" : ` -- --stack ${instance}`);

function nothingDiffers(scene: TourScene): Step {
  return {
    title: "What is declared is what runs",
    commands: [`npm run drift${stackOption(scene)}`],
    run: async () => [observeExit("drift", await engine(scene, "drift"), 0, /^Stack .*no drift/)],
    meaning:
      "Every file, container, image, unit, password entry and Kubernetes object is read back and compared.",
  };
}

function handMade(scene: TourScene): Step {
  const ssh = relative(projectRoot, clientFiles(scene.instance).sshCommand);
  return {
    title: "Two changes by hand",
    commands: [
      `${ssh} docker stop ${stopped}`,
      `${ssh} "echo '# by hand' >>${editedFile}"`,
      `npm run drift${stackOption(scene)}`,
    ],
    run: async () => {
      await scene.host.exec(`docker stop ${stopped} && echo '# by hand' >>${editedFile}`);
      return [
        observeExit("drift", await engine(scene, "drift"), 7, /^ +(update|replace|create|delete) +[A-Z]/),
      ];
    },
    meaning:
      "Exit code 7: something differs. In CI a scheduled run of it says so before anybody meets the result.",
  };
}

function putBack(scene: TourScene): Step {
  const option = stackOption(scene);
  return {
    title: "One command puts them back",
    commands: [`npm run up${option}`, `npm run drift${option}`],
    run: async () => [
      observeExit("up", await engine(scene, "up", "--yes"), 0, /^ +(~ )?\d+ (updated|changes)/),
      observeExit("drift", await engine(scene, "drift"), 0, /^Stack .*no drift/),
    ],
    meaning:
      "nginx took its file back by a reload, and the cache was started: no other container was touched.",
  };
}

function pullRequest(scene: TourScene): Step {
  const file = join(stateDirectory(scene.instance), "comment.md");
  const shown = relative(projectRoot, file);
  const preview = scene.instance === "lab" ? "--" : `-- --stack ${scene.instance}`;
  return {
    title: "What a pull request shows before it is merged",
    commands: [
      `pulumi config set --path ${title} "Images of ours"`,
      `npm run preview ${preview} --markdown ${shown}`,
      `pulumi config set --path ${title} (what it was)`,
    ],
    run: async () => {
      const before = await pulumi(scene, "config", "get", "--path", title);
      await pulumi(scene, "config", "set", "--path", title, "Images of ours");
      try {
        const ended = await engine(scene, "preview", "--markdown", file);
        const lines = (await readFile(file, "utf8")).trim().split("\n").slice(1);
        const comment = lines.length > shownLines ? [...lines.slice(0, shownLines), "..."] : lines;
        return [
          observeExit("preview", ended, 0, /^No changes/),
          {
            text: ["the comment:", ...comment].join("\n"),
            isExpected: lines.some((line) => line.includes("ui")),
          },
        ];
      } finally {
        await pulumi(scene, "config", "set", "--path", title, before);
      }
    },
    meaning:
      "A pipeline keeps this as one comment on the pull request (docs/ci.md). Nothing was changed by it.",
  };
}

/** What every day brings, before the tour comes to the incident. */
export function tourSteps(scene: TourScene): readonly Step[] {
  return [nothingDiffers, handMade, putBack, pullRequest].map((step) => step(scene));
}
