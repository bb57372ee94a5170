import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunOptions {
  readonly input?: string;
  /** Exit codes that are answers; by default 0 alone. */
  readonly expected?: readonly number[];
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl, in one namespace of the cluster that KUBECONFIG points to. */
export class Kubectl {
  readonly namespace: string;
  readonly #signal: AbortSignal;

  constructor(namespace: string, signal: AbortSignal) {
    this.namespace = namespace;
    this.#signal = signal;
  }

  /** @throws with what kubectl says, unless it ends as expected */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { input = '', expected = [0] } = options;
    const outcome = await this.#execute(args, input);
    if (expected.includes(outcome.exitCode)) return outcome;
    throw new Error(`kubectl ${args.join(' ')} ended with ${outcome.exitCode}: ${outcome.stderr}`);
  }

  async json<T>(args: readonly string[]): Promise<T> {
    const { stdout } = await this.run([...args, '--output=json']);
    return JSON.parse(stdout) as T;
  }

  /** Creates or changes what the text describes, and refuses fields that the cluster does not know. */
  async apply(manifests: string): Promise<void> {
    await this.run(['apply', '--server-side', '--validate=strict', '--filename=-'], {
      input: manifests,
    });
  }

  /**
   * The lines that a command prints, for as long as somebody reads them and `signal` lasts.
   *
   * @throws when it ends by itself with an error
   */
  async *lines(args: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
    this.#signal.throwIfAborted();
    const child = spawn('kubectl', this.#inNamespace(args), {
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: AbortSignal.any([signal, this.#signal]),
    });
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', resolve);
      // An abort, which is no error here.
      child.on('error', () => resolve(null));
    });
    try {
      yield* createInterface({ input: child.stdout });
      const exitCode = await ended;
      this.#signal.throwIfAborted();
      if (exitCode) throw new Error(`kubectl ${args.join(' ')} ended with ${exitCode}`);
    } finally {
      child.kill();
    }
  }

  #inNamespace(args: readonly string[]): string[] {
    return [`--namespace=${this.namespace}`, ...args];
  }

  #execute(args: readonly string[], input: string): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const options = { signal: this.#signal, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(
        'kubectl',
        this.#inNamespace(args),
        options,
        (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : error.code;
          if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr });
          else reject(error);
        },
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }
}
