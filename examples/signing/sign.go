package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
)

func sign(key, unit, src string, parameters ...string) (string, error) {
	keyID, keyHex, _ := strings.Cut(key, ":")
	secret, err := hex.DecodeString(keyHex)
	if err != nil {
		return "", err
	}
	// QueryEscape writes a space as +, which is a plus here.
	encoded := strings.ReplaceAll(url.QueryEscape(src), "+", "%20")
	text := "/u/" + unit + "?" + strings.Join(append([]string{"src=" + encoded}, parameters...), "&")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "&sig=" + keyID + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

func main() {
	signed, err := sign(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(signed)
}
