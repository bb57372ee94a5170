/** A class of the Kubernetes models. */
interface Model {
  readonly prototype: { validate(): void };
}

/**
 * Every field of `object` that its schema does not know. The models' validators let those pass, as
 * an API server does unless told to be strict; but what a validator never reads is no field of the
 * schema.
 *
 * @throws Error where the schema objects
 */
export function unknownFields(model: Model, object: unknown): string[] {
  const read = new Set<string>();
  model.prototype.validate.call(watched(object, '', read));
  return pathsOf(object, '').filter((path) => !read.has(path));
}

/** `value`, which notes the path of each of its fields that is read. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const inner = `${path}/${String(key)}`;
      read.add(inner);
      return watched(Reflect.get(target, key), inner, read);
    },
  });
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${path}/${key}`,
    ...pathsOf(inner, `${path}/${key}`),
  ]);
}
