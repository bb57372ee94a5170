import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { checkContent } from './numbered-content.ts';

/** Reads the passfile again and again, as clients do at every connect, until the parent asks it to end. */
const path = process.argv[2] ?? '';
const faults: string[] = [];
let reads = 0;

function readOnce(): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    faults.push(`missing: ${String(error)}`);
    return;
  }
  try {
    const looseBits = fstatSync(file).mode & 0o177;
    if (looseBits !== 0) faults.push(`looser than 0600: ${looseBits.toString(8)}`);
    const fault = checkContent(readFileSync(file, 'utf8'));
    if (fault) faults.push(fault);
    reads += 1;
  } finally {
    closeSync(file);
  }
}

let reading = true;
process.once('message', () => {
  reading = false;
});

function turn(): void {
  for (let read = 0; read < 50; read += 1) readOnce();
  if (reading) setImmediate(turn);
  else process.send?.({ reads, faults: faults.slice(0, 10) }, () => process.disconnect());
}

process.send?.('reading');
turn();
