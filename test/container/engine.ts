import { homedir } from 'node:os';
import { engineAddresses, findEngine } from '../support/postgres/docker-engine.ts';

// The reaper is one more image to pull, and what is started here is removed here.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

const surroundings = { env: process.env, home: homedir(), uid: process.getuid?.() };

/** Whether no container engine answers. Tests that need one are skipped by name. */
export const noEngine = (await findEngine(engineAddresses(surroundings))) === undefined;
