import base64, hashlib, hmac, sys
from urllib.parse import quote

def sign(key, unit, src, *parameters):
    key_id, key_hex = key.split(":")
    text = f"/u/{unit}?" + "&".join(["src=" + quote(src, safe=""), *parameters])
    mac = hmac.new(bytes.fromhex(key_hex), text.encode(), hashlib.sha256).digest()
    return f"{text}&sig={key_id}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

print(sign(*sys.argv[1:]))
