require 'base64'
require 'erb'
require 'openssl'

def sign(key, unit, src, *parameters)
  key_id, key_hex = key.split(':')
  text = "/u/#{unit}?" + ["src=#{ERB::Util.url_encode(src)}", *parameters].join('&')
  mac = OpenSSL::HMAC.digest('SHA256', [key_hex].pack('H*'), text)
  "#{text}&sig=#{key_id}.#{Base64.urlsafe_encode64(mac, padding: false)}"
end

puts sign(*ARGV)
