import fc from 'fast-check';

export const segment = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constant(1e300));

/** A JWT whose claims are missing, or something else than what they should be. */
export const oddJwt: fc.Arbitrary<string> = fc
  .dictionary(fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat'), odd)
  .map((claims) => `e30.${segment(claims)}.c2ln`);
