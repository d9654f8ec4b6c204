import base64, hashlib, hmac
from urllib.parse import quote

def sign(key, unit, src, **parameters):
    key_id, key_hex = key.split(":")
    query = f"src={quote(src, safe='')}" + "".join(f"&{name}={value}" for name, value in parameters.items())
    text = f"/u/{unit}?{query}"
    mac = hmac.new(bytes.fromhex(key_hex), text.encode(), hashlib.sha256).digest()
    return f"{text}&sig={key_id}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

key = "test:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
print(sign(key, "unit-1", "https://example.com/käse 1.jpg", w=720, exp=4102444800))
