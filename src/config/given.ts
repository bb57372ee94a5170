/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A flag as it stood on the command line; `value` is absent when nothing followed it. */
export interface GivenFlag {
  readonly flag: string;
  readonly value: string | undefined;
}
