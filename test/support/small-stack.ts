import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { nodeBinary, projectRoot, searchPath } from "../../lab/machine/paths.ts";
import { ensurePulumi, pulumiBinary } from "../../lab/machine/tools/pulumi.ts";
import { waitUntil } from "../../lab/machine/wait.ts";

const engine = join(projectRoot, "test/support/small-stack/main.ts");
const projectFile = (plugins: Readonly<Record<string, string>>) => `name: small
runtime: { name: nodejs, options: { typescript: false } }
plugins:
  providers:
${Object.entries(plugins)
  .map(
    ([name, path]) => `    - { name: ${name}, path: ${join(projectRoot, path)} }
`,
  )
  .join("")}`;

/** What a stack runs beside its steps. */
interface Variant {
  /** The engine with its program; the small one by default. */
  readonly main?: string;
  /** Directories of more plugins, by name. */
  readonly plugins?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly exitCode: number;
  /** Standard output and error together, in order. */
  readonly output: string;
}

/** A run of the engine that goes on. */
export interface Going {
  readonly pid: number;
  readonly end: Promise<Ended>;
  /** What was printed until now. */
  printed(): string;
  /** Reads no more of what it prints, as a terminal or CI agent that is gone. */
  hangUp(): void;
}

/**
 * A small stack with a backend of files, over the real CLI: `first`, then `held`, which waits for the gate, then `last`,
 * on a host that can be taken down; `watch` in a cluster. Each step is a file.
 */
export class SmallStack {
  readonly #root = mkdtempSync(join(tmpdir(), "regwarden-small-stack-"));
  readonly backend = join(this.#root, "backend");
  /** Where the steps make their files. */
  readonly steps = join(this.#root, "steps");
  readonly home = join(this.#root, "pulumi-home");
  /** For temporary files. */
  readonly temporary = join(this.#root, "tmp");
  /** The project's directory, with its configuration. */
  readonly project = join(this.#root, "project");
  readonly name: string;

  readonly #variant: Variant;

  constructor(name: string, variant: Variant = {}) {
    this.name = name;
    this.#variant = variant;
    const directories = [this.backend, this.steps, this.temporary, this.project, join(this.home, "versions")];
    for (const directory of directories) mkdirSync(directory, { recursive: true });
    const plugins = { step: "test/support/small-stack/provider", host: "provider", ...variant.plugins };
    writeFileSync(join(this.project, "Pulumi.yaml"), projectFile(plugins));
    symlinkSync(join(projectRoot, "node_modules"), join(this.project, "node_modules"));
    const installed = dirname(dirname(pulumiBinary()));
    symlinkSync(installed, join(this.home, "versions", installed.split("/").at(-1) ?? ""));
  }

  get environment(): Record<string, string> {
    return {
      PATH: searchPath(),
      PULUMI_HOME: this.home,
      PULUMI_BACKEND_URL: `file://${this.backend}`,
      PULUMI_CONFIG_PASSPHRASE: "of the tests",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      TMPDIR: this.temporary,
      SMALL_PROJECT: this.project,
      SMALL_STEPS: this.steps,
      NO_COLOR: "1",
      ...this.#variant.environment,
    };
  }

  /** Starts `main.ts OPERATION --stack NAME ARGS` in a group of processes of its own. */
  start(operation: string, args: readonly string[] = [], environment: Record<string, string> = {}): Going {
    const main = this.#variant.main === undefined ? engine : join(projectRoot, this.#variant.main);
    return this.#start([nodeBinary, main, operation, "--stack", this.name, ...args], environment);
  }

  /** The same by this project's npm script. */
  startByNpm(operation: string, args: readonly string[] = []): Going {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const script = scripts[operation]?.replace("engine/main.ts", engine);
    const own = { private: true, scripts: { build: "true", [operation]: script } };
    writeFileSync(join(this.project, "package.json"), JSON.stringify(own));
    return this.#start(["npm", "run", operation, "--", "--stack", this.name, ...args], {});
  }

  #start([command = "", ...argv]: readonly string[], environment: Record<string, string>): Going {
    const child = execa(command, argv, {
      cwd: this.project,
      reject: false,
      all: true,
      detached: true,
      stdin: "ignore",
      env: { ...this.environment, ...environment },
    });
    let printed = "";
    child.all?.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8");
    });
    const end = child.then(({ exitCode, all = "" }) => ({ exitCode: exitCode ?? -1, output: all }));
    const hangUp = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    return { pid: child.pid ?? 0, end, printed: () => printed, hangUp };
  }

  async run(operation: string, ...args: string[]): Promise<Ended> {
    return await this.start(operation, args).end;
  }

  /** Runs a command line of a person in the stack's directory. */
  async type(commandLine: string): Promise<string> {
    const options = { cwd: this.project, env: this.environment, all: true };
    return (await execa("sh", ["-c", commandLine], options)).all ?? "";
  }

  openGate(): void {
    writeFileSync(join(this.steps, "gate"), "");
  }

  hasStep(name: string): boolean {
    return existsSync(join(this.steps, name));
  }

  /** Waits until a run has come to the step that waits for the gate. */
  async isHeld(): Promise<void> {
    await waitUntil("the step that is held", 60, async () => this.hasStep("held.begun"), 50);
  }

  /** Locks in the backend, by path. */
  locks(): string[] {
    return globSync(".pulumi/locks/**/*.json", { cwd: this.backend });
  }

  /** Every file of the backend with its bytes and times: equal only where nothing was written. */
  contents(): Record<string, string> {
    const paths = globSync("**/*", { cwd: this.backend }).sort();
    return Object.fromEntries(paths.map((path) => [path, this.#describe(path)]));
  }

  #describe(path: string): string {
    const full = join(this.backend, path);
    const { mtimeMs, ino } = statSync(full);
    return statSync(full).isFile() ? `${ino} ${mtimeMs} ${readFileSync(full, "base64")}` : "directory";
  }
}

/** Has the CLI; the first run of a machine builds or fetches it. */
export const smallStackNeeds = ensurePulumi;
