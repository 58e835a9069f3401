import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from './step.mjs';

/**
 * Runs `npm ci` unless every package of package-lock.json is installed in its version. npm writes
 * node_modules/.package-lock.json last, so an install that was interrupted counts as missing, and one that the user made
 * counts as done. Install scripts are not run: no dependency needs one.
 */
export function install() {
  if (installed()) return;
  console.log('Installing dependencies …');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const sentence =
    'Installing the dependencies failed; check that the npm registry can be reached and run the command again.';
  if (npm !== undefined && npm.endsWith('npm-cli.js')) step(process.execPath, [npm, ...args], sentence);
  else step(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, sentence);
}

function installed() {
  const found = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(found)) return false;
  const present = packagesIn(found);
  return Object.entries(packagesIn(join(root, 'package-lock.json'))).every(
    ([path, { version, optional, devOptional, peer }]) =>
      // Optional packages depend on the platform.
      path === '' || optional || devOptional || peer || present[path]?.version === version,
  );
}

function packagesIn(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
