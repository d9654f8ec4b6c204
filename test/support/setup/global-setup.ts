import type { TestProject } from 'vitest/node';
import { findProgram, installPrograms, requirePrograms } from './debian.ts';
import { otherS3 } from './other-s3.ts';
import { RADOSGW_PACKAGES, RADOSGW_PROGRAMS, type S3Server, startRadosgw } from './radosgw.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The S3 of this test run, or why there is none. */
    s3: S3Server | { missing: string };
    /** The browser of this machine, or why there is none. */
    chromium: { path: string } | { missing: string };
    /** Why the programs that stand in for CloudFront are missing; `undefined` when they are there. */
    edge: string | undefined;
    /** Why the programs of examples/deploy are missing, beside nginx; `undefined` when they are there. */
    deploy: string | undefined;
    /** Why the AV1 decoder of Android is missing; `undefined` when it is there. */
    gav1: string | undefined;
    /** Why shells that completion is for are missing. */
    shells: string | undefined;
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

/** What the examples of signing are written in. Swift is not in Debian; Node, Python, Perl and openssl are there wherever tests run. */
const SIGNER_REQUIREMENT = {
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

/** Checks for the programs that tests need, installs what is missing where it may, and starts one S3 server for all tests, unless `TEST_S3_ENDPOINT` names one. Returns a function that stops it. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const other = otherS3(process.env);
  installPrograms([
    ...[PAGES_REQUIREMENT, EDGE_REQUIREMENT, DEPLOY_REQUIREMENT, GAV1_REQUIREMENT],
    ...[SIGNER_REQUIREMENT, SHELLS_REQUIREMENT, ...(other ? [] : [S3_REQUIREMENT])],
  ]);
  provideChromium(project);
  project.provide('edge', requirePrograms(EDGE_REQUIREMENT));
  project.provide('deploy', requirePrograms(DEPLOY_REQUIREMENT));
  project.provide('gav1', requirePrograms(GAV1_REQUIREMENT));
  // The tests of the examples skip by themselves what is not there.
  requirePrograms(SIGNER_REQUIREMENT);
  project.provide('shells', requirePrograms(SHELLS_REQUIREMENT));
  if (other) {
    project.provide('s3', other.server);
    return other.stop;
  }
  const missing = requirePrograms(S3_REQUIREMENT);
  if (missing !== undefined) {
    project.provide('s3', { missing });
    return undefined;
  }
  const { server, stop } = await startRadosgw();
  project.provide('s3', server);
  return stop;
}

function provideChromium(project: TestProject): void {
  const missing = requirePrograms(PAGES_REQUIREMENT);
  project.provide('chromium', missing === undefined ? { path: findProgram('chromium') ?? '' } : { missing });
}
