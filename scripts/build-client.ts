import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateDtsBundle } from 'dts-bundle-generator';
import { build, type Format } from 'esbuild';

/*
 * Builds the client as a package of its own in `dist/client`: one file for each module system, their types, and nothing to install with
 * it. `edgepress/client` is the same files. Run by `npm run build:client`, and before `npm pack`.
 */

const ENTRY = 'src/client/client.ts';
const OUTPUT = 'dist/client';
const NAME = 'edgepress-client';

interface Manifest {
  version: string;
  description: string;
  license: string;
}

async function buildClient(): Promise<void> {
  const { version, license } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  const banner = `/*! ${NAME} ${version}, ${license} */`;
  await bundle('esm', `${NAME}.mjs`, banner);
  await bundle('cjs', `${NAME}.cjs`, banner);
  const [types = ''] = generateDtsBundle(
    [{ filePath: ENTRY, output: { noBanner: true, exportReferencedTypes: false } }],
    { preferredConfigPath: 'tsconfig.json' },
  );
  for (const extension of ['mts', 'cts']) await writeFile(join(OUTPUT, `${NAME}.d.${extension}`), types);
  await writeFile(join(OUTPUT, 'package.json'), `${JSON.stringify(manifest(version, license), null, 2)}\n`);
  await copyFile('LICENSE', join(OUTPUT, 'LICENSE'));
  await copyFile('src/client/README.md', join(OUTPUT, 'README.md'));
}

async function bundle(format: Format, file: string, banner: string): Promise<void> {
  await build({
    entryPoints: [ENTRY],
    outfile: join(OUTPUT, file),
    bundle: true,
    minify: true,
    format,
    // Also what the engine of React Native runs, and browsers of the last six years.
    target: 'es2020',
    platform: 'neutral',
    banner: { js: banner },
    logLevel: 'warning',
  });
}

function manifest(version: string, license: string): object {
  const entry = (file: string, types: string) => ({ types: `./${types}`, default: `./${file}` });
  return {
    name: NAME,
    version,
    description: 'URLs of images that edgepress compresses: signed, as srcset, as <picture>',
    license,
    main: `./${NAME}.cjs`,
    module: `./${NAME}.mjs`,
    types: `./${NAME}.d.cts`,
    exports: {
      '.': {
        import: entry(`${NAME}.mjs`, `${NAME}.d.mts`),
        require: entry(`${NAME}.cjs`, `${NAME}.d.cts`),
      },
      './package.json': './package.json',
    },
    sideEffects: false,
    files: ['*.mjs', '*.cjs', '*.d.mts', '*.d.cts'],
  };
}

await buildClient();
