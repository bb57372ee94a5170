import { type CommandName, flagOf, type Option, takes, variableOf } from './option.ts';
import { options } from './options.ts';

/** `--help`'s list of settings, of one command or of all. */
export function settingsHelp(command?: CommandName): string {
  return everyOption()
    .filter(({ option }) => command === undefined || takes(command, option))
    .map(({ name, option }) => {
      const usage = [flagOf(name), option.placeholder].filter(Boolean).join(' ');
      const notes = [
        option.repeatable && 'repeatable',
        option.whenMissing && requirementOf(option),
        defaultOf(option) && `default: ${defaultOf(option)}`,
        `also from: ${variablesOf(name, option).join(', ')}`,
      ].filter(Boolean);
      return `  ${usage}\n      ${option.help}\n      (${notes.join('; ').replaceAll('`', '')})`;
    })
    .join('\n');
}

/** The table of docs/settings.md. */
export function settingsTable(): string {
  const rows = everyOption().map(({ name, option }) => {
    const usage = [flagOf(name), option.placeholder?.replaceAll('|', '\\|')]
      .filter(Boolean)
      .join(' ');
    const cells = [
      `\`${usage}\`${option.repeatable ? ' (repeatable)' : ''}`,
      variablesOf(name, option)
        .map((variable) => `\`${variable}\``)
        .join(', '),
      option.whenMissing ? requirementOf(option) : markDefault(option),
      option.help,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| flag | variables | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function everyOption(): { name: string; option: Option<unknown> }[] {
  return Object.entries(options).map(([name, option]) => ({ name, option }));
}

function variablesOf(name: string, option: Option<unknown>): string[] {
  return [variableOf(name, option), ...(option.alsoFrom ?? [])];
}

function requirementOf({ unless }: Option<unknown>): string {
  return unless === undefined ? 'required' : `required without \`${flagOf(unless)}\``;
}

function defaultOf(option: Option<unknown>): string | undefined {
  return option.defaultText ?? option.defaultNote;
}

function markDefault(option: Option<unknown>): string {
  return option.defaultText === undefined
    ? (option.defaultNote ?? 'none')
    : `\`${option.defaultText}\``;
}
