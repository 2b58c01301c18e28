import { serve } from "../../../provider/server.ts";
import { CommandPlugin } from "./command-plugin.ts";

/** Started by the engine in place of the released plugin, on machines that cannot download it. */
await serve(new CommandPlugin(), process.argv.slice(2));
