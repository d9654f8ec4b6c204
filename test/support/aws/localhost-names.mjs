// Resolves names below localhost to loopback (RFC 6761, section 6.3), which not every resolver does, and tests must not call one.
// The SDK's client of KeyValueStore prepends the account to the host name of any endpoint.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const { lookup } = dns;
dns.lookup = (hostname, options, callback) =>
  lookup(hostname.endsWith('.localhost') ? '127.0.0.1' : hostname, options, callback);
syncBuiltinESMExports();
