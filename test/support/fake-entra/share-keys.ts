import { exportJWK, generateKeyPair } from 'jose';
import { authorities, keysVariable } from './signing-key.ts';

/** Makes the keys of every fake of this run: for its processes to make their own would take each a tenth of a second. */
export default async function shareKeys(): Promise<void> {
  // Another project of the same run has done it.
  if (process.env[keysVariable] !== undefined) return;
  const keys = authorities.map(async (keyId) => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    return [keyId, { public: await exportJWK(publicKey), private: await exportJWK(privateKey) }];
  });
  process.env[keysVariable] = JSON.stringify(Object.fromEntries(await Promise.all(keys)));
}
