import { createHmac } from 'node:crypto';

function sign(key, unit, src, parameters) {
  const [keyId, keyHex] = key.split(':');
  const rest = Object.entries(parameters).map(([name, value]) => `&${name}=${value}`);
  const text = `/u/${unit}?src=${encodeURIComponent(src).replaceAll("'", '%27')}${rest.join('')}`;
  const mac = createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');
  return `${text}&sig=${keyId}.${mac}`;
}

const key = 'test:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
console.log(sign(key, 'unit-1', 'https://example.com/käse 1.jpg', { w: 720, exp: 4102444800 }));
