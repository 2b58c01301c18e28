import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** A DNS server that knows one address for every name. */
export interface NameServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What it answers from now on. */
  readonly pointTo: (address: string) => void;
  readonly stop: () => void;
}

const HEADER_BYTES = 12;

/** Source: RFC 1035, 4.1: the header, the question as it came, one answer that points back to its name. */
function answer(question: Buffer, address: string): Buffer {
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  const record = Buffer.from([
    0xc0,
    HEADER_BYTES,
    0,
    1,
    0,
    1,
    0,
    0,
    2,
    88,
    0,
    4,
    ...address.split(".").map(Number),
  ]);
  return Buffer.concat([header, question.subarray(HEADER_BYTES), record]);
}

/** Starts one on this machine. */
export async function startNameServer(first: string): Promise<NameServer> {
  let current = first;
  const socket: Socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) =>
    socket.send(answer(question, current), port, address),
  );
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    pointTo: (address) => {
      current = address;
    },
    stop: () => socket.close(),
  };
}
