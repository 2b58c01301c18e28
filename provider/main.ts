import { reachableType } from "../contract/dns.ts";
import { composeProject } from "./kinds/compose-project.ts";
import { directory } from "./kinds/directory.ts";
import { file } from "./kinds/file.ts";
import { htpasswd } from "./kinds/htpasswd.ts";
import { image } from "./kinds/image.ts";
import { netplanDns } from "./kinds/netplan-dns.ts";
import { reachable } from "./kinds/reachable.ts";
import { step } from "./kinds/step.ts";
import { systemdUnit } from "./kinds/systemd-unit.ts";
import { unmanaged } from "./kinds/unmanaged.ts";
import { HostPlugin } from "./plugin.ts";
import { serve } from "./server.ts";

/** The provider's process: one per host, for as long as the engine needs it. */
const plugin = new HostPlugin({
  "host:index:ComposeProject": composeProject,
  "host:index:Directory": directory,
  "host:index:File": file,
  "host:index:Htpasswd": htpasswd,
  "host:index:Image": image,
  "host:index:NetplanDns": netplanDns,
  [reachableType]: reachable,
  "host:index:Step": step,
  "host:index:SystemdUnit": systemdUnit,
  "host:index:Unmanaged": unmanaged,
});

await serve(plugin, process.argv.slice(2));
