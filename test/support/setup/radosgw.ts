import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDaemons, type Daemons, findFreePorts } from './daemons.ts';

/** The programs that must be installed. */
export const RADOSGW_PROGRAMS = [
  'ceph',
  'ceph-authtool',
  'ceph-mon',
  'ceph-osd',
  'monmaptool',
  'radosgw',
  'radosgw-admin',
];
/** The packages of Debian and Ubuntu that contain them. */
export const RADOSGW_PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd'];

/** Each step takes well under a second on an idle machine. */
const STEP_TIMEOUT_MS = 30_000;
/** Another process may take a free port before a daemon does. */
const START_ATTEMPTS = 3;

/** An S3 server, and the credentials of a user who may create buckets. */
export interface S3Server {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** What the names of the buckets of tests begin with. */
  bucketPrefix: string;
  /** The one bucket that all tests use, if they may not create any. */
  bucket?: string;
}

export interface RunningS3Server {
  server: S3Server;
  /** Kills it and removes its files. */
  stop(): Promise<void>;
}

/** Starts an S3 server that keeps its objects in memory: Ceph's gateway, with one monitor and one disk. */
export async function startRadosgw(): Promise<RunningS3Server> {
  for (let attempt = 1; ; attempt += 1) {
    const daemons = await createDaemons('edgepress-s3', (folder) => ({
      CEPH_CONF: join(folder, 'ceph.conf'),
    }));
    try {
      const server = await startAll(daemons);
      const onEnd = async () => process.stderr.write(`S3 has ended: ${await daemons.output()}\n`);
      daemons.signal.addEventListener('abort', onEnd);
      return {
        server,
        stop() {
          daemons.signal.removeEventListener('abort', onEnd);
          return daemons.stop();
        },
      };
    } catch (error) {
      const output = await daemons.output();
      await daemons.stop();
      if (attempt === START_ATTEMPTS) {
        throw new Error(`radosgw does not start: ${error}\n${output}`, { cause: error });
      }
    }
  }
}

async function startAll(daemons: Daemons): Promise<S3Server> {
  const [monitorPort = 0, gatewayPort = 0] = await findFreePorts(2);
  const server = {
    endpoint: `http://127.0.0.1:${gatewayPort}`,
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(20).toString('hex'),
    bucketPrefix: 'test-',
  };
  await startCluster(daemons, monitorPort, gatewayPort);
  daemons.start('radosgw', ['-f', '-n', 'client.admin']);
  await waitForResponse(server.endpoint, daemons.signal);
  const keys = [`--access-key=${server.accessKeyId}`, `--secret=${server.secretAccessKey}`];
  const user = ['user', 'create', '--uid=test', '--display-name=test', ...keys];
  await daemons.run('radosgw-admin', ['-n', 'client.admin', ...user], STEP_TIMEOUT_MS);
  return server;
}

async function startCluster(daemons: Daemons, monitorPort: number, gatewayPort: number): Promise<void> {
  const { folder } = daemons;
  const run = (program: string, ...args: string[]) => daemons.run(program, args, STEP_TIMEOUT_MS);
  const [cluster, disk] = [randomUUID(), randomUUID()];
  const [keyring, map] = [join(folder, 'keyring'), join(folder, 'monmap')];
  await writeFile(join(folder, 'ceph.conf'), configuration(folder, cluster, monitorPort, gatewayPort));
  await Promise.all(['mon', 'osd', 'rgw'].map((name) => mkdir(join(folder, name))));
  await Promise.all([
    run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *'),
    run('monmaptool', '--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitorPort}]`, map),
  ]);
  await run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring);
  daemons.start('ceph-mon', ['-f', '-i', 'a']);
  await run('ceph', 'osd', 'new', disk);
  await run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', disk);
  daemons.start('ceph-osd', ['-f', '-i', '0']);
}

async function waitForResponse(endpoint: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + STEP_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(endpoint, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.ok) return;
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new Error(`nothing answers at ${endpoint}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/*
 * One daemon of each kind on 127.0.0.1, without authentication within the cluster. The two `paxos` intervals reduce the start from
 * 12 s to 1 s. `objecter_tick_interval` saves another 5 s when the gateway is up before the disk. Without the `crc` modes it hangs.
 * Without `tcp_nodelay` each miss takes 40 ms. `rgw_multi_obj_del_max_aio` is 1 because the gateway crashes now and then when it
 * deletes several objects of one call concurrently.
 */
function configuration(folder: string, cluster: string, monitorPort: number, gatewayPort: number): string {
  return `
[global]
fsid = ${cluster}
mon_host = [v2:127.0.0.1:${monitorPort}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
ms_mon_service_mode = crc
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_tick_interval = 1
osd_heartbeat_interval = 1
osd_mon_report_interval = 1
objecter_tick_interval = 0.2
mon_data = ${folder}/mon
osd_data = ${folder}/osd
rgw_data = ${folder}/rgw
run_dir = ${folder}
crash_dir = ${folder}
keyring = ${folder}/keyring
log_file = ${folder}/$name.log
admin_socket =
pid_file =
mon_data_avail_warn = 2
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_class_load_list = *
osd_class_default_list = *
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_override_bucket_index_max_shards = 1
rgw_multi_obj_del_max_aio = 1
rgw_gc_max_objs = 8
rgw_lc_max_objs = 4
`;
}
