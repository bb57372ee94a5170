import fc from 'fast-check';
import { ANY, type Entry, type Field } from '../../src/passfile/format.ts';
import { anyCharacter } from '../support/any-character.ts';

const sayable = (text: string) => !/[\r\n\0]/.test(text);

/** Text that a passfile line can express, rich in characters that its syntax uses. */
export const fieldText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.string({
      unit: fc.constantFrom(
        ':',
        '\\',
        '*',
        '#',
        ' ',
        '\t',
        "'",
        '"',
        'a',
        '5',
        'ä',
        '🐘',
        '$',
        '@',
      ),
      maxLength: 6,
    }),
  },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter }).filter(sayable) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '*',
      '**',
      '#',
      '#EXT#',
      'my-server.postgres.database.azure.com',
      '::1',
      'user@example.com',
      'user_example.com#EXT#@tenant.onmicrosoft.com',
    ),
  },
);

export const namedText = fieldText.filter((text) => text !== '');

export const field: fc.Arbitrary<Field> = fc.oneof(
  { weight: 3, arbitrary: namedText },
  { weight: 1, arbitrary: fc.constant(ANY) },
);

export const entry: fc.Arbitrary<Entry> = fc.record({
  host: field,
  port: field,
  database: field,
  user: field,
});
