import * as v from "valibot";
import { calendar, port, trueOrFalse } from "./formats.ts";
import { directory } from "./host.ts";
import { example, withDefault } from "./setting.ts";
import { address, hostKey, user } from "./ssh-address.ts";

/** Where copies of the private registry's store go. The key for it is made on the VM: no secret of this configuration. */

const backup = v.strictObject({
  enabled: withDefault(trueOrFalse, true),
  address: example(address, "backup.example.com"),
  sshPort: withDefault(port, 22),
  sshUser: withDefault(user, "registry-backup"),
  hostKey: example(hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI..."),
  directory: example(directory, "/srv/registry-backup"),
  onCalendar: withDefault(calendar, "*-*-* 04:30:00"),
});

export const backupEntries = { backup: v.optional(backup) };
