import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { findCommand } from "../paths.ts";
import { type Command, run, type StepOptions } from "../run.ts";
import type { ToolSource } from "./tool.ts";

/** The module proxy knows these modules, the checksum database not all of their untagged versions. */
const environment = { GOFLAGS: "-mod=mod", GONOSUMDB: "github.com/pulumi/*" };
const buildLimitSeconds = 3600;

/** A Go module in the module cache. */
interface GoModule {
  readonly path: string;
  readonly version: string;
}

async function go(directory: string, args: readonly string[], options: StepOptions): Promise<string> {
  const settings = {
    env: environment,
    cwd: directory,
    timeoutSeconds: buildLimitSeconds,
    dieWithParent: true,
  };
  const { stdout } = await run(["go", ...args] as Command, { ...options, ...settings });
  return stdout;
}

/** Has the module in Go's cache. Returns its directory there. */
async function download(directory: string, module: GoModule, options: StepOptions): Promise<string> {
  const answer = await go(
    directory,
    ["mod", "download", "-json", `${module.path}@${module.version}`],
    options,
  );
  const found: unknown = JSON.parse(answer).Dir;
  if (typeof found === "string") return found;
  throw new LabError("E_UNREACHABLE", `Go has no directory for ${module.path}@${module.version}`);
}

/** A source that needs Go; `build` writes the program to the file that it is given. */
function goBuild(
  program: string,
  minutes: number,
  build: (work: string, output: string, options: StepOptions) => Promise<void>,
): ToolSource {
  return {
    name: "build from the Go module",
    put: async (directory, options) => {
      if (findCommand("go") === undefined) return "no go on PATH";
      options.reporter?.say(`building ${program}; this takes about ${minutes} minutes on two cores`);
      const work = join(directory, "module");
      await mkdir(work);
      await build(work, join(directory, "bin", program), options);
      await rm(work, { recursive: true });
      return undefined;
    },
  };
}

/**
 * Builds the Pulumi CLI. In a module of its own, because `go install MODULE@VERSION` also wants the list of all
 * versions, which not every proxy has.
 */
export function pulumiBuild(version: string): ToolSource {
  const module = "github.com/pulumi/pulumi/pkg/v3";
  return goBuild("pulumi", 8, async (work, output, options) => {
    const lines = ["module lab.invalid/toolchain", "go 1.24", `require ${module} v${version}\n`];
    await writeFile(join(work, "go.mod"), lines.join("\n\n"));
    const flags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    await go(work, ["build", "-o", output, "-ldflags", flags, `${module}/cmd/pulumi`], options);
  });
}

/**
 * `go.mod` that builds Kubernetes as a dependency. Its own one replaces the staging modules by directories that its
 * module does not hold, so each takes its tag of the same release: v0.X.Y for Kubernetes v1.X.Y.
 */
