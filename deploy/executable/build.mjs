// Makes dist/drp-node: image service, credential provider and node setup as one file, for machines that have no Node.js.
// Usage: build.mjs NODE OUTPUT, where NODE is the program that becomes a part of it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { inject } from 'postject';

const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** A quick start, and little memory for what stays. */
const NODE_FLAGS = ['--single-threaded', '--max-lazy', '--max-opt=1', '--memory-reducer-for-small-heaps'];
/** Modules of Node that cost much to load. */
const LATE_BUILTINS = [
  'child_process',
  'crypto',
  'dgram',
  'dns/promises',
  'http',
  'http2',
  'https',
  'net',
  'perf_hooks',
  'tls',
  'v8',
  'worker_threads',
  'zlib',
];
/** What packages have for others: none of it is called here. */
const UNUSED_MODULES = [
  'node_modules/prom-client/lib/cluster.js',
  'node_modules/prom-client/lib/pushgateway.js',
  'node_modules/@opentelemetry/api/dist/index.cjs',
  'node_modules/pino/lib/transport.js',
];
const top = resolve(import.meta.dirname, '../..');
const COMMON = {
  absWorkingDir: top,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minifySyntax: true,
  // The text stays in memory. Names are kept, for stack traces.
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
};
const run = promisify(execFile);

const [node, output] = process.argv.slice(2).map((path) => resolve(path));
const folder = await mkdtemp(join(tmpdir(), 'drp-node-'));
try {
  const builtins = await lateBuiltins();
  await bundle('src/cli/node-main.ts', join(folder, 'main.cjs'), [builtins]);
  const latePackages = new Set();
  await bundle('src/cli/drp-node.ts', join(folder, 'program.cjs'), [builtins, leaveOutLatePackages(latePackages)], {
    inject: ['deploy/executable/schemas.mjs'],
  });
  await requireAscii(join(folder, 'program.cjs'));
  await bundlePackages(latePackages, join(folder, 'packages.cjs'));
  // The code cache of V8 differs from one build to the next, and saves little: it is left out.
  const sea = {
    main: 'main.cjs',
    output: 'blob',
    assets: { program: 'program.cjs', packages: 'packages.cjs' },
    disableExperimentalSEAWarning: true,
    execArgv: NODE_FLAGS,
  };
  await writeFile(join(folder, 'sea.json'), JSON.stringify(sea));
  // In that folder, so that no path of this machine gets into the blob.
  await run(node, ['--experimental-sea-config', 'sea.json'], { cwd: folder });
  const program = join(folder, 'program');
  await copyFile(node, program);
  await injectQuietly(program, await readFile(join(folder, 'blob')));
  await chmod(program, 0o755);
  const sum = await sha256(program);
  await copyFile(program, `${output}.new`);
  await rename(`${output}.new`, output);
  await writeFile(`${output}.sha256`, `${sum}  ${basename(output)}\n`);
  process.stdout.write(`${output}\nsha256 ${sum}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One CommonJS file: what is imported when it is needed is still evaluated only then. */
async function bundle(entryPoint, outfile, plugins = [], more = {}) {
  const { version } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'));
  await build({
    ...COMMON,
    ...more,
    entryPoints: [entryPoint],
    outfile,
    plugins: [
      ...plugins,
      // Error messages in sixty languages, of which only English is used; that one is imported by itself.
      replaceModule('node_modules/zod/v4/locales/index.js', async () => 'export {};'),
      ...UNUSED_MODULES.map((path) => replaceModule(path, async () => 'module.exports = undefined;')),
      replaceModule('src/core/version.ts', async () => `export const programVersion = () => ${JSON.stringify(version)};`),
      replaceModule('src/plugins/module/thread-program.ts', async () => {
        const source = await readFile(join(top, 'src/plugins/module/thread-main.mjs'), 'utf8');
        const { code } = await transform(source, { format: 'cjs', platform: 'node' });
        return `export const THREAD_PROGRAM = { program: ${JSON.stringify(code)}, isText: true };`;
      }),
    ],
  });
}

/** A question to the exec plugin needs none or few of {@link LATE_BUILTINS}: each is loaded when something of it is used. */
async function lateBuiltins() {
  const listExports = `JSON.stringify(${JSON.stringify(LATE_BUILTINS)}.map((name) => [name, Object.keys(require(name))]))`;
  // Asked of the Node that becomes a part of it, not of the one that builds.
  const { stdout } = await run(node, ['-p', listExports]);
  const exportsOf = new Map(JSON.parse(stdout));
  return {
    name: 'late-builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^(?:node:)?[a-z]/ }, ({ path, namespace }) => {
        const name = path.replace(/^node:/, '');
        return exportsOf.has(name) && namespace !== 'late-builtin' ? { path: name, namespace: 'late-builtin' } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'late-builtin' }, ({ path }) => {
        const getters = exportsOf.get(path).map((key) => `get ${key}() { return require('node:${path}').${key}; }`);
        return { contents: `module.exports = { ${getters.join(', ')} };` };
      });
    },
  };
}

/**
 * The packages that are loaded at their first use, such as the clouds' own, in an asset by themselves: V8 reads a program from
 * its beginning to its end before it runs, and they are three quarters of it.
 */
function leaveOutLatePackages(names) {
  return {
    name: 'late-packages',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@?\w/ }, ({ path, kind }) => {
        if (kind !== 'dynamic-import' || isBuiltin(path)) return undefined;
        names.add(path);
        return { path, namespace: 'late-package' };
      });
      onResolve({ filter: /^late-packages$/ }, ({ path }) => ({ path, namespace: 'late-packages' }));
      onLoad({ filter: /.*/, namespace: 'late-package' }, ({ path }) => ({
        contents: `module.exports = require('late-packages')[${JSON.stringify(path)}];`,
      }));
      onLoad({ filter: /.*/, namespace: 'late-packages' }, () => ({
        contents: `module.exports = require('./src/cli/asset.ts').loadAsset('packages');`,
        resolveDir: top,
      }));
    },
  };
}

/** One other character, and V8 keeps the whole text with two bytes for each. */
async function requireAscii(file) {
  const [found] = /[^\0-\x7f]/.exec(await readFile(file, 'utf8')) ?? [];
  if (found) throw new Error(`${basename(file)} holds ${found}: write it as an escape, in a regular expression too`);
}

async function bundlePackages(names, outfile) {
  const quoted = [...names].sort().map((name) => JSON.stringify(name));
  const contents = `module.exports = { ${quoted.map((name) => `get ${name}() { return require(${name}); }`).join(', ')} };`;
  await build({ ...COMMON, stdin: { contents, resolveDir: top }, outfile });
}

/** For what a module reads from a file beside it: there are no files in an executable. */
function replaceModule(path, contents) {
  const filter = new RegExp(`/${path.replaceAll('.', '\\.')}$`);
  return {
    name: path,
    setup: ({ onLoad }) => onLoad({ filter }, async () => ({ contents: await contents(), loader: 'js' })),
  };
}

/** The library tells of names of ELF sections that it can't find, which it does not need. */
async function injectQuietly(program, blob) {
  const { warn, log } = console;
  Object.assign(console, { warn: () => {}, log: () => {} });
  try {
    await inject(program, RESOURCE, blob, { sentinelFuse: FUSE });
  } finally {
    Object.assign(console, { warn, log });
  }
}

async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
