/**
 * Kubernetes leaves `$(NAME)` as it is when no variable NAME stands before it in `env`:
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
const REFERENCE = /\$\([A-Za-z_][\w.-]{0,63}\)/;

/** What is wrong with a setting that still holds a reference; `undefined` when it holds none. */
export function unexpandedReference(text: string): string | undefined {
  const reference = REFERENCE.exec(text)?.[0];
  return (
    reference &&
    `${reference} was not replaced: Kubernetes knows no such variable here; define it in env, above the one that uses it`
  );
}
