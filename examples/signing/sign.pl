use strict;
use warnings;
use utf8;
use Digest::SHA qw(hmac_sha256_base64);

sub sign {
    my ($key, $unit, $src, $rest) = @_;
    my ($key_id, $key_hex) = split /:/, $key;
    utf8::encode($src);
    $src =~ s/([^A-Za-z0-9\-._~])/sprintf '%%%02X', ord $1/ge;
    my $text = "/u/$unit?src=$src$rest";
    my $mac = hmac_sha256_base64($text, pack 'H*', $key_hex) =~ tr{+/}{-_}r;
    return "$text&sig=$key_id.$mac";
}

my $key = 'test:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
print sign($key, 'unit-1', 'https://example.com/käse 1.jpg', '&w=720&exp=4102444800'), "\n";
