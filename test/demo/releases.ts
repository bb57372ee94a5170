type Release = () => Promise<unknown>;

/** What is to be released at the end, whatever happens until then. */
export class Releases {
  readonly #releases: Release[] = [];

  add(release: Release): void {
    this.#releases.push(release);
  }

  /** The last first. One that fails does not keep the others from being released. */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.splice(0).reverse()) {
      await release().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw new AggregateError(errors, 'the demo could not tidy up');
  }
}
