import type { TestProject } from 'vitest/node';
import { createBuiltPrograms } from './build-programs.ts';
import { findProgram, installPrograms, requirePrograms } from './debian.ts';
import { otherS3 } from './other-s3.ts';
import { RADOSGW_PACKAGES, RADOSGW_PROGRAMS, type RunningS3Server, startRadosgw } from './radosgw.ts';
import { servePreparations } from './serve-preparations.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests ask for what is prepared for them. */
    preparations: string;
  }
}

/** The engine on which the runtime of CloudFront Functions is based, alone and within a caching server. */
const EDGE_REQUIREMENT = {
  what: 'the edge',
  programs: ['njs', 'nginx'],
  packages: ['njs', 'nginx', 'libnginx-mod-http-js'],
};

/** What examples/deploy has configurations for, beside nginx. */
const DEPLOY_REQUIREMENT = {
  what: 'deployments',
  programs: ['varnishd', 'caddy', 'systemd-analyze'],
  packages: ['varnish', 'caddy', 'systemd'],
};

/** What the examples of signing, and clients in docs/apps.md, are written in. Swift is not in Debian; Node, Python, Perl and openssl are there wherever tests run. */
const LANGUAGES_REQUIREMENT = {
  what: 'the examples of signing',
  programs: ['go', 'java', 'javac', 'kotlinc', 'php', 'ruby'],
  packages: ['golang-go', 'default-jdk-headless', 'kotlin', 'libokhttp-java', 'php-cli', 'ruby'],
};

/** libgav1, around which Android's own AV1 decoder is built. */
const GAV1_REQUIREMENT = { what: 'libgav1', programs: ['gav1_decode'], packages: ['libgav1-bin'] };

const SHELLS_REQUIREMENT = {
  what: 'shells',
  programs: ['bash', 'zsh', 'fish'],
  packages: ['bash', 'zsh', 'fish'],
};

const S3_REQUIREMENT = { what: 'S3', programs: RADOSGW_PROGRAMS, packages: RADOSGW_PACKAGES };

const PAGES_REQUIREMENT = { what: 'pages', programs: ['chromium'], packages: ['chromium'] };

/**
 * Prepares what slow tests need while those that do not need it run: builds the project, installs programs that are missing where it may, and
 * starts one S3 server for all tests, unless `TEST_S3_ENDPOINT` names one. Returns a function that ends it all.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = await createBuiltPrograms();
  const other = otherS3(process.env);
  const installed = installPrograms([
    ...[PAGES_REQUIREMENT, EDGE_REQUIREMENT, DEPLOY_REQUIREMENT, GAV1_REQUIREMENT, SHELLS_REQUIREMENT],
    ...(other ? [] : [S3_REQUIREMENT]),
  ]);
  // By far the most packages, for two tests.
  const languagesInstalled = installed.then(() => installPrograms([LANGUAGES_REQUIREMENT]));
  const started = installed.then(() => other ?? startS3());
  const promised = {
    built: programs.build().then(() => ({ folder: programs.folder })),
    s3: started.then((s3) => ('missing' in s3 ? s3 : s3.server)),
    chromium: installed.then(findChromium),
    edge: installed.then(() => requirePrograms(EDGE_REQUIREMENT)),
    deploy: installed.then(() => requirePrograms(DEPLOY_REQUIREMENT)),
    gav1: installed.then(() => requirePrograms(GAV1_REQUIREMENT)),
    shells: installed.then(() => requirePrograms(SHELLS_REQUIREMENT)),
    languages: languagesInstalled.then(() => requirePrograms(LANGUAGES_REQUIREMENT)),
    settled: languagesInstalled.then(() => null),
  };
  const { url, close } = await servePreparations(promised);
  project.provide('preparations', url);
  project.onTestsRerun(() => programs.build());
  return async () => {
    // An installation is not broken off.
    await Promise.allSettled(Object.values(promised));
    close();
    await started.then((s3) => ('missing' in s3 ? undefined : s3.stop())).catch(() => undefined);
    await programs.remove();
  };
}

async function startS3(): Promise<RunningS3Server | { missing: string }> {
  const missing = requirePrograms(S3_REQUIREMENT);
  return missing === null ? await startRadosgw() : { missing };
}

function findChromium(): { path: string } | { missing: string } {
  const missing = requirePrograms(PAGES_REQUIREMENT);
  return missing === null ? { path: findProgram('chromium') ?? '' } : { missing };
}
