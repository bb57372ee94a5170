import { describe, expect, test } from 'vitest';
import { isFrozen, mountOf, parseMountinfo } from '../../../src/check/host.ts';

/** As a container on AKS has them; the optional fields before the dash are none, one or several. */
const table = `\
812 707 0:251 / / rw,relatime master:302 - overlay overlay rw,lowerdir=/a:/b
813 812 0:254 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
821 812 0:244 / /run/secrets/azure/tokens ro,relatime - tmpfs tmpfs rw,size=65536k
822 812 0:245 /..2026_11_24_03_33_07.1793842154/azure-identity-token /run/token ro,relatime master:7 propagate_from:2 - tmpfs tmpfs rw
823 812 0:245 /..2026_11_24_03_33_07.1793842154/to\\040ken//deleted /run/dir\\040with\\040blanks ro - tmpfs tmpfs rw
824 812 259:1 /var/lib/kubelet/pods/1/etc-hosts /etc/hosts rw,relatime - ext4 /dev/root rw
825 821 0:246 / /run/secrets/azure/tokens rw - tmpfs tmpfs rw
`;
const mounts = parseMountinfo(table);

test('a line has the root, point, options and type of a mount', () => {
  expect(mounts).toHaveLength(7);
  expect(mounts[4]).toEqual({
    root: '/..2026_11_24_03_33_07.1793842154/to ken//deleted',
    point: '/run/dir with blanks',
    options: ['ro'],
    type: 'tmpfs',
  });
});

test.each(['', '\n', 'nonsense', '1 2 3', '1 2 0:1 / /point rw', '1 2 0:1 / /point rw - '])(
  'an invalid line is skipped: %j',
  (text) => {
    expect(parseMountinfo(`${text}\n${table}`).slice(-7)).toEqual(mounts);
  },
);

describe('the mount that shows a path', () => {
  test.each([
    ['the root, where there is nothing nearer', '/usr/bin/node', '/', 'overlay'],
    ['the directory it is in', '/proc/self', '/proc', 'proc'],
    ['the file itself', '/etc/hosts', '/etc/hosts', 'ext4'],
    ['not one whose name only begins alike', '/etc/hosts.allow', '/', 'overlay'],
  ])('is %s', (_which, path, point, type) => {
    expect(mountOf(path, mounts)).toMatchObject({ point, type });
  });

  test('is the last of several at one point', () => {
    expect(mountOf('/run/secrets/azure/tokens/token', mounts)?.options).toEqual(['rw']);
  });

  test('is not known without a table', () => {
    expect(mountOf('/usr', [])).toBeUndefined();
  });
});

test.each([
  ['in a whole volume', '/run/secrets/azure/tokens/..2026_11_24_03_33_07.1/token', false],
  ['in no volume', '/app/token', false],
  ['that is a mount itself', '/run/token', true],
  ['that is a mount of something else', '/etc/hosts', true],
  ["in a directory of a volume's version", '/run/dir with blanks/azure-identity-token', true],
])('a file %s: frozen is %s', (_where, path, frozen) => {
  expect(isFrozen(path, mounts)).toBe(frozen);
});
