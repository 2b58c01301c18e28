import { exitCodes } from "../../../contract/exit-codes.ts";
import type { Command } from "../../cli/command.ts";
import { createClient } from "../../http/client.ts";
import { patienceSeconds } from "../check.ts";
import { readAccount, readDeploymentConfig } from "../config.ts";
import { parseSeedSentinelArguments, seedSentinelHelp } from "./args.ts";
import { seedSentinel } from "./seed.ts";

export const seedSentinelCommand: Command = {
  name: "seed-sentinel",
  summary: "put the image into the private registry by which the deployment check knows it",
  help: seedSentinelHelp,
  run: async (argv, terminal) => {
    const { configPath } = parseSeedSentinelArguments(argv);
    const config = await readDeploymentConfig(configPath);
    const account = await readAccount(config, terminal);
    const send = createClient({ patienceSeconds, note: (text) => terminal.err(`${text}\n`) });
    terminal.out(`${await seedSentinel(config.private, account, send)}\n`);
    return exitCodes.clean;
  },
};
