/** The hook by which a helper cleans up after a test; a concurrent test hands in that of its context. */
export type OnTestFinished = (cleanUp: () => Promise<void>) => void;
