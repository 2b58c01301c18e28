/**
 * When the certificate that a server shows expires; null over plain HTTP or when none can be read. It is read whether it
 * is trusted or not, as nothing is sent: one that has expired already matters most.
 */
export async function readCertificateExpiry(origin: string, timeoutSeconds: number): Promise<Date | null> {
  const { protocol, hostname, port } = new URL(origin);
  if (protocol !== "https:") return null;
  const host = hostname.replace(/^\[|\]$/g, "");
  const isName = /[a-z]/i.test(host) && !host.includes(":");
  return new Promise((resolve) => {
    // Not by `import`: every program would load it with its start.
    const socket = process.getBuiltinModule("node:tls").connect({
      host,
      port: port === "" ? 443 : Number(port),
      rejectUnauthorized: false,
      ...(isName && { servername: host }),
    });
    const settle = (expiry: Date | null) => {
      socket.destroy();
      resolve(expiry);
    };
    socket.setTimeout(timeoutSeconds * 1000, () => settle(null));
    socket.once("error", () => settle(null));
    socket.once("secureConnect", () => {
      const expiry = new Date(socket.getPeerCertificate().valid_to);
      settle(Number.isNaN(expiry.getTime()) ? null : expiry);
    });
  });
}
