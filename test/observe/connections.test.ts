import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Connections } from '../../src/observe/connections.ts';

class FakeConnection extends EventEmitter {
  destroyed = false;
  destroy() {
    this.destroyed = true;
  }
}

function withThree() {
  const connections = new Connections<FakeConnection>(3);
  const connect = () => {
    const connection = new FakeConnection();
    connections.add(connection);
    return connection;
  };
  return { connections, connect, open: [connect(), connect(), connect()] as const };
}

test('the oldest gives way to one more', () => {
  const { connect, open } = withThree();
  expect(open.map((each) => each.destroyed)).toEqual([false, false, false]);
  const newcomer = connect();
  expect(open.map((each) => each.destroyed)).toEqual([true, false, false]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([true, true, false]);
  expect(newcomer.destroyed).toBe(false);
});

test('not one whose request is in work; one who has its answer and does not read it', () => {
  const { connections, connect, open } = withThree();
  for (const each of open) expect(connections.begin(each)).toBe(true);
  connections.end(open[1]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([false, true, false]);
});

test('where all are in work, the newcomer gives way', () => {
  const { connections, connect, open } = withThree();
  for (const each of open) connections.begin(each);
  expect(connect().destroyed).toBe(true);
  connections.end(open[2]);
  expect(connect().destroyed).toBe(false);
  expect(open.map((each) => each.destroyed)).toEqual([false, false, true]);
});

test('a closed one leaves its place', () => {
  const { connections, connect, open } = withThree();
  connections.begin(open[0]);
  open[0].emit('close');
  connections.end(open[0]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([false, false, false]);
});

test('a connection is good for one request', () => {
  const { connections, open } = withThree();
  expect(connections.begin(open[0])).toBe(true);
  expect(connections.begin(open[0])).toBe(false);
  connections.end(open[0]);
  expect(connections.begin(open[0])).toBe(false);
});
