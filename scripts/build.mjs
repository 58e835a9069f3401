import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, step, stopOnError } from './step.mjs';

/**
 * Builds dist/, which mirrors the sources: `topology/index.ts` becomes `dist/topology/index.js` and `index.d.ts`, and what is
 * not TypeScript (Avro schemas, the page, the data) is copied to the same place, so that a URL relative to a module holds in
 * both. A stamp with a hash of every input says whether there is anything to do; the new folder replaces the old in one
 * rename, so that a build that fails leaves the old one.
 */
const folders = 'schemas state log topology processors sinks sources models serving web cli data'.split(' ');
const configuration = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];
const dist = join(root, 'dist');
const stampFile = join(dist, '.inputs');

export function build() {
  const inputs = [
    ...configuration,
    ...folders.filter((folder) => existsSync(join(root, folder))).flatMap(shippedFiles),
  ];
  const stamp = hashOf(inputs);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.log('Building …');
  const fresh = join(root, `dist-${process.pid}`);
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    step(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], 'The build failed.');
    for (const file of inputs) {
      if (configuration.includes(file) || extname(file) === '.ts') continue;
      mkdirSync(dirname(join(fresh, file)), { recursive: true });
      cpSync(join(root, file), join(fresh, file));
    }
    writeFileSync(join(fresh, '.inputs'), stamp);
    replaceDist(fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Puts the new folder in the place of the old, also when another build does the same at this moment. */
function replaceDist(fresh) {
  const old = `${fresh}-old`;
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

/** What is there for tests only: their files, doubles and children. tsconfig.build.json leaves out the same. */
const testFile = /\.test\.ts$|\.test-d\.ts$|\.testing\.ts$|^crash-child|^fake-|conformance/;

/** The files of a folder that a build takes in, in a fixed order. Tests and their fixtures are not shipped. */
function shippedFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return /^(fixtures|testdata|conformance)$/.test(entry.name) ? [] : shippedFiles(path);
      return testFile.test(entry.name) ? [] : [path];
    });
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) stopOnError(build);
