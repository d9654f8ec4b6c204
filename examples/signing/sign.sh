#!/bin/sh
key_id=${1%%:*} key_hex=${1#*:} unit=$2 src=$3
shift 3

percent_encode() {
  for byte in $(printf %s "$1" | od -An -v -tx1); do
    case $byte in
      2d | 2e | 5f | 7e | 3[0-9] | 4[1-9a-f] | 5[0-9a] | 6[1-9a-f] | 7[0-9a]) printf "\\$(printf %o "0x$byte")" ;;
      *) printf %%%s "$byte" | tr a-f A-F ;;
    esac
  done
}

text="/u/$unit?src=$(percent_encode "$src")"
for parameter; do text="$text&$parameter"; done
mac=$(printf %s "$text" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key_hex" -binary | base64 | tr '+/' '-_' | tr -d '=\n')
echo "$text&sig=$key_id.$mac"
