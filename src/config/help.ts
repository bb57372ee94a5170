import { accepts, type CommandName, flagOf, type Option, variablesOf } from './option.ts';
import { type OptionGroups, optionGroups } from './options.ts';

/** What to do about wrong settings of a command. */
export function seeHelp(command: CommandName): string {
  return `See pgpassd ${command} --help for every setting.`;
}

type GroupName = keyof OptionGroups;

const titles: Readonly<Record<GroupName, string>> = {
  common: 'Common',
  identity: 'Identity',
  passfile: 'Passfile',
  timing: 'Timing',
  observing: 'Observing',
  check: 'Settings of check',
};

interface NamedOption {
  readonly name: string;
  readonly option: Option<unknown>;
  readonly group: GroupName;
}

/** `--help`'s list of settings in groups: of all commands, or of one, whose own settings come first. */
export function settingsHelp(command?: CommandName, groups: OptionGroups = optionGroups): string {
  const all = everyOption(groups);
  const accepted = all.filter(({ option }) => command === undefined || accepts(command, option));
  const isOwn = ({ option }: NamedOption) =>
    command !== undefined && (usersOf(option)?.includes(command) ?? false);
  const own = accepted.filter(isOwn).map((each) => paragraphOf(each, each.option.help));
  const sections = [
    { title: `Settings of ${command}`, paragraphs: own },
    ...Object.entries(titles).map(([group, title]) => ({
      title,
      paragraphs: accepted
        .filter((each) => each.group === group && !isOwn(each))
        .map((each) => paragraphOf(each, meaningOf(each.option))),
    })),
  ];
  return sections
    .filter(({ paragraphs }) => paragraphs.length > 0)
    .map(({ title, paragraphs }) => [`${title}:`, ...paragraphs].join('\n'))
    .join('\n\n');
}

function paragraphOf({ name, option }: NamedOption, meaning: string): string {
  const usage = [flagOf(name), option.placeholder].filter(Boolean).join(' ');
  const defaultValue = option.defaultText ?? option.defaultNote;
  const notes = [
    option.repeatable && 'repeatable',
    option.whenMissing && requirementOf(option),
    defaultValue && `default: ${defaultValue}`,
    `also from: ${variablesOf(name, option).join(', ')}`,
  ].filter(Boolean);
  return `  ${usage}\n      ${meaning}\n      (${notes.join('; ').replaceAll('`', '')})`;
}

/** The reference's table of settings, in Markdown. */
export function settingsTable(groups: OptionGroups = optionGroups): string {
  const rows = everyOption(groups).map(({ name, option }) => {
    const usage = [flagOf(name), option.placeholder?.replaceAll('|', '\\|')]
      .filter(Boolean)
      .join(' ');
    const cells = [
      `\`${usage}\`${option.repeatable ? ' (repeatable)' : ''}`,
      variablesOf(name, option)
        .map((variable) => `\`${variable}\``)
        .join(', '),
      option.whenMissing ? requirementOf(option) : markDefault(option),
      meaningOf(option),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| flag | variables | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function everyOption(groups: OptionGroups): readonly NamedOption[] {
  return (Object.keys(titles) as GroupName[]).flatMap((group) =>
    Object.entries(groups[group]).map(([name, option]) => ({ name, option, group })),
  );
}

/** The commands that it is for, where those are only one or two. */
function usersOf(option: Option<unknown>): readonly CommandName[] | undefined {
  const { acceptedBy, usedBy = acceptedBy } = option;
  return usedBy === undefined || usedBy.length > 2 ? undefined : usedBy;
}

function meaningOf(option: Option<unknown>): string {
  const users = usersOf(option);
  return users === undefined ? option.help : `${users.join(', ')}: ${option.help}`;
}

function requirementOf({ unless }: Option<unknown>): string {
  return unless === undefined ? 'required' : `required without \`${flagOf(unless)}\``;
}

function markDefault(option: Option<unknown>): string {
  return option.defaultText === undefined
    ? (option.defaultNote ?? 'none')
    : `\`${option.defaultText}\``;
}
