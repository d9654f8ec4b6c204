#!/bin/sh
key_id=test
key_hex=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
src='https://example.com/käse 1.jpg'

percent_encode() {
  for byte in $(printf %s "$1" | od -An -v -tx1); do
    case $byte in
      2d | 2e | 5f | 7e | 3[0-9] | 4[1-9a-f] | 5[0-9a] | 6[1-9a-f] | 7[0-9a]) printf "\\$(printf %o "0x$byte")" ;;
      *) printf %%%s "$byte" | tr a-f A-F ;;
    esac
  done
}

text="/u/unit-1?src=$(percent_encode "$src")&w=720&exp=4102444800"
mac=$(printf %s "$text" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key_hex" -binary | base64 | tr '+/' '-_' | tr -d '=\n')
echo "$text&sig=$key_id.$mac"
