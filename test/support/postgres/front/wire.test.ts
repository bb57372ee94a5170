import { describe, expect, test } from 'vitest';
import {
  cancelRequest,
  errorResponse,
  gssencRequest,
  passwordMessage,
  peekByte,
  sslRequest,
  startupMessage,
  takeOpeningPacket,
  takePassword,
} from './wire.ts';

const empty = Buffer.alloc(0);

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

describe('opening packets', () => {
  test.each([
    ['SSLRequest', hex('00000008 04d2162f'), 'ssl-request'],
    ['GSSENCRequest', hex('00000008 04d21630'), 'gssenc-request'],
    ['CancelRequest', hex('00000010 04d2162e 0000002a 00000007'), 'cancel-request'],
    [
      'CancelRequest of protocol 3.2',
      hex('00000014 04d2162e 0000002a 0102030405060708'),
      'cancel-request',
    ],
  ])('%s is recognised by its code', (_, packet, kind) => {
    expect(takeOpeningPacket(packet)).toMatchObject({ value: { kind }, rest: empty });
  });

  test('what clients send is what the tests build', () => {
    expect(sslRequest()).toEqual(hex('00000008 04d2162f'));
    expect(gssencRequest()).toEqual(hex('00000008 04d21630'));
    expect(cancelRequest(42, 7)).toEqual(hex('00000010 04d2162e 0000002a 00000007'));
  });

  test('a StartupMessage names user and database, and is kept as it came', () => {
    const packet = startupMessage({ user: 'we:ird\\us er', database: 'größe', options: '-c a=b' });
    expect(takeOpeningPacket(packet)?.value).toEqual({
      kind: 'startup',
      user: 'we:ird\\us er',
      database: 'größe',
      packet,
    });
  });

  test('the database defaults to the user', () => {
    const taken = takeOpeningPacket(startupMessage({ user: 'app' }));
    expect(taken?.value).toMatchObject({ user: 'app', database: 'app' });
  });

  test('protocol 3.2 is accepted like 3.0', () => {
    const packet = startupMessage({ user: 'app' });
    packet.writeInt32BE(0x0003_0002, 4);
    expect(takeOpeningPacket(packet)?.value).toMatchObject({ kind: 'startup', user: 'app' });
  });

  test('a packet that has arrived in part is waited for, byte by byte', () => {
    const packet = startupMessage({ user: 'app' });
    for (let length = 0; length < packet.length; length += 1) {
      expect(takeOpeningPacket(packet.subarray(0, length))).toBeUndefined();
    }
  });

  test('what follows a packet is left over', () => {
    const bytes = Buffer.concat([sslRequest(), Buffer.from([0x16, 0x03])]);
    expect(takeOpeningPacket(bytes)?.rest).toEqual(Buffer.from([0x16, 0x03]));
  });

  test.each([
    ['a length below its own size', hex('00000003 00030000')],
    ['a length no client needs', hex('7fffffff 00030000')],
    ['a negative length', hex('ffffffff 00030000')],
    ['no room for a code', hex('00000004')],
    ['protocol 2', hex('00000009 00020000 00')],
    ['no user', hex('00000009 00030000 00')],
    ['an unterminated name', hex('0000000c 00030000 75736572')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s is a protocol violation', (_, packet) => {
    expect(() => takeOpeningPacket(packet)).toThrow(expect.objectContaining({ sqlstate: '08P01' }));
  });
});

describe('password message', () => {
  test('carries any password, of any length a token has', () => {
    for (const password of ['', 'a:b\\c d', 'ü', 'x'.repeat(7_000)]) {
      const bytes = Buffer.concat([passwordMessage(password), Buffer.from('Q')]);
      expect(takePassword(bytes)).toEqual({ value: password, rest: Buffer.from('Q') });
    }
  });

  test('is waited for until it is complete', () => {
    const packet = passwordMessage('secret');
    for (let length = 0; length < packet.length; length += 1) {
      expect(takePassword(packet.subarray(0, length))).toBeUndefined();
    }
  });

  test('any other message in its place is a protocol violation', () => {
    expect(() => takePassword(Buffer.from('Q'))).toThrow('expected password response');
  });
});

test('an ErrorResponse has severity, SQLSTATE and message', () => {
  expect(errorResponse({ sqlstate: '28P01', message: 'no' })).toEqual(
    Buffer.from('E\0\0\0\x1eSFATAL\0VFATAL\0C28P01\0Mno\0\0', 'latin1'),
  );
});

test('peeking takes nothing', () => {
  expect(peekByte(empty)).toBeUndefined();
  expect(peekByte(Buffer.from('ab'))).toEqual({ value: 0x61, rest: Buffer.from('ab') });
});
