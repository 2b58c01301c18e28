import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LabLastSequencer } from "./test/e2e/lab-last.ts";

/** Programs that tests start again and again are compiled once. */
const compileCache = join(import.meta.dirname, "node_modules/.cache/compile");

/** For projects with random values. */
const setupFiles = "test/support/seed.ts";

/** CI adds up the tests of several runs: each leaves its figures in this folder. */
const summary = process.env.REGWARDEN_TEST_SUMMARY;

/**
 * By what they need: `unit` and `component` nothing; `pushgateway` and `rules` packages of Debian (Pushgateway,
 * Prometheus, rclone, shellcheck); `registry` the registry's binary; `host` a VM-like host with sshd, systemd and
 * Docker; `e2e` a lab of its own. Those with hosts run one file at a time.
 */
const project = (name: string, options: Record<string, unknown> = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    env: { NODE_COMPILE_CACHE: compileCache },
    ...options,
  },
});

export default defineConfig({
  test: {
    reporters: summary
      ? ["default", ["json", { outputFile: join(summary, `${process.pid}.json`) }]]
      : ["default"],
    sequence: { sequencer: LabLastSequencer },
    // Most tests wait for processes that they started, so half as many again find something to do.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      // Some bundle the programs or start processes: on a busy machine that takes longer than the usual five seconds.
      project("unit", { testTimeout: 60_000, setupFiles }),
      // Each runs the complete program: on a busy machine that takes longer than the usual five seconds.
      project("component", { testTimeout: 30_000 }),
      project("pushgateway", { testTimeout: 60_000, hookTimeout: 600_000 }),
      project("rules", { testTimeout: 60_000, hookTimeout: 900_000 }),
      project("registry", { testTimeout: 60_000, hookTimeout: 900_000, setupFiles }),
      // The engine over the real CLI, on a small program.
      project("engine", { testTimeout: 300_000, hookTimeout: 1_800_000 }),
      project("host", {
        globalSetup: "test/host/setup.ts",
        testTimeout: 120_000,
        hookTimeout: 1_800_000,
        fileParallelism: false,
      }),
      project("e2e", {
        globalSetup: "test/e2e/setup.ts",
        testTimeout: 1_200_000,
        hookTimeout: 3_600_000,
        fileParallelism: false,
      }),
    ],
  },
});
