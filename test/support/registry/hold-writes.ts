import { argv, stdout } from "node:process";
import { writeFreeze } from "../../../scripts/write-freeze/write-freeze.ts";

/** Holds writes until it is killed. Arguments: the flag, the URL of nginx's state. */
const [, , flagFile = "", statusUrl = ""] = argv;
await writeFreeze({ flagFile, statusUrl }).begin();
stdout.write("held\n");
setInterval(() => {}, 1000);
