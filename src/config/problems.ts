/** What is wrong with a configuration, one sentence each, in the order it was found. */
export class Problems {
  readonly texts: string[] = [];
  /** Those of the texts that say that something is not set. */
  readonly missing: string[] = [];

  /** What is told already, by another who reads the same setting, is not told again. */
  add(text: string): void {
    if (!this.texts.includes(text)) this.texts.push(text);
  }

  addMissing(text: string): void {
    this.add(text);
    this.missing.push(text);
  }
}
