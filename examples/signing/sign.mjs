import { createHmac } from 'node:crypto';

function percentEncode(text) {
  const encode = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, encode);
}

function sign(key, unit, src, ...parameters) {
  const [keyId, keyHex] = key.split(':');
  const text = `/u/${unit}?${[`src=${percentEncode(src)}`, ...parameters].join('&')}`;
  const mac = createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');
  return `${text}&sig=${keyId}.${mac}`;
}

console.log(sign(...process.argv.slice(2)));
