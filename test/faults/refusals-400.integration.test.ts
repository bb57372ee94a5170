import { afterAll, beforeAll, describe, test } from 'vitest';
import { documentedCodes } from '../../src/entra/failure.ts';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { endure } from './outage.ts';
import { noPsql, openPod } from './pod.ts';
import { answeredWith, groupsOf, refusalWith } from './refusals.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

const codes = documentedCodes.filter((code) => answeredWith(code).status === 400);

describe
  .skipIf(noPsql)
  .concurrent('an application notices nothing of (psql must be installed)', () => {
    test.for(groupsOf(codes))('%s', async ([, group], context) => {
      await endure(await openPod(azure, context), group.map(refusalWith), context);
    });
  });
