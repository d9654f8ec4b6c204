<?php

function sign(string $key, string $unit, string $src, string ...$parameters): string
{
    [$keyId, $keyHex] = explode(':', $key);
    $text = "/u/$unit?" . implode('&', ['src=' . rawurlencode($src), ...$parameters]);
    $mac = base64_encode(hash_hmac('sha256', $text, hex2bin($keyHex), true));
    return "$text&sig=$keyId." . rtrim(strtr($mac, '+/', '-_'), '=');
}

echo sign(...array_slice($argv, 1)), "\n";
