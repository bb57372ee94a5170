import type { FuzzTarget } from './target.ts';
import { answers } from './targets/answers.ts';
import { commands } from './targets/commands.ts';
import { exchange } from './targets/exchange.ts';
import { passfiles } from './targets/passfiles.ts';
import { settings } from './targets/settings.ts';
import { tokens } from './targets/tokens.ts';

export const targets: readonly FuzzTarget[] = [
  ...answers,
  ...commands,
  ...exchange,
  ...passfiles,
  ...settings,
  ...tokens,
];
