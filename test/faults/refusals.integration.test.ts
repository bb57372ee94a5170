import { afterAll, beforeAll, describe, test } from 'vitest';
import { documentedCodes } from '../../src/entra/failure.ts';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { endure } from './outage.ts';
import { noPsql, openPod } from './pod.ts';
import { groupsOf, outagesOf } from './refusals.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

describe
  .skipIf(noPsql)
  .concurrent('an application notices nothing of (psql must be installed)', () => {
    test.for(groupsOf(documentedCodes))('%s', async ([, group], context) => {
      await endure(await openPod(azure, context), outagesOf(group), context);
    });
  });
