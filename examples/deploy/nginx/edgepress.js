// Purges by cache tag for nginx, whose cache can only forget single URLs: the time of a unit's last purge is part of the key of its pictures.
// Copies from before a purge are never found again, and deleted by nginx when nobody has asked for them for as long as `inactive` says.
import crypto from 'crypto';
import fs from 'fs';

const IMAGE = /^\/u\/([A-Za-z0-9._~-]{1,128})\?/;
const TAGS = /^[a-z]-[0-9a-f]{32}(,[a-z]-[0-9a-f]{32})*$/;
/** For tags that cannot be computed from a URL, such as that of a group: all copies are forgotten. */
const ALL = 'all';

/** Returns what the key of a request's picture starts with. */
function generation(r) {
  const image = IMAGE.exec(r.variables.request_uri);
  const unit = image ? lastPurge(r, unitTag(image[1])) : '';
  return `${unit}/${lastPurge(r, ALL)}`;
}

/** `PURGE /purge` with `Cache-Tag: u-…,u-…`. */
function purge(r) {
  const tags = r.headersIn['Cache-Tag'] || '';
  if (r.method !== 'PURGE' || !TAGS.test(tags)) {
    r.return(400, 'PURGE needs Cache-Tag: tags of edgepress, separated by commas\n');
    return;
  }
  const names = tags.split(',');
  names.forEach((tag) => {
    // Tags of sources are on units' pictures only, and a purge of edgepress names units and groups.
    notePurge(r, tag.startsWith('u-') ? tag : ALL);
  });
  r.return(200, `purged ${names.length}\n`);
}

/** As edgepress computes it: src/protocol/keys.ts. */
function unitTag(unit) {
  return `u-${crypto.createHash('sha256').update(unit).digest('hex').slice(0, 32)}`;
}

function lastPurge(r, name) {
  const file = `${r.variables.edgepress_purged}/${name}`;
  // Most units were never purged, and an exception would cost ten times as much as all else here.
  if (fs.statSync(file, { throwIfNoEntry: false }) === undefined) return '';
  return fs.readFileSync(file, 'utf8');
}

function notePurge(r, name) {
  const file = `${r.variables.edgepress_purged}/${name}`;
  const unique = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  // Renamed, because a reader would find the file empty while it is written.
  fs.writeFileSync(`${file}.${unique}`, unique);
  fs.renameSync(`${file}.${unique}`, file);
}

export default { generation, purge };
