import type { Kubectl } from './kubectl.ts';

const looks = [
  ['get', 'pods', '--output=wide'],
  ['get', 'events', '--sort-by=.lastTimestamp'],
  ['describe', 'pods'],
  ['logs', '--selector=app', '--all-containers', '--prefix', '--tail=10', '--ignore-errors'],
];

/** What one would look at next. No token is in any of it. */
export async function diagnose(kubectl: Kubectl): Promise<string> {
  const texts: string[] = [];
  for (const look of looks) {
    const { stdout, stderr } = await kubectl.run(look, { expected: [0, 1] });
    texts.push(`== kubectl ${look.join(' ')}\n${stdout}${stderr}`);
  }
  return texts.join('\n');
}
