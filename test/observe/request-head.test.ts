import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestHead } from '../../src/observe/http-limits.ts';

const LONGEST = 100;

/** What belongs to the head of all that arrives in these pieces, and whether it is over. */
function headIn(pieces: readonly string[]): { head: string; over: boolean } {
  const head = new RequestHead(LONGEST);
  const taken = pieces.map((piece) => {
    const bytes = Buffer.from(piece, 'latin1');
    return bytes.toString('latin1', 0, head.lengthIn(bytes));
  });
  return { head: taken.join(''), over: head.over };
}

test.each([
  ['one request', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', ''],
  ['pipelined requests', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a body', 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n', 'GET '],
  ['blank lines before it', '\r\n\r\n\n\r\nGET / HTTP/1.0\r\n\r\n', 'more'],
  ['lines that end in LF alone', 'GET / HTTP/1.0\nA: b\n\n', 'more'],
  ['both line ends', 'GET / HTTP/1.0\r\nA: b\n\r\n', 'more'],
  ['what is no HTTP', 'Hello\r\n\r\n', 'more'],
])('the head ends with the first empty line: %s', (_what, head, rest) => {
  expect(headIn([head + rest])).toEqual({ head, over: true });
});

test.each(['', '\r\n\r\n', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nA: b\r\n\r'])(
  'all of it belongs to a head that is not over: %j',
  (bytes) => {
    expect(headIn([bytes])).toEqual({ head: bytes, over: false });
  },
);

test.each(['x', '\r\n', 'a:\r\n'])('a head that does not end is over at its limit: %j', (bytes) => {
  const text = bytes.repeat(LONGEST);
  expect(headIn([text])).toEqual({ head: text.slice(0, LONGEST), over: true });
});

const bytes = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', ' : ', '\0', 'ÿ'), {
  maxLength: 60,
});

test('it does not matter how the bytes arrive', () => {
  fc.assert(
    fc.property(bytes, (pieces) => {
      expect(headIn(pieces)).toEqual(headIn([pieces.join('')]));
    }),
  );
});

test('a head has one empty line after its first other one, and it is the last', () => {
  fc.assert(
    fc.property(bytes, (pieces) => {
      const { head } = headIn(pieces);
      const lines = head.replaceAll('\r', '').replace(/^\n+/, '').split('\n');
      expect(lines.slice(0, -2)).not.toContain('');
    }),
  );
});
