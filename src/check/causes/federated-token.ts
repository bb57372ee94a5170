import { failure } from '../../support/failure.ts';

export const frozenToken = failure<'path' | 'end'>(
  'federated-token-frozen',
  'federated-token.expired',
  ({ path, end }) => ({
    found: `${path} is a mount of its own, as subPath makes it: it never gets the tokens that kubelet puts into the volume, and the one in it ${end}`,
    remedy:
      'Mount the whole volume at a directory, without subPath, and point AZURE_FEDERATED_TOKEN_FILE (--federated-token-file) at the file in it.',
  }),
);
