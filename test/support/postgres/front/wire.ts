/** The part of PostgreSQL's frontend/backend protocol that precedes the first query. */

export type OpeningPacket =
  | { kind: 'ssl-request' }
  | { kind: 'gssenc-request' }
  | { kind: 'cancel-request'; packet: Buffer }
  | { kind: 'startup'; user: string; database: string; packet: Buffer };

export interface Fatal {
  sqlstate: string;
  message: string;
}

/** Something cut off the front of a stream, and what followed it. */
export interface Taken<T> {
  value: T;
  rest: Buffer;
}

export class ProtocolError extends Error {
  readonly sqlstate = '08P01';
}

const protocolVersion = 0x0003_0000;
const cancelRequestCode = (1234 << 16) | 5678;
const sslRequestCode = (1234 << 16) | 5679;
const gssencRequestCode = (1234 << 16) | 5680;

const longestOpeningPacket = 10_000;
const longestPasswordMessage = 65_535;

/** How a TLS handshake begins that no SSLRequest announced (`sslnegotiation=direct`). */
export const tlsHandshakeByte = 0x16;
export const alpnProtocol = 'postgresql';
export const sslAccepted = 'S';
export const gssencRefused = 'N';

export function peekByte(bytes: Buffer): Taken<number> | undefined {
  const first = bytes[0];
  return first === undefined ? undefined : { value: first, rest: bytes };
}

/** A packet from before the session has begun: no type, a length that counts itself. */
export function takeOpeningPacket(bytes: Buffer): Taken<OpeningPacket> | undefined {
  const taken = takeSized(bytes, 0, longestOpeningPacket);
  return taken && { value: readOpeningPacket(taken.value), rest: taken.rest };
}

export function takePassword(bytes: Buffer): Taken<string> | undefined {
  if (bytes.length > 0 && bytes[0] !== 'p'.charCodeAt(0)) {
    throw new ProtocolError(`expected password response, got message type ${bytes[0]}`);
  }
  const taken = takeSized(bytes, 1, longestPasswordMessage);
  return taken && { value: readString(taken.value, 5).text, rest: taken.rest };
}

function takeSized(bytes: Buffer, lengthAt: 0 | 1, longest: number): Taken<Buffer> | undefined {
  if (bytes.length < lengthAt + 4) return undefined;
  const length = bytes.readInt32BE(lengthAt);
  if (length < 4 || length > longest) throw new ProtocolError('invalid length of packet');
  const end = lengthAt + length;
  if (bytes.length < end) return undefined;
  return { value: bytes.subarray(0, end), rest: bytes.subarray(end) };
}

function readOpeningPacket(packet: Buffer): OpeningPacket {
  if (packet.length < 8) throw new ProtocolError('invalid length of startup packet');
  const code = packet.readInt32BE(4);
  if (code === sslRequestCode) return { kind: 'ssl-request' };
  if (code === gssencRequestCode) return { kind: 'gssenc-request' };
  if (code === cancelRequestCode) return { kind: 'cancel-request', packet };
  if (code >> 16 !== 3) throw new ProtocolError(`unsupported frontend protocol ${code >> 16}`);
  const parameters = readParameters(packet);
  const user = parameters.get('user');
  if (!user) throw new ProtocolError('no PostgreSQL user name specified in startup packet');
  return { kind: 'startup', user, database: parameters.get('database') || user, packet };
}

function readParameters(packet: Buffer): Map<string, string> {
  const parameters = new Map<string, string>();
  let at = 8;
  while (packet[at] !== 0) {
    const name = readString(packet, at);
    const value = readString(packet, name.end);
    parameters.set(name.text, value.text);
    at = value.end;
  }
  return parameters;
}

function readString(packet: Buffer, start: number): { text: string; end: number } {
  const nul = packet.indexOf(0, start);
  if (nul === -1) throw new ProtocolError('invalid packet layout: expected terminator');
  return { text: packet.toString('utf8', start, nul), end: nul + 1 };
}

export function authenticationCleartextPassword(): Buffer {
  return message('R', int32(3));
}

export function errorResponse({ sqlstate, message: text }: Fatal): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: sqlstate, M: text };
  const body = Object.entries(fields).map(([type, value]) => string(type + value));
  return message('E', ...body, Buffer.of(0));
}

export function sslRequest(): Buffer {
  return sized(int32(sslRequestCode));
}

export function gssencRequest(): Buffer {
  return sized(int32(gssencRequestCode));
}

export function cancelRequest(processId: number, secretKey: number): Buffer {
  return sized(int32(cancelRequestCode), int32(processId), int32(secretKey));
}

export function startupMessage(parameters: Record<string, string>): Buffer {
  const strings = Object.entries(parameters).flat().map(string);
  return sized(int32(protocolVersion), ...strings, Buffer.of(0));
}

export function passwordMessage(password: string): Buffer {
  return message('p', string(password));
}

function message(type: string, ...body: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type), sized(...body)]);
}

function sized(...body: Buffer[]): Buffer {
  const bytes = Buffer.concat(body);
  return Buffer.concat([int32(4 + bytes.length), bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
