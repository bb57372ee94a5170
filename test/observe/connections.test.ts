import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Connections, mostConnections } from '../../src/observe/http-limits.ts';

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
  for (const each of open) connections.begin(each);
  connections.end(open[1]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([false, true, false]);
});

test('one who has its answer gives way before an older one whose request has not come yet', () => {
  const { connections, connect, open } = withThree();
  connections.begin(open[2]);
  connections.end(open[2]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([false, false, true]);
});

test('where all have a request in work, the oldest gives way', () => {
  const { connections, connect, open } = withThree();
  for (const each of open) connections.begin(each);
  expect(connect().destroyed).toBe(false);
  expect(open.map((each) => each.destroyed)).toEqual([true, false, false]);
});

test('a newcomer whose request was not read yet does not give way to the next', () => {
  const { connections, connect, open } = withThree();
  for (const each of open) connections.begin(each);
  const newcomer = connect();
  connections.begin(connect());
  expect(newcomer.destroyed).toBe(false);
  expect(open.map((each) => each.destroyed)).toEqual([true, true, false]);
});

test('a closed one leaves its place', () => {
  const { connections, connect, open } = withThree();
  connections.begin(open[0]);
  open[0].emit('close');
  connections.end(open[0]);
  connect();
  expect(open.map((each) => each.destroyed)).toEqual([false, false, false]);
});

const limits = (
  openFiles: string,
) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                96365                processes
Max open files            ${openFiles.padEnd(21)}1048576              files
Max locked memory         8388608              8388608              bytes
`;

test.each([
  ['1048576', 512],
  ['2048', 512],
  ['1024', 256],
  ['512', 128],
  ['511', 127],
  ['3', 1],
  ['unlimited', 512],
])('with a limit of %s open files there are at most %i connections', (openFiles, most) => {
  expect(mostConnections(limits(openFiles))).toBe(most);
});

test('where the limit of open files is not known there are at most 512', () => {
  expect(mostConnections('')).toBe(512);
});