export function stagingGoMod(kubernetesGoMod: string, version: string): string {
  const staged = [...kubernetesGoMod.matchAll(/^\s*(?:replace )?(k8s\.io\/\S+) => \.\/staging\//gm)];
  const tag = version.replace(/^v1\./, "v0.");
  const replacements = staged.map(([, module]) => `\t${module} => ${module} ${tag}`);
  const goVersion = /^go (\S+)$/m.exec(kubernetesGoMod)?.[1] ?? "1.24";
  return [
    "module lab.invalid/toolchain",
    `go ${goVersion}`,
    `require k8s.io/kubernetes ${version}`,
    `replace (\n${replacements.join("\n")}\n)\n`,
  ].join("\n\n");
}

/** Builds kube-apiserver from the module k8s.io/kubernetes. */
export function kubeApiServerBuild(version: string): ToolSource {
  const module = { path: "k8s.io/kubernetes", version };
  return goBuild("kube-apiserver", 8, async (work, output, options) => {
    await writeFile(join(work, "go.mod"), "module lab.invalid/toolchain\n");
    const source = await download(work, module, options);
    await writeFile(
      join(work, "go.mod"),
      stagingGoMod(await readFile(join(source, "go.mod"), "utf8"), version),
    );
    const flags = `-s -w -X k8s.io/component-base/version.gitVersion=${version}`;
    await go(work, ["build", "-o", output, "-ldflags", flags, `${module.path}/cmd/kube-apiserver`], options);
  });
}

const pluginModule = {
  path: "github.com/pulumi/pulumi-kubernetes/provider/v4",
  version: "v4.0.0-20260115033456-f47bc2d6f199",
};

/** The release that {@link pluginModule} belongs to; modules of the plugin bear no release of their own. */
const pluginSourceVersion = "4.25.0";

/** What the plugin embeds and its module does not hold: its schema and mapping without white space. */
async function embedJson(directory: string): Promise<void> {
  for (const name of ["schema", "terraform-mapping"]) {
    const text = await readFile(join(directory, `${name}.json`), "utf8");
    await writeFile(join(directory, `${name}-embed.json`), JSON.stringify(JSON.parse(text)));
  }
}

/** Builds the kubernetes plugin from a copy of its module: the cached one cannot be written to. */
export function kubernetesPluginBuild(): ToolSource {
  const program = "pulumi-resource-kubernetes";
  return goBuild(program, 15, async (work, output, options) => {
    await writeFile(join(work, "go.mod"), "module lab.invalid/toolchain\n");
    const source = await download(work, pluginModule, options);
    const copy = join(work, "copy");
    await cp(source, copy, { recursive: true });
    await run(["chmod", "-R", "u+w", copy], { quiet: true });
    await embedJson(join(copy, "cmd", program));
    await go(copy, ["mod", "edit", "-dropreplace", "github.com/pulumi/pulumi-kubernetes/sdk/v4"], options);
    const flags = `-s -w -X ${pluginModule.path}/pkg/version.Version=${pluginSourceVersion}`;
    await go(copy, ["build", "-o", output, "-ldflags", flags, `./cmd/${program}`], options);
  });
}

const vaultModule = "github.com/hashicorp/vault";

/** Of the SDK as Vault 1.21.4 has it in a directory, which its module does not hold: no release is the same. */
const vaultSdk = {
  /** The release before it, but for one function's arguments. */
  base: { path: `${vaultModule}/sdk`, version: "v0.21.0" },
  edited: {
    file: "framework/backend.go",
    from: "ActivationFunc func(context.Context, *logical.Request, string) error",
    to: "ActivationFunc func(context.Context, *logical.Request) error",
  },
  /** The first release that has this package as it is there. */
  later: { path: `${vaultModule}/sdk`, version: "v0.24.0", directory: "helper/keysutil" },
} as const;

/** The SDK that Vault is built with, in a directory. Errors: E_MISSING where the text to be edited is not there. */
async function putVaultSdk(work: string, sdk: string, options: StepOptions): Promise<void> {
  const { base, edited, later } = vaultSdk;
  await cp(await download(work, base, options), sdk, { recursive: true });
  await run(["chmod", "-R", "u+w", sdk], { quiet: true });
  const package_ = join(sdk, later.directory);
  await rm(package_, { recursive: true });
  await cp(join(await download(work, later, options), later.directory), package_, { recursive: true });
  const file = join(sdk, edited.file);
  const text = await readFile(file, "utf8");
  if (!text.includes(edited.from)) throw new LabError("E_MISSING", `${file} has no "${edited.from}"`);
  await run(["chmod", "-R", "u+w", sdk], { quiet: true });
  await writeFile(file, text.replace(edited.from, edited.to));
}

/** Builds Vault, server and CLI, with its core's plugins only: KV, JWT, AppRole and few more. */
export function vaultBuild(version: string): ToolSource {
  return goBuild("vault", 15, async (work, output, options) => {
    await writeFile(join(work, "go.mod"), "module lab.invalid/toolchain\n");
    await putVaultSdk(work, join(work, "sdk"), options);
    const lines = [
      "module lab.invalid/toolchain",
      "go 1.25",
      `require ${vaultModule} v${version}`,
      `require ${vaultSdk.base.path} ${vaultSdk.base.version}`,
      `replace ${vaultSdk.base.path} => ./sdk\n`,
    ];
    await writeFile(join(work, "go.mod"), lines.join("\n\n"));
    await go(work, ["build", "-tags", "minimal", "-o", output, "-ldflags", "-s -w", vaultModule], options);
  });
}
