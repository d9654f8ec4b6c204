// Names below localhost are loopback (RFC 6761, section 6.3), which not every resolver knows, and no test asks one. AWS' own client
// of KeyValueStore puts the account before the host name of any endpoint.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const { lookup } = dns;
dns.lookup = (hostname, options, callback) =>
  lookup(hostname.endsWith('.localhost') ? '127.0.0.1' : hostname, options, callback);
syncBuiltinESMExports();
