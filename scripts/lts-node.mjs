// `node lts-node.mjs FOLDER [MAJOR]`: installs the newest long-term-support Node, or that major, from npm into the folder,
// and prints the path of its binary as the last line. An even major is released in April and becomes LTS at the end of
// October of the same year: 20 in 2023, 22 in 2024, 24 in 2025.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder, major] = process.argv.slice(2);
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

function npm(...args) {
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

function newestLts() {
  const majors = JSON.parse(npm('view', name, 'versions', '--json')).map((version) => Number(version.split('.')[0]));
  const lts = majors.filter((each) => each % 2 === 0 && new Date(Date.UTC(2013 + each / 2, 9, 31)) <= new Date());
  return Math.max(...lts);
}

mkdirSync(folder, { recursive: true });
npm('install', '--prefix', folder, '--no-save', '--ignore-scripts', `${name}@${major ?? newestLts()}`);
const binary = join(folder, 'node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
console.log(spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim());
console.log(binary);
